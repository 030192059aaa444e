//! Who is told that a job has ended. Telling is a job of its own, so that it survives and is tried again.

use crate::batches::{batch_of, has_ended};
use crate::service::webhook_of;
use serde::{Deserialize, Serialize};
use serde_json::json;
use viseme_cloud::RemoteUrl;
use viseme_core::Result;
use viseme_jobs::{Job, JobId, JobKind, JobStore, NewJob};

/// Times that somebody is told: with the waits between them some twenty minutes.
const MOST_TRIES: u32 = 10;

/// Whose the jobs are that tell: nobody's, so that no client sees them.
pub(crate) const OWNER: &str = "viseme:webhooks";

/// Tells how a job has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WebhookTask {
    pub(crate) job: JobId,
    pub(crate) url: RemoteUrl,
}

/// Queues the word about a job that has ended, once, if somebody wants it, and that about its batch when it was the last of it.
pub(crate) async fn announce(store: &dyn JobStore, job: &Job) {
    if let Err(error) = announce_both(store, job).await {
        tracing::warn!(%error, job_id = %job.id, "cannot queue the webhook of a job");
    }
}

async fn announce_both(store: &dyn JobStore, job: &Job) -> Result<()> {
    announce_one(store, job).await?;
    let Some(batch) = batch_of(job) else { return Ok(()) };
    match store.get(batch).await? {
        Some(batch) => announce_one(store, &batch).await,
        None => Ok(()),
    }
}

async fn announce_one(store: &dyn JobStore, job: &Job) -> Result<()> {
    let (Some(url), Some(ended)) = (webhook_of(job), job.finished_at) else { return Ok(()) };
    if !has_ended(store, job).await? {
        return Ok(());
    }
    let told = NewJob {
        owner: OWNER.to_owned(),
        max_tries: MOST_TRIES,
        idempotency_key: Some(format!("{}:{}", job.id, ended.as_millisecond())),
        ..NewJob::new(JobKind::Webhook, json!(WebhookTask { job: job.id, url }))
    };
    store.enqueue(told).await.map(drop)
}
