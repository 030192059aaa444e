//! The engine that needs nothing else: one file of `SQLite`.

mod queue;
mod records;
mod rows;
mod schema;

use crate::clock::{Clock, SystemClock};
use crate::job::{Failure, Job, JobId, JobKind, JobProgress, JobState, NewJob};
use crate::policy::Moment;
use crate::store::{Claim, Enqueued, JobFilter, JobPage, JobStore, Lease, Pulse, StoreOptions};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use viseme_core::{Error, ErrorKind, Result};

/// How long a call waits for another process that is writing.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Jobs in a file of `SQLite`, which any number of processes on one machine may share.
#[derive(Debug, Clone)]
pub struct SqliteJobStore {
    connection: Arc<Mutex<Connection>>,
    options: Arc<StoreOptions>,
    clock: Arc<dyn Clock>,
}

/// One change: the transaction that it happens in, and the moment.
struct Change<'a> {
    sql: &'a rusqlite::Transaction<'a>,
    moment: Moment<'a>,
}

impl SqliteJobStore {
    /// Opens the file at `path`, or makes it, readable by its owner alone: jobs may hold signed addresses.
    ///
    /// # Errors
    /// When it cannot be written or is no such file; `Unsupported` for one of a later version of this program.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self> {
        Self::with_clock(path, options, Arc::new(SystemClock))
    }

    /// The same with the time from `clock`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_clock(path: &Path, options: StoreOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        private_file(path)?;
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
        schema::prepare(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), options: Arc::new(options), clock })
    }

    /// Runs `work` in a transaction of its own, where it does not block the caller's thread. What an error leaves behind is
    /// rolled back.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // A panic in another call has rolled its transaction back.
            let mut connection = store.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let sql = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
            let moment = Moment { now: store.clock.now(), options: &store.options };
            let change = Change { sql: &sql, moment };
            let made = work(&change)?;
            sql.commit().map_err(failed)?;
            Ok(made)
        });
        done.await.map_err(|error| Error::internal("the job store panicked").with_source(error))?
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method is not general enough over lifetimes"
)]
#[async_trait]
impl JobStore for SqliteJobStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        self.change(move |change| change.enqueue(&job)).await
    }

    async fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let (worker, kinds) = (worker.to_owned(), kinds.to_vec());
        self.change(move |change| change.claim(&worker, &kinds)).await
    }

    async fn heartbeat(&self, lease: Lease, progress: Option<JobProgress>) -> Result<Pulse> {
        self.change(move |change| change.heartbeat(lease, progress.as_ref())).await
    }

    async fn complete(&self, lease: Lease, result: Value) -> Result<bool> {
        self.change(move |change| change.complete(lease, &result)).await
    }

    async fn fail(&self, lease: Lease, failure: Failure) -> Result<bool> {
        self.change(move |change| change.fail(lease, &failure)).await
    }

    async fn cancelled(&self, lease: Lease) -> Result<bool> {
        self.change(move |change| change.cancelled(lease)).await
    }

    async fn release(&self, lease: Lease) -> Result<bool> {
        self.change(move |change| change.release(lease)).await
    }

    async fn reap(&self) -> Result<u64> {
        self.change(|change| change.reap()).await
    }

    async fn cancel(&self, id: JobId) -> Result<Option<Job>> {
        self.change(move |change| change.cancel(id)).await
    }

    async fn retry(&self, id: JobId) -> Result<Option<Job>> {
        self.change(move |change| change.retry(id)).await
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>> {
        self.change(move |change| change.get(id)).await
    }

    async fn expired(&self, older_than: Timestamp, most: u32) -> Result<Vec<JobId>> {
        self.change(move |change| change.expired(older_than, most)).await
    }

    async fn list(&self, filter: &JobFilter, after: Option<JobId>, most: u32) -> Result<JobPage> {
        let filter = filter.clone();
        self.change(move |change| change.list(&filter, after, most)).await
    }

    async fn delete(&self, id: JobId) -> Result<bool> {
        self.change(move |change| change.delete(id)).await
    }

    async fn counts(&self) -> Result<BTreeMap<(JobKind, JobState), u64>> {
        self.change(|change| change.counts()).await
    }
}

/// Makes sure that the file is there and that nobody else can read it.
fn private_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    opened
        .map(drop)
        .map_err(|source| Error::io(format_args!("open the job store {}", path.display()), source))
}

/// What a failure of `SQLite` means.
fn failed(error: rusqlite::Error) -> Error {
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (ErrorKind::DiskFull, "the disk of the job store is full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::TimedOut, "the job store is busy")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            (ErrorKind::InvalidInput, "the file of the job store is damaged, or is none")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (ErrorKind::OutputNotWritable, "the job store cannot be written")
        }
        _ => (ErrorKind::Internal, "the job store failed"),
    };
    Error::new(kind, format!("{message}: {error}")).with_source(error)
}
