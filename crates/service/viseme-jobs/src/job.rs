//! What a job is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;
use viseme_core::{Error, ErrorKind, Result};

/// Times that a job is begun, unless it says otherwise.
const MAX_TRIES: u32 = 3;
/// How long a try may take, unless the job says otherwise: ten minutes.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// The name of a job: a UUID of version 7, so that names sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub(crate) Uuid);

impl JobId {
    /// A name that no job has.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = Error;

    /// Reads a UUID of any version.
    ///
    /// # Errors
    /// `NotFound`: there is no such job.
    fn from_str(text: &str) -> Result<Self> {
        Uuid::parse_str(text).map(Self).map_err(|source| {
            Error::new(ErrorKind::NotFound, "there is no such job: its id is not a UUID").with_source(source)
        })
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Moves lips.
    Lipsync,
    /// Finds faces.
    Faces,
    /// Draws the faces that it follows.
    Tracking,
    /// Measures a video.
    Score,
    /// Moves lips in many videos.
    Batch,
    /// Tells somebody how another job has ended.
    Webhook,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Lipsync, Self::Faces, Self::Tracking, Self::Score, Self::Batch, Self::Webhook];

    /// The name in JSON and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lipsync => "lipsync",
            Self::Faces => "faces",
            Self::Tracking => "tracking",
            Self::Score => "score",
            Self::Batch => "batch",
            Self::Webhook => "webhook",
        }
    }

    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker, or for its time to come.
    Queued,
    /// A worker has it.
    Running,
    /// Has a result.
    Completed,
    /// Has an error, and will not be tried again.
    Failed,
    /// Was called off.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name in JSON and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more will happen to the job by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A job that is not in the store yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// What it is to do, in terms of its kind.
    pub spec: Value,
    /// Whose it is: the name of the token it came with.
    pub owner: String,
    /// Higher ones are claimed first.
    pub priority: i32,
    /// How long it waits before it may be claimed.
    pub delay: Duration,
    /// Most times that it is begun, 1 and more.
    pub max_tries: u32,
    /// How long a try may take.
    pub time_limit: Duration,
    /// The client's own name for the request: the same name of the same owner gives the same job.
    pub idempotency_key: Option<String>,
    /// A hash of all that decides the result. A job with the same one that waits, runs or has ended well not long ago
    /// stands for this one.
    pub content_key: Option<String>,
}

impl NewJob {
    /// A job with defaults for all that is not named: three tries of ten minutes at most.
    #[must_use]
    pub fn new(kind: JobKind, spec: Value) -> Self {
        Self {
            kind,
            spec,
            owner: String::new(),
            priority: 0,
            delay: Duration::ZERO,
            max_tries: MAX_TRIES,
            time_limit: TIME_LIMIT,
            idempotency_key: None,
            content_key: None,
        }
    }
}

/// A job as the store knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// Whose it is.
    pub owner: String,
    /// What it is to do.
    pub spec: Value,
    /// Higher ones are claimed first.
    pub priority: i32,
    /// How often it was begun.
    pub tries: u32,
    /// Most times that it is begun.
    pub max_tries: u32,
    /// How long a try may take, in milliseconds.
    pub time_limit_ms: u64,
    /// When it came.
    pub created_at: Timestamp,
    /// When it may be claimed next.
    pub run_at: Timestamp,
    /// When the last try was begun.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// How far the present try is.
    pub progress: Option<JobProgress>,
    /// Whether the worker that has it was asked to stop.
    pub cancel_requested: bool,
    /// What it made.
    pub result: Option<Value>,
    /// Why the last try failed.
    pub error: Option<Failure>,
}

/// How far a try is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The stage, by its name in reports.
    pub stage: String,
    /// Steps done in it.
    pub done: u64,
    /// All of its steps, when known.
    pub total: Option<u64>,
}

/// Why a try failed, in words that may leave the machine: no paths, no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of the error, or `worker_lost` and `timed_out` where the worker itself says nothing more.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same job may succeed when it is tried again.
    pub is_retryable: bool,
}

impl Failure {
    /// The failure that `error` is, in `message`'s words.
    #[must_use]
    pub fn new(error: &Error, message: impl Into<String>) -> Self {
        Self {
            code: error.kind().name().to_owned(),
            message: message.into(),
            hint: error.hint().map(str::to_owned),
            is_retryable: error.kind().is_retryable(),
        }
    }

    /// The failure of a try whose worker was not heard of any more.
    pub(crate) fn worker_lost() -> Self {
        Self {
            code: "worker_lost".to_owned(),
            message: "the worker was not heard of any more".to_owned(),
            hint: Some("It may have been killed for want of memory; its log says more.".to_owned()),
            is_retryable: true,
        }
    }
}
