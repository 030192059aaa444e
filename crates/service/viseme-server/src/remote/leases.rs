//! Which jobs this worker has, so that its files are known to be of its try.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use viseme_jobs::{JobId, Lease};

/// The leases of a worker. A clone is the same list.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<Mutex<BTreeMap<JobId, Lease>>>);

impl Leases {
    /// Notes a new lease. An older one of the same job is lost with that.
    pub(super) fn note(&self, lease: Lease) {
        self.lock().insert(lease.job, lease);
    }

    /// The lease of a job.
    pub(super) fn of(&self, job: JobId) -> Option<Lease> {
        self.lock().get(&job).copied()
    }

    /// Forgets a lease whose try has ended.
    pub(super) fn forget(&self, lease: Lease) {
        let mut leases = self.lock();
        if leases.get(&lease.job) == Some(&lease) {
            leases.remove(&lease.job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
