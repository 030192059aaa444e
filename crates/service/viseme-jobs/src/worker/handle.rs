//! What somebody who does a job is told, and tells.

use crate::job::JobProgress;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Why work on a job should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The job was called off.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
    /// Somebody else has the job, or it has ended.
    Lost,
    /// The worker is about to end; another one goes on.
    ShuttingDown,
}

/// The line between a worker and whoever does its job: progress one way, the wish to stop the other.
#[derive(Debug, Clone)]
pub struct JobHandle {
    stop: Arc<watch::Sender<Option<StopReason>>>,
    progress: Arc<Mutex<Option<JobProgress>>>,
}

impl Default for JobHandle {
    fn default() -> Self {
        Self { stop: Arc::new(watch::Sender::new(None)), progress: Arc::default() }
    }
}

impl JobHandle {
    /// Says how far the job is. Only the last word before a heartbeat is kept.
    pub fn set_progress(&self, progress: JobProgress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    /// Why to stop; none while the work should go on.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        *self.stop.borrow()
    }

    /// Returns when the work should stop.
    pub async fn stopped(&self) -> StopReason {
        let mut receiver = self.stop.subscribe();
        loop {
            if let Some(reason) = *receiver.borrow_and_update() {
                return reason;
            }
            // The sender is ours: it cannot have gone.
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Asks to stop. The first reason stays.
    pub(super) fn stop(&self, reason: StopReason) {
        self.stop.send_if_modified(|current| current.is_none() && current.replace(reason).is_none());
    }

    pub(super) fn progress(&self) -> Option<JobProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
