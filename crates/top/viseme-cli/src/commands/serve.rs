//! `viseme serve` and `viseme work`: the service.

use crate::arguments::{ServeArguments, WorkArguments};
use crate::printer;
use std::process::ExitCode;
use tokio::signal;
use tokio_util::sync::CancellationToken;
use viseme_core::{Error, Result};

/// Answers requests and does jobs until it is told to end.
pub(crate) fn serve(arguments: ServeArguments) -> Result<ExitCode> {
    let _telemetry = viseme_server::log(&arguments.service.log, arguments.service.log_format.into())?;
    let settings = arguments.settings()?;
    let shutdown = CancellationToken::new();
    run(
        &shutdown,
        viseme_server::serve(settings, shutdown.clone(), |address| {
            printer::say(&format!("listening on http://{address}"));
        }),
    )
}

/// Does jobs until it is told to end.
pub(crate) fn work(arguments: WorkArguments) -> Result<ExitCode> {
    let _telemetry = viseme_server::log(&arguments.service.log, arguments.service.log_format.into())?;
    let settings = arguments.settings()?;
    let shutdown = CancellationToken::new();
    run(&shutdown, viseme_server::work(settings, shutdown.clone()))
}

/// Runs `service`; the first signal lets it end well, the second ends it at once.
fn run(shutdown: &CancellationToken, service: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::io("start the threads of the server", source))?;
    runtime.block_on(async {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            told_to_end().await;
            shutdown.cancel();
        });
        service.await
    })?;
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

#[cfg(unix)]
async fn told_to_end() {
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    let _ = signal::ctrl_c().await;
}
