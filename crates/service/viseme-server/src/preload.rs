//! Pulls the models that a process is to have before it does jobs.

use crate::settings::ServerSettings;
use tokio_util::sync::CancellationToken;
use viseme_core::{Error, Observer, Progress, Result, Warning};
use viseme_models::Store;
use viseme_models::store::{PullOptions, Pulled};

/// Pulls what is missing of the models that `settings` name. One that cannot be had is logged: the jobs that want it say so.
pub(crate) async fn preload(settings: &ServerSettings, shutdown: &CancellationToken) {
    for id in &settings.preload {
        match pull(id.clone(), settings.accept_licences, Until(shutdown.clone())).await {
            Ok(pulled) => tracing::info!(model = id, form = pulled.form, "the model is there"),
            Err(error) => {
                tracing::error!(model = id, %error, hint = error.hint(), "the model cannot be pulled");
            }
        }
    }
}

async fn pull(id: String, accept_licence: bool, until: Until) -> Result<Pulled> {
    let options = PullOptions { accept_licence, ..PullOptions::default() };
    let pulled = tokio::task::spawn_blocking(move || Store::open()?.pull(&id, &options, &until)).await;
    pulled.map_err(|error| Error::internal("pulling panicked").with_source(error))?
}

/// Cancels when the process is to end.
struct Until(CancellationToken);

impl Observer for Until {
    fn progress(&self, _: Progress) {}

    fn warn(&self, warning: &Warning) {
        tracing::warn!("{}", warning.message);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
