//! Does a batch: queues its jobs, once.

use super::Work;
use crate::tasks::BatchTask;
use serde::{Deserialize, Serialize};
use viseme_core::Result;
use viseme_jobs::{JobId, JobKind, NewJob};

/// What a batch has become: jobs of their own, in the order in which they were asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BatchResult {
    pub(crate) jobs: Vec<JobId>,
}

impl Work<'_> {
    /// Queues the jobs of a batch. Those that an earlier try has queued are there already.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn batch(&self, task: BatchTask) -> Result<BatchResult> {
        let mut jobs = Vec::with_capacity(task.jobs.len());
        for (number, spec) in task.jobs.into_iter().enumerate() {
            let job = NewJob {
                owner: self.job.owner.clone(),
                priority: self.job.priority,
                idempotency_key: Some(format!("batch:{}:{number}", self.job.id)),
                time_limit: std::time::Duration::from_millis(self.job.time_limit_ms),
                max_tries: self.job.max_tries,
                ..NewJob::new(JobKind::Lipsync, spec)
            };
            jobs.push(self.handler.store.enqueue(job).await?.job.id);
        }
        Ok(BatchResult { jobs })
    }
}
