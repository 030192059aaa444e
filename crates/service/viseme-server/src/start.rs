//! Starts a server or a worker, and ends it well.

use crate::housekeeping;
use crate::listen::listen;
use crate::machine::Machine;
use crate::preload::preload;
use crate::remote;
use crate::routes;
use crate::service::Service;
use crate::settings::ServerSettings;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use viseme::{JobSpec, RunnerPool};
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::{JobKind, Worker, WorkerOptions};

/// How long a worker waits before it asks again for a job that another process may have queued.
const POLL: Duration = Duration::from_millis(500);
/// Batches and webhooks that a server does at a time for workers that cannot: they wait for the network, and for the store.
const SMALL_JOBS: usize = 4;

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
    let helping = tokio::spawn(do_small_jobs(Arc::clone(&service), shutdown.clone()));
    shutdown.cancelled().await;
    service.ending.cancel();
    tracing::info!("ending: jobs are finished or given back");
    // Requests are answered as long as their jobs may still end.
    let _ = working.await;
    let _ = helping.await;
    ended.cancel();
    let _ = answering.await;
    let _ = keeping.await;
    Ok(())
}

/// Does jobs until `shutdown`: those of the server that `settings` names, or of the stores that a server shares with it.
///
/// # Errors
/// When the settings are not valid, a store cannot be opened, or the server does not take this worker.
pub async fn work(settings: ServerSettings, shutdown: CancellationToken) -> Result<()> {
    if let Some(server) = settings.server.clone() {
        return remote::work(settings, &server, shutdown).await;
    }
    let service = Service::open(settings).await?;
    let (store, folders) = (Arc::clone(&service.store), service.folders.clone());
    let keeping = tokio::spawn(housekeeping::keep_folders(store, folders, shutdown.clone()));
    do_jobs(service, shutdown).await;
    let _ = keeping.await;
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
    preload(settings, &shutdown).await;
    let _ = service.built_in.set(load_built_in(&service.runners, settings).await);
    let options = worker_options(settings, settings.workers, &JobKind::ALL);
    worker(&service, options, Arc::clone(&service.wake)).run(shutdown).await;
}

/// Where workers come in over HTTP, does what they do not, and takes their jobs from those that are not heard of.
async fn do_small_jobs(service: Arc<Service>, shutdown: CancellationToken) {
    if service.settings.worker_token.is_none() {
        return;
    }
    let kinds: Vec<JobKind> =
        JobKind::ALL.into_iter().filter(|kind| !remote::messages::KINDS.contains(kind)).collect();
    let options = worker_options(&service.settings, SMALL_JOBS, &kinds);
    // It is not woken: somebody else should be, who does all kinds.
    worker(&service, options, Arc::default()).run(shutdown).await;
}

fn worker(service: &Service, options: WorkerOptions, wake: Arc<Notify>) -> Worker {
    Worker::new(Arc::clone(&service.store), Arc::new(service.handler()), options, wake)
}

/// How a worker of this process works.
pub(crate) fn worker_options(settings: &ServerSettings, slots: usize, kinds: &[JobKind]) -> WorkerOptions {
    WorkerOptions {
        name: format!("{}:{}", host_name(), std::process::id()),
        slots,
        kinds: kinds.to_vec(),
        lease: settings.lease,
        poll: POLL,
        grace: settings.grace,
    }
}

/// Loads what most jobs want, so that the first one need not wait for it.
pub(crate) async fn load_built_in(
    runners: &Arc<RunnerPool>,
    settings: &ServerSettings,
) -> Result<(), String> {
    let runners = Arc::clone(runners);
    let spec = JobSpec { runtime: settings.compute, ..JobSpec::new("", "", "") };
    let load = move || runners.with(&spec, |_| Ok(())).map_err(|error| error.to_string());
    let loaded = tokio::task::spawn_blocking(load).await;
    let loaded = loaded.unwrap_or_else(|_| Err("loading the engine panicked".to_owned()));
    if let Err(error) = &loaded {
        tracing::error!(error, "the built-in engine cannot be used");
    }
    loaded
}

fn host_name() -> String {
    let name = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    name.or_else(|| Some(std::fs::read_to_string("/etc/hostname").ok()?.trim().to_owned()))
        .unwrap_or_else(|| "localhost".to_owned())
}
