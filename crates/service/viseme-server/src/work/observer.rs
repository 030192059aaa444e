//! What the library tells a worker.

use std::sync::{Mutex, PoisonError};
use viseme_core::{Observer, Progress, Warning};
use viseme_jobs::{JobHandle, JobProgress};

/// Passes progress on to the job store and the wish to stop to the library; keeps the warnings.
#[derive(Debug)]
pub(super) struct HandleObserver {
    handle: JobHandle,
    warnings: Mutex<Vec<Warning>>,
}

impl HandleObserver {
    pub(super) fn new(handle: &JobHandle) -> Self {
        Self { handle: handle.clone(), warnings: Mutex::default() }
    }

    /// All warnings so far.
    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for HandleObserver {
    fn progress(&self, Progress { stage, done, total }: Progress) {
        self.handle.set_progress(JobProgress { stage: stage.name().to_owned(), done, total });
    }

    fn warn(&self, warning: &Warning) {
        tracing::warn!(code = ?warning.code, "{}", warning.message);
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning.clone());
    }

    fn is_cancelled(&self) -> bool {
        self.handle.stop_reason().is_some()
    }
}
