//! What a worker and the server say to each other, as JSON under [`PATH`].

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;
use viseme_jobs::{Claim, Failure, Job, JobKind, JobProgress, Lease, Pulse};

/// What all addresses for workers begin with.
pub(crate) const PATH: &str = "/v1/workers";

/// What these workers do. Batches and webhooks need the job store and its secrets: the server does them.
pub(crate) const KINDS: [JobKind; 4] = [JobKind::Lipsync, JobKind::Faces, JobKind::Tracking, JobKind::Score];

/// How long the server holds the question for a job back while there is none.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What a worker hears first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The version of the server.
    pub(crate) version: String,
    /// How long a worker may say nothing before its job is taken from it.
    pub(crate) lease_ms: u64,
}

/// Asks for a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimRequest {
    /// The process that asks. No two have the same, whatever their machines are called.
    pub(crate) session: Uuid,
    /// The slot of the process, which does one job at a time.
    pub(crate) worker: String,
    /// What it takes. Empty asks only for a job whose claim was lost on its way.
    pub(crate) kinds: Vec<JobKind>,
}

/// The job, if there is one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claimed {
    pub(crate) claim: Option<Claim>,
}

/// The worker is alive.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) lease: Lease,
    pub(crate) progress: Option<JobProgress>,
}

/// What it is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) pulse: Pulse,
}

/// How a try has ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) lease: Lease,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// The ways in which a try ends, each a call of the job store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "what")]
pub(crate) enum Outcome {
    Completed(Value),
    Failed(Failure),
    Cancelled,
    Released,
}

/// Whether the lease still held, so that the end was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) is_recorded: bool,
}

/// A job as the server knows it now; none when it is gone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Looked {
    pub(crate) job: Option<Job>,
}

/// Which try a file is of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OfAttempt {
    pub(crate) attempt: u64,
}
