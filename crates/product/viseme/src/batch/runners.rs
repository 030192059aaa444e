//! One runner for all jobs that want the same: its models are loaded once, and go when its last job is done.

use super::report::Failure;
use crate::runner::Runner;
use crate::spec::JobSpec;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use viseme_core::Result;

/// A runner, or why there is none. Who comes while it is being made waits for it.
type Made = Arc<OnceLock<Result<Runner, Failure>>>;

/// The runners of a batch, by what their jobs want.
#[derive(Debug)]
pub(super) struct Runners(Mutex<BTreeMap<String, Shared>>);

#[derive(Debug, Default)]
struct Shared {
    made: Made,
    /// Jobs that are not done.
    waiting: usize,
}

impl Runners {
    /// For `jobs`. Nothing is loaded yet.
    pub(super) fn new(jobs: &[JobSpec]) -> Self {
        let mut runners: BTreeMap<String, Shared> = BTreeMap::new();
        for job in jobs {
            runners.entry(Runner::settings(job)).or_default().waiting += 1;
        }
        Self(Mutex::new(runners))
    }

    /// Does `work` with the runner of `job`.
    ///
    /// # Errors
    /// When there can be no such runner, or those of `work`.
    pub(super) fn with<T>(&self, job: &JobSpec, work: impl FnOnce(&Runner) -> Result<T>) -> Result<T> {
        let made = {
            let mut runners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&runners.entry(Runner::settings(job)).or_default().made)
        };
        match made.get_or_init(|| Runner::for_spec(job).map_err(|error| Failure::of(&error))) {
            Ok(runner) => work(runner),
            Err(failure) => Err(failure.error()),
        }
    }

    /// Notes that `job` needs its runner no more.
    pub(super) fn done(&self, job: &JobSpec) {
        let mut runners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = Runner::settings(job);
        if let Some(shared) = runners.get_mut(&settings) {
            shared.waiting = shared.waiting.saturating_sub(1);
            if shared.waiting == 0 {
                runners.remove(&settings);
            }
        }
    }
}
