//! Batches: jobs that were asked for together.

use serde_json::{Value, json};
use viseme_core::Result;
use viseme_jobs::{Job, JobId, JobKind, JobState, JobStore};

use crate::work::BatchResult;

/// The field of a job's spec that names the batch it belongs to, beside the fields of its task.
const BATCH: &str = "batch";

/// `spec` as that of a job of `batch`.
pub(crate) fn in_batch(mut spec: Value, batch: JobId) -> Value {
    spec[BATCH] = json!(batch);
    spec
}

/// The batch that a job belongs to.
pub(crate) fn batch_of(job: &Job) -> Option<JobId> {
    serde_json::from_value(job.spec.get(BATCH)?.clone()).ok()
}

/// The jobs of a batch, in the order in which they were asked for. None before they are queued, and of another job.
pub(crate) fn jobs_of(batch: &Job) -> Vec<JobId> {
    if batch.kind != JobKind::Batch {
        return Vec::new();
    }
    let result = batch.result.clone().map(serde_json::from_value::<BatchResult>);
    result.and_then(Result::ok).map(|result| result.jobs).unwrap_or_default()
}

/// Whether nothing more will happen to a job by itself, nor to any job of a batch.
///
/// # Errors
/// When the store fails.
pub(crate) async fn has_ended(store: &dyn JobStore, job: &Job) -> Result<bool> {
    // The last ones mostly end last.
    for id in jobs_of(job).into_iter().rev() {
        if store.get(id).await?.is_some_and(|job| !job.state.is_final()) {
            return Ok(false);
        }
    }
    Ok(job.state.is_final())
}

/// Calls off the jobs of a batch and says which of them ended with that. Of another job there are none.
///
/// # Errors
/// When the store fails.
pub(crate) async fn cancel_jobs(store: &dyn JobStore, batch: &Job) -> Result<Vec<Job>> {
    let mut cancelled = Vec::new();
    for id in jobs_of(batch) {
        cancelled.extend(store.cancel(id).await?.filter(|job| job.state == JobState::Cancelled));
    }
    Ok(cancelled)
}
