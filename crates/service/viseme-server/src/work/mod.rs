//! What a worker does with a job: gets its files, calls the library, keeps and sends the result.

mod batch;
mod faces;
mod files;
mod folder;
mod inputs;
mod lipsync;
mod observer;
mod result;
mod score;
mod spec;
mod tracking;
mod webhook;

pub(crate) use batch::BatchResult;
pub(crate) use files::JobFiles;
pub(crate) use folder::WorkFolders;
pub(crate) use lipsync::cost_usd;
pub(crate) use result::{FacesResult, LipsyncResult, OutputFacts, Timing, TrackingResult};

use crate::batches::cancel_jobs;
use crate::error::own_fault;
use crate::metrics::Metrics;
use crate::settings::{Secret, SizeLimits};
use crate::telemetry::note_end;
use crate::webhooks::announce;
use async_trait::async_trait;
use folder::JobFolder;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use viseme::{RunnerPool, RuntimeRequest, give_way};
use viseme_cloud::SafeClient;
use viseme_core::{Error, Limits, Result};
use viseme_jobs::{Failure, Job, JobHandle, JobHandler, JobKind, JobStore};

/// Does the jobs of a server.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) files: JobFiles,
    pub(crate) client: SafeClient,
    pub(crate) runners: Arc<RunnerPool>,
    pub(crate) folders: WorkFolders,
    pub(crate) sizes: SizeLimits,
    pub(crate) media: Limits,
    pub(crate) compute: RuntimeRequest,
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) webhook_secret: Option<Secret>,
    pub(crate) metrics: Metrics,
    pub(crate) gpu_usd_per_hour: f64,
}

/// A job being worked on.
struct Work<'a> {
    handler: &'a Handler,
    job: &'a Job,
    handle: &'a JobHandle,
    /// The job's own folder, which outlives a worker that is killed.
    folder: JobFolder,
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, job: &Job, handle: &JobHandle) -> Result<Value> {
        let work = Work { handler: self, job, handle, folder: self.folders.of(job.id)? };
        let result = match job.kind {
            JobKind::Lipsync => to_value(&work.lipsync(read(job)?).await?),
            JobKind::Faces => to_value(&work.faces(read(job)?).await?),
            JobKind::Tracking => to_value(&work.tracking(read(job)?).await?),
            JobKind::Score => to_value(&work.score(read(job)?).await?),
            JobKind::Batch => to_value(&work.batch(read(job)?).await?),
            JobKind::Webhook => to_value(&work.webhook(read(job)?).await?),
        }?;
        // Warnings may name files of this machine.
        let words = self.folders.without_paths(job.id, &result.to_string());
        serde_json::from_str(&words)
            .map_err(|error| Error::internal("a result that is no JSON").with_source(error))
    }

    fn failure(&self, job: &Job, error: &Error) -> Failure {
        let words = own_fault(error.kind()).map_or_else(|| error.to_string(), str::to_owned);
        let without_paths = |words: &str| self.folders.without_paths(job.id, words);
        let failure = Failure::new(error, without_paths(&words));
        Failure { hint: failure.hint.as_deref().map(without_paths), ..failure }
    }

    async fn ended(&self, job: Job) {
        note_end(&job);
        if job.state.is_final() {
            self.folders.remove(job.id).await;
            self.metrics.ended(&job);
            if job.cancel_requested
                && let Err(error) = cancel_jobs(self.store.as_ref(), &job).await
            {
                tracing::warn!(%error, job_id = %job.id, "cannot call off the jobs of a batch");
            }
            announce(self.store.as_ref(), &job).await;
        }
    }
}

impl Work<'_> {
    /// Runs `work`, which takes its time, on a thread of its own; ends with `Cancelled` when the job is to stop before it
    /// begins.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.handle.stop_reason().is_some() {
            return Err(Error::cancelled());
        }
        let span = tracing::Span::current();
        let (tell, told) = tokio::sync::oneshot::channel();
        let run = move || {
            // Requests are answered while jobs keep every core busy.
            give_way();
            // Nobody may be listening any more.
            let _ = tell.send(span.in_scope(work));
        };
        let spawned = std::thread::Builder::new().name("job".to_owned()).spawn(run);
        spawned.map_err(|source| Error::io("start a thread for a job", source))?;
        told.await.map_err(|_| Error::internal("the work on the job panicked"))?
    }

    /// Waits for `work`, which is dropped when the job is to stop.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            _ = self.handle.stopped() => Err(Error::cancelled()),
        }
    }
}

/// The task of a job.
fn read<T: DeserializeOwned>(job: &Job) -> Result<T> {
    serde_json::from_value(job.spec.clone())
        .map_err(|error| Error::internal(format!("the task of the job cannot be read: {error}")))
}

/// By way of text: there 0.1 is 0.1, whether it has 32 bits or 64.
fn to_value<T: serde::Serialize>(result: &T) -> Result<Value> {
    serde_json::to_string(result)
        .and_then(|text| serde_json::from_str(&text))
        .map_err(|error| Error::internal(format!("the result of the job cannot be written: {error}")))
}
