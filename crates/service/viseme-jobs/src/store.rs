//! The seam between those who have jobs done, those who do them, and the engine that keeps them.

use crate::job::{Failure, Job, JobId, JobKind, JobProgress, JobState, NewJob};
use crate::retry::RetryPolicy;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;
use viseme_core::Result;

/// How a store deals with jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreOptions {
    /// How long a worker may say nothing before its job is taken from it. Far above the time between two heartbeats, and
    /// above the longest restart of the store.
    pub lease: Duration,
    /// When a job is tried again.
    pub retry: RetryPolicy,
    /// How long a result stands for jobs with the same content, and a client's key for the same request.
    pub result_life: Duration,
    /// Most jobs of a kind that run at a time, over all workers; no entry for as many as there are workers.
    pub most_running: BTreeMap<JobKind, u32>,
}

impl Default for StoreOptions {
    /// A lease of a minute, results for a day.
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(1),
            retry: RetryPolicy::default(),
            result_life: Duration::from_hours(24),
            most_running: BTreeMap::new(),
        }
    }
}

/// What came of a new job.
#[derive(Debug, Clone, PartialEq)]
pub struct Enqueued {
    /// The job, or the one that stands for it.
    pub job: Job,
    /// Whether it is new.
    pub is_new: bool,
}

/// The right of a worker to a job. It ends with a missed heartbeat, and with the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token: no other claim of this job has it.
    pub attempt: u64,
}

/// A job that a worker has been given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The job.
    pub job: Job,
    /// What the worker shows with everything that it says of the job.
    pub lease: Lease,
}

/// What a worker hears back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pulse {
    /// Go on.
    GoOn,
    /// Stop: the job was called off. Say [`JobStore::cancelled`] when done.
    Cancel,
    /// Stop: somebody else has the job, or it has ended. Nothing more of it is taken from this worker.
    Lost,
}

/// Which jobs are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Of this owner only.
    pub owner: Option<String>,
    /// In one of these states; in any when empty.
    pub states: Vec<JobState>,
    /// Of one of these kinds; of any when empty.
    pub kinds: Vec<JobKind>,
    /// Not older than this.
    pub created_after: Option<Timestamp>,
    /// Older than this.
    pub created_before: Option<Timestamp>,
}

/// Some jobs of many, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// How many there are in all.
    pub total: u64,
    /// These of them.
    pub jobs: Vec<Job>,
    /// What the next page begins after; none after the last.
    pub next: Option<JobId>,
}

/// Keeps jobs. Everything that it says has happened survives the end of the process.
///
/// All of its answers are [`ErrorKind::Internal`](viseme_core::ErrorKind::Internal) errors where the engine fails,
/// [`DiskFull`](viseme_core::ErrorKind::DiskFull) where there is no room, [`Network`](viseme_core::ErrorKind::Network) where it
/// cannot be reached and [`TimedOut`](viseme_core::ErrorKind::TimedOut) where it is busy; what else can go wrong stands at each
/// call. After one of the last two the call may have done its work all the same: a result that was recorded then is refused
/// when it is said again, and stands.
#[async_trait]
pub trait JobStore: Debug + Send + Sync {
    /// Takes a job in, unless one that is there stands for it.
    ///
    /// # Errors
    /// `InvalidInput` when the owner has used the idempotency key for another request.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued>;

    /// Gives `worker` the next job of one of `kinds`: of those whose time has come and whose kind has room the one of the
    /// highest priority, of these the one that has waited longest.
    ///
    /// # Errors
    /// When the engine fails.
    async fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>>;

    /// Says that the worker is alive and how far it is, and makes the lease last anew.
    ///
    /// # Errors
    /// When the engine fails.
    async fn heartbeat(&self, lease: Lease, progress: Option<JobProgress>) -> Result<Pulse>;

    /// Records the result. `false` when the lease was lost: then nothing is recorded. A job that was called off while its
    /// last frames were made is completed all the same.
    ///
    /// # Errors
    /// When the engine fails.
    async fn complete(&self, lease: Lease, result: Value) -> Result<bool>;

    /// Records that the try has failed. The job waits for its next try when the failure allows one and tries are left.
    /// `false` when the lease was lost.
    ///
    /// # Errors
    /// When the engine fails.
    async fn fail(&self, lease: Lease, failure: Failure) -> Result<bool>;

    /// Records that a worker has stopped, as it was asked to. `false` when the lease was lost, or nobody asked.
    ///
    /// # Errors
    /// When the engine fails.
    async fn cancelled(&self, lease: Lease) -> Result<bool>;

    /// Gives a job back undone, for the next worker: this one is about to end. It does not count as a try. `false` when the
    /// lease was lost.
    ///
    /// # Errors
    /// When the engine fails.
    async fn release(&self, lease: Lease) -> Result<bool>;

    /// Takes the jobs from workers that were not heard of within their lease, which counts as a failed try. Says how many.
    ///
    /// # Errors
    /// When the engine fails.
    async fn reap(&self) -> Result<u64>;

    /// Calls a job off: at once if it waits, by way of its worker if it runs. A job that has ended stays as it is. None when
    /// there is no such job.
    ///
    /// # Errors
    /// When the engine fails.
    async fn cancel(&self, id: JobId) -> Result<Option<Job>>;

    /// Queues a failed or cancelled job anew, with all of its tries. A job in another state stays as it is. None when there
    /// is no such job.
    ///
    /// # Errors
    /// When the engine fails.
    async fn retry(&self, id: JobId) -> Result<Option<Job>>;

    /// A job by its name.
    ///
    /// # Errors
    /// When the engine fails.
    async fn get(&self, id: JobId) -> Result<Option<Job>>;

    /// Jobs, the newest first: at most `most`, from the one after `after` on.
    ///
    /// # Errors
    /// When the engine fails.
    async fn list(&self, filter: &JobFilter, after: Option<JobId>, most: u32) -> Result<JobPage>;

    /// Jobs that came to their end before `older_than`, those that ended first before others, at most `most`.
    ///
    /// # Errors
    /// When the engine fails.
    async fn expired(&self, older_than: Timestamp, most: u32) -> Result<Vec<JobId>>;

    /// Forgets a job that has ended. `false` when there is none, or it has not.
    ///
    /// # Errors
    /// When the engine fails.
    async fn delete(&self, id: JobId) -> Result<bool>;

    /// How many jobs there are of each kind in each state; none that are 0.
    ///
    /// # Errors
    /// When the engine fails.
    async fn counts(&self) -> Result<BTreeMap<(JobKind, JobState), u64>>;
}
