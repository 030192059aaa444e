//! Work for a server that keeps its stores to itself: jobs and files come and go over HTTP, under [`messages::PATH`].
//!
//! The server's own job store decides, as it does for workers beside it: every message carries the [lease](viseme_jobs::Lease),
//! and what is said with a lost one changes nothing. `routes/workers.rs` is the other side.

mod connection;
mod files;
mod leases;
pub(crate) mod messages;
mod store;

pub(crate) use files::HttpFiles;

use crate::housekeeping::keep_folders;
use crate::metrics::Metrics;
use crate::preload::preload;
use crate::settings::ServerSettings;
use crate::start::{load_built_in, worker_options};
use crate::work::{Handler, JobFiles, WorkFolders};
use async_trait::async_trait;
use connection::{BACK_OFF, Connection, may_pass};
use leases::Leases;
use messages::{Greeting, KINDS};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use store::HttpJobStore;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use viseme::RunnerPool;
use viseme_cloud::{RemoteUrl, SafeClient};
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::{Failure, Job, JobHandle, JobHandler, JobStore, Worker, WorkerOptions};

/// Does jobs of `server` until `shutdown`. Of the data folder of `settings` it uses `work` alone.
///
/// # Errors
/// When the settings are not valid, or the server does not take this worker. One that cannot be reached is waited for.
pub(crate) async fn work(
    settings: ServerSettings,
    server: &RemoteUrl,
    shutdown: CancellationToken,
) -> Result<()> {
    let no_token = || {
        Error::invalid_input("a worker of a server needs its token")
            .with_hint("Give the one of the server's --worker-token.")
    };
    let token = settings.worker_token.clone().ok_or_else(no_token)?;
    let connection = Connection::new(server, token, settings.network.allow_http)?;
    let Some(greeting) = greet(&connection, &shutdown).await? else { return Ok(()) };
    let leases = Leases::default();
    let store = HttpJobStore::new(connection.clone(), leases.clone(), shutdown.clone());
    let store: Arc<dyn JobStore> = Arc::new(store);
    let handler = handler(&settings, &store, HttpFiles::new(connection, leases))?;
    // What failed is logged: jobs may want another engine.
    preload(&settings, &shutdown).await;
    let _ = load_built_in(&handler.runners, &settings).await;
    let options = WorkerOptions {
        lease: Duration::from_millis(greeting.lease_ms),
        ..worker_options(&settings, settings.workers, &KINDS)
    };
    let folders = handler.folders.clone();
    let keeping = tokio::spawn(keep_folders(Arc::clone(&store), folders, shutdown.clone()));
    Worker::new(store, Arc::new(RemoteHandler(handler)), options, Arc::new(Notify::new()))
        .run(shutdown)
        .await;
    let _ = keeping.await;
    Ok(())
}

fn handler(settings: &ServerSettings, store: &Arc<dyn JobStore>, files: HttpFiles) -> Result<Handler> {
    Ok(Handler {
        files: JobFiles::Remote(files),
        client: SafeClient::new(settings.network.clone())?,
        runners: Arc::new(RunnerPool::new(crate::service::MOST_IDLE_RUNNERS)),
        folders: WorkFolders::new(settings.data.join("work"))?,
        sizes: settings.sizes,
        media: settings.media.clone(),
        compute: settings.compute,
        store: Arc::clone(store),
        webhook_secret: None,
        metrics: Metrics::new(),
        gpu_usd_per_hour: settings.gpu_usd_per_hour,
    })
}

/// Asks the server how it works; waits while it cannot be reached. None when the worker is to end meanwhile.
async fn greet(connection: &Connection, shutdown: &CancellationToken) -> Result<Option<Greeting>> {
    let mut tries = 1;
    loop {
        let error = match connection.get::<Greeting>("").await {
            Ok(greeting) => {
                let (server, ours) = (&greeting.version, env!("CARGO_PKG_VERSION"));
                if server != ours {
                    tracing::warn!(server, worker = ours, "server and worker are of two versions");
                }
                tracing::info!(server = connection.site(), "doing jobs");
                return Ok(Some(greeting));
            }
            Err(error) if may_pass(&error) => error,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(error.with_hint("A server takes workers when it is started with --worker-token."));
            }
            Err(error) => return Err(error),
        };
        tracing::warn!(%error, "waiting for the server");
        tokio::select! {
            () = sleep(BACK_OFF.wait(tries)) => tries += 1,
            () = shutdown.cancelled() => return Ok(None),
        }
    }
}

/// Does jobs, and leaves it to the server to tell others how they ended.
#[derive(Debug)]
struct RemoteHandler(Handler);

#[async_trait]
impl JobHandler for RemoteHandler {
    async fn run(&self, job: &Job, handle: &JobHandle) -> Result<Value> {
        self.0.run(job, handle).await
    }

    fn failure(&self, job: &Job, error: &Error) -> Failure {
        self.0.failure(job, error)
    }

    async fn ended(&self, job: Job) {
        if job.state.is_final() {
            self.0.folders.remove(job.id).await;
        }
    }
}
