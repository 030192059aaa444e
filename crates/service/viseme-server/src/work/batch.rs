//! Does a batch: queues its jobs, once.

use super::Work;
use crate::batches::in_batch;
use crate::tasks::BatchTask;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use viseme_core::{Error, Result};
use viseme_jobs::{JobId, JobKind, JobState, NewJob, StopReason};

/// What a batch has become: jobs of their own, in the order in which they were asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BatchResult {
    pub(crate) jobs: Vec<JobId>,
}

impl Work<'_> {
    /// Queues the jobs of a batch. Those that an earlier try has queued are there already.
    ///
    /// # Errors
    /// When the store fails, and when the batch is to stop: called off, all of its jobs are.
    pub(super) async fn batch(&self, task: BatchTask) -> Result<BatchResult> {
        let BatchTask { jobs: specs, max_tries, time_limit_ms } = task;
        let mut jobs = Vec::with_capacity(specs.len());
        for (number, spec) in specs.into_iter().enumerate() {
            if let Some(reason) = self.handle.stop_reason() {
                if reason == StopReason::Cancelled {
                    self.call_off(&jobs).await?;
                }
                return Err(Error::cancelled());
            }
            let wishes = (max_tries, Duration::from_millis(time_limit_ms));
            jobs.push(self.queue(number, spec, wishes).await?);
        }
        Ok(BatchResult { jobs })
    }

    async fn queue(
        &self,
        number: usize,
        spec: Value,
        (max_tries, time_limit): (u32, Duration),
    ) -> Result<JobId> {
        let job = NewJob {
            owner: self.job.owner.clone(),
            priority: self.job.priority,
            idempotency_key: Some(format!("batch:{}:{number}", self.job.id)),
            time_limit,
            max_tries,
            ..NewJob::new(JobKind::Lipsync, in_batch(spec, self.job.id))
        };
        let enqueued = self.handler.store.enqueue(job).await?;
        if enqueued.is_new {
            self.handler.metrics.submitted(JobKind::Lipsync);
        } else if enqueued.job.state == JobState::Cancelled {
            // The batch was called off and is wanted after all.
            self.handler.store.retry(enqueued.job.id).await?;
        }
        Ok(enqueued.job.id)
    }

    async fn call_off(&self, jobs: &[JobId]) -> Result<()> {
        for id in jobs {
            self.handler.store.cancel(*id).await?;
        }
        Ok(())
    }
}
