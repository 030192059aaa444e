//! Starts a server or a worker, and ends it well.

use crate::housekeeping;
use crate::listen::listen;
use crate::machine::Machine;
use crate::routes;
use crate::service::Service;
use crate::settings::ServerSettings;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use viseme::{JobSpec, RunnerPool};
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::{JobKind, JobStore, Worker, WorkerOptions};

/// How long a worker waits before it asks again for a job that another process may have queued.
const POLL: Duration = Duration::from_millis(500);

/// Answers requests and does jobs until `shutdown`. `listening` is told the address when connections are taken.
///
/// # Errors
/// When the settings are not valid, a store cannot be opened, or the address is taken.
pub async fn serve(
    settings: ServerSettings,
    shutdown: CancellationToken,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    let service = Service::open(settings).await?;
    let listener = bind(service.settings.listen).await?;
    let address = listener.local_addr().map_err(|source| Error::io("read the address", source))?;
    let ended = CancellationToken::new();
    let answering = tokio::spawn(listen(listener, routes::router(Arc::clone(&service)), ended.clone()));
    listening(address);
    tokio::spawn(look_at_machine(Arc::clone(&service)));
    let keeping = tokio::spawn(housekeeping::keep(Arc::clone(&service), shutdown.clone()));
    let working = tokio::spawn(do_jobs(Arc::clone(&service), shutdown.clone()));
    shutdown.cancelled().await;
    tracing::info!("ending: jobs are finished or given back");
    // Requests are answered as long as their jobs may still end.
    let _ = working.await;
    ended.cancel();
    let _ = answering.await;
    let _ = keeping.await;
    Ok(())
}

/// Does jobs of the stores of a server until `shutdown`.
///
/// # Errors
/// When the settings are not valid or a store cannot be opened.
pub async fn work(settings: ServerSettings, shutdown: CancellationToken) -> Result<()> {
    let service = Service::open(settings).await?;
    do_jobs(service, shutdown).await;
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|source| {
        Error::new(ErrorKind::OutputNotWritable, format!("cannot listen on {address}: {source}"))
            .with_hint("Something else may be listening there: take another --listen.")
            .with_source(source)
    })
}

async fn look_at_machine(service: Arc<Service>) {
    if let Ok(machine) = tokio::task::spawn_blocking(Machine::look).await {
        let _ = service.machine.set(machine);
    }
}

async fn do_jobs(service: Arc<Service>, shutdown: CancellationToken) {
    let settings = &service.settings;
    if settings.workers == 0 {
        return;
    }
    let runners = Arc::clone(&service.runners);
    let loaded = tokio::task::spawn_blocking(move || load_built_in(&runners)).await;
    let loaded = loaded.unwrap_or_else(|_| Err("loading the engine panicked".to_owned()));
    if let Err(error) = &loaded {
        tracing::error!(error, "the built-in engine cannot be used");
    }
    let _ = service.built_in.set(loaded);
    let options = WorkerOptions {
        name: format!("{}:{}", host_name(), std::process::id()),
        slots: settings.workers,
        kinds: JobKind::ALL.to_vec(),
        lease: settings.lease,
        poll: POLL,
        grace: settings.grace,
    };
    let store: Arc<dyn JobStore> = Arc::clone(&service.store);
    let worker = Worker::new(store, Arc::new(service.handler()), options, Arc::clone(&service.wake));
    worker.run(shutdown).await;
}

/// Loads what most jobs want, so that the first one need not wait for it.
fn load_built_in(runners: &RunnerPool) -> Result<(), String> {
    let spec = JobSpec::new("", "", "");
    runners.with(&spec, |_| Ok(())).map_err(|error| error.to_string())
}

fn host_name() -> String {
    let name = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    name.or_else(|| Some(std::fs::read_to_string("/etc/hostname").ok()?.trim().to_owned()))
        .unwrap_or_else(|| "localhost".to_owned())
}
