//! The job store of a server, as far as its workers use it.

use super::connection::{BACK_OFF, Connection, patiently};
use super::leases::Leases;
use super::messages::{ClaimRequest, Claimed, End, Ended, Heard, Heartbeat, LONGEST_WAIT, Looked, Outcome};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::{
    Claim, Enqueued, Failure, Job, JobFilter, JobId, JobKind, JobPage, JobProgress, JobState, JobStore,
    Lease, NewJob, Pulse,
};

/// How long a worker that ends waits to hear of a job that was given to it meanwhile.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The job store behind a server.
///
/// Calls that must not be made twice without need are made once: a [`Worker`](viseme_jobs::Worker) repeats its heartbeats, and
/// says how a try has ended until that is recorded. What cannot be asked for by a worker is `Unsupported`.
#[derive(Debug)]
pub(super) struct HttpJobStore {
    connection: Connection,
    leases: Leases,
    session: Uuid,
    /// Questions for a job that failed one after the other.
    failures: AtomicU32,
    shutdown: CancellationToken,
}

impl HttpJobStore {
    /// The store behind `connection`. Nothing is claimed any more after `shutdown`.
    pub(super) fn new(connection: Connection, leases: Leases, shutdown: CancellationToken) -> Self {
        let (session, failures) = (Uuid::new_v4(), AtomicU32::new(0));
        Self { connection, leases, session, failures, shutdown }
    }

    async fn ask(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let (worker, kinds) = (worker.to_owned(), kinds.to_vec());
        let request = ClaimRequest { session: self.session, worker, kinds };
        let claimed: Claimed = self.connection.post("/claim", &request, LONGEST_WAIT).await?;
        Ok(claimed.claim)
    }

    /// Gives back what was claimed while the question was dropped.
    async fn give_back(&self, worker: &str) {
        if let Ok(Ok(Some(claim))) = timeout(LAST_WORD, self.ask(worker, &[])).await
            && let Err(error) = self.release(claim.lease).await
        {
            tracing::warn!(%error, "cannot give a job back");
        }
    }

    /// Waits the longer the more questions have failed.
    async fn pause(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        tokio::select! {
            () = sleep(BACK_OFF.wait(failures)) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn end(&self, lease: Lease, outcome: Outcome) -> Result<bool> {
        let ended: Ended = self.connection.post("/end", &End { lease, outcome }, Duration::ZERO).await?;
        self.leases.forget(lease);
        Ok(ended.is_recorded)
    }
}

fn unsupported<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "a worker of a server cannot ask for this"))
}

#[async_trait]
impl JobStore for HttpJobStore {
    async fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let asked = tokio::select! {
            asked = self.ask(worker, kinds) => asked,
            () = self.shutdown.cancelled() => {
                self.give_back(worker).await;
                return Ok(None);
            }
        };
        match &asked {
            Ok(claim) => {
                self.failures.store(0, Ordering::Relaxed);
                if let Some(claim) = claim {
                    self.leases.note(claim.lease);
                }
            }
            Err(_) => self.pause().await,
        }
        asked
    }

    async fn heartbeat(&self, lease: Lease, progress: Option<JobProgress>) -> Result<Pulse> {
        let heard: Heard =
            self.connection.post("/heartbeat", &Heartbeat { lease, progress }, Duration::ZERO).await?;
        Ok(heard.pulse)
    }

    async fn complete(&self, lease: Lease, result: Value) -> Result<bool> {
        self.end(lease, Outcome::Completed(result)).await
    }

    async fn fail(&self, lease: Lease, failure: Failure) -> Result<bool> {
        self.end(lease, Outcome::Failed(failure)).await
    }

    async fn cancelled(&self, lease: Lease) -> Result<bool> {
        self.end(lease, Outcome::Cancelled).await
    }

    async fn release(&self, lease: Lease) -> Result<bool> {
        self.end(lease, Outcome::Released).await
    }

    /// The server does it.
    async fn reap(&self) -> Result<u64> {
        Ok(0)
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>> {
        let path = format!("/jobs/{id}");
        let looked: Looked = patiently(|| self.connection.get(&path)).await?;
        Ok(looked.job)
    }

    async fn enqueue(&self, _: NewJob) -> Result<Enqueued> {
        unsupported()
    }

    async fn cancel(&self, _: JobId) -> Result<Option<Job>> {
        unsupported()
    }

    async fn retry(&self, _: JobId) -> Result<Option<Job>> {
        unsupported()
    }

    async fn list(&self, _: &JobFilter, _: Option<JobId>, _: u32) -> Result<JobPage> {
        unsupported()
    }

    async fn expired(&self, _: Timestamp, _: u32) -> Result<Vec<JobId>> {
        unsupported()
    }

    async fn delete(&self, _: JobId) -> Result<bool> {
        unsupported()
    }

    async fn counts(&self) -> Result<BTreeMap<(JobKind, JobState), u64>> {
        unsupported()
    }
}
