//! Jobs that were given to workers over HTTP of which nothing was heard since: the answer may have been lost on its way.

use crate::remote::messages::ClaimRequest;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use viseme_jobs::{Claim, Lease};

/// A process, and its slot.
type Slot = (Uuid, String);

/// Claims of which nothing was heard since.
#[derive(Debug, Default)]
pub(crate) struct UnseenClaims(Mutex<BTreeMap<Slot, Claim>>);

impl UnseenClaims {
    /// Notes what is about to be sent to a worker. What was sent longer than a `lease` ago, and never arrived, is somebody
    /// else's by now.
    pub(crate) fn note(&self, request: &ClaimRequest, claim: &Claim, lease: Duration) {
        let mut claims = self.lock();
        let oldest = Timestamp::now().checked_sub(lease).unwrap_or(Timestamp::MIN);
        claims.retain(|_, claim| claim.job.started_at.is_some_and(|at| at >= oldest));
        claims.insert((request.session, request.worker.clone()), claim.clone());
    }

    /// What was sent to the one that asks again.
    pub(crate) fn of(&self, request: &ClaimRequest) -> Option<Claim> {
        self.lock().get(&(request.session, request.worker.clone())).cloned()
    }

    /// Forgets a claim that has arrived, or is lost.
    pub(crate) fn forget(&self, lease: Lease) {
        self.lock().retain(|_, claim| claim.lease != lease);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Slot, Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
