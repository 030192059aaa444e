//! Observers that remember, and observers that cancel.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use viseme_core::{Observer, Progress, Warning};

/// Remembers what it is told, and cancels when it has been asked often enough.
#[derive(Debug, Default)]
pub struct TestObserver {
    progress: Mutex<Vec<Progress>>,
    warnings: Mutex<Vec<Warning>>,
    questions: AtomicU64,
    patience: Option<u64>,
}

impl TestObserver {
    /// An observer that lets the first `questions` questions whether to stop pass, and then says yes.
    #[must_use]
    pub fn cancelling_after(questions: u64) -> Self {
        Self { patience: Some(questions), ..Self::default() }
    }

    /// All progress so far.
    #[must_use]
    pub fn progress_so_far(&self) -> Vec<Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All warnings so far.
    #[must_use]
    pub fn warnings_so_far(&self) -> Vec<Warning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was asked whether to stop.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.questions.load(Ordering::Relaxed)
    }
}

impl Observer for TestObserver {
    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
    }

    fn warn(&self, warning: &Warning) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning.clone());
    }

    fn is_cancelled(&self) -> bool {
        let asked = self.questions.fetch_add(1, Ordering::Relaxed);
        self.patience.is_some_and(|patience| asked >= patience)
    }
}
