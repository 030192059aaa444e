//! The engine for several machines: a database of `PostgreSQL`.
//!
//! Every call is one transaction on a connection of the [`pool`]. What must not happen twice at a time is kept apart by
//! [`locks`]: requests with the same key, claims of a kind with a limit, the making of the tables.

mod errors;
mod locks;
mod pool;
mod queue;
mod records;
mod rows;
mod schema;

use crate::clock::Clock;
use crate::job::{Failure, Job, JobId, JobKind, JobProgress, JobState, NewJob};
use crate::policy::Moment;
use crate::store::{Claim, Enqueued, JobFilter, JobPage, JobStore, Lease, Pulse, StoreOptions};
use async_trait::async_trait;
use errors::failed;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Connection, PgPool, Postgres, Transaction};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use viseme_core::{Error, ErrorKind, Result};

/// How long a call may take in all. A server that went silent without a word would hold it up for a quarter of an hour.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Jobs in a database of `PostgreSQL`, 12 or newer, which any number of machines may share. Their clocks must agree to
/// within a small part of a lease, and their [`StoreOptions`] must be the same.
#[derive(Clone)]
pub struct PostgresJobStore {
    pool: PgPool,
    options: Arc<StoreOptions>,
    clock: Arc<dyn Clock>,
}

/// One change: the transaction that it happens in, and the moment.
struct Change<'a> {
    sql: Transaction<'a, Postgres>,
    moment: Moment<'a>,
}

impl PostgresJobStore {
    /// Connects to the database of `url`, `postgres://user:password@host/database`, and makes the tables there, in a schema
    /// `viseme` of their own. The address is kept secret: no error and no `Debug` shows it.
    ///
    /// # Errors
    /// `InvalidInput` for an address, a user or a database that are none; `Network` when nobody answers; `Unsupported` for
    /// tables of a later version of this program.
    pub async fn connect(url: &str, options: StoreOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let store = Self { pool: pool::pool(url)?, options: Arc::new(options), clock };
        store.change(async |change| schema::prepare(&mut change.sql).await).await?;
        Ok(store)
    }

    /// Runs `work` in a transaction of its own, for so long at most. What an error leaves behind is rolled back.
    async fn change<T>(&self, work: impl AsyncFnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let done = async {
            // The level by name, whatever the database's own: a statement sees what came before it, not before the first.
            let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
            let sql = connection.begin_with(begin).await.map_err(failed)?;
            let moment = Moment { now: self.clock.now(), options: &self.options };
            let mut change = Change { sql, moment };
            let made = work(&mut change).await?;
            change.sql.commit().await.map_err(failed)?;
            Ok(made)
        };
        let done = tokio::time::timeout(CALL_LIMIT, done).await;
        done.unwrap_or_else(|_| {
            // Given back, it would wait for its answer for ever.
            connection.close_on_drop();
            Err(Error::new(ErrorKind::TimedOut, "the job store did not answer in time"))
        })
    }
}

impl fmt::Debug for PostgresJobStore {
    /// Without the pool: it holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresJobStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl JobStore for PostgresJobStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued> {
        self.change(async |change| change.enqueue(&job).await).await
    }

    async fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        self.change(async |change| change.claim(worker, kinds).await).await
    }

    async fn heartbeat(&self, lease: Lease, progress: Option<JobProgress>) -> Result<Pulse> {
        self.change(async |change| change.heartbeat(lease, progress.as_ref()).await).await
    }

    async fn complete(&self, lease: Lease, result: Value) -> Result<bool> {
        self.change(async |change| change.complete(lease, &result).await).await
    }

    async fn fail(&self, lease: Lease, failure: Failure) -> Result<bool> {
        self.change(async |change| change.fail(lease, &failure).await).await
    }

    async fn cancelled(&self, lease: Lease) -> Result<bool> {
        self.change(async |change| change.cancelled(lease).await).await
    }

    async fn release(&self, lease: Lease) -> Result<bool> {
        self.change(async |change| change.release(lease).await).await
    }

    async fn reap(&self) -> Result<u64> {
        self.change(async |change| change.reap().await).await
    }

    async fn cancel(&self, id: JobId) -> Result<Option<Job>> {
        self.change(async |change| change.cancel(id).await).await
    }

    async fn retry(&self, id: JobId) -> Result<Option<Job>> {
        self.change(async |change| change.retry(id).await).await
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>> {
        self.change(async |change| change.get(id).await).await
    }

    async fn expired(&self, older_than: Timestamp, most: u32) -> Result<Vec<JobId>> {
        self.change(async |change| change.expired(older_than, most).await).await
    }

    async fn list(&self, filter: &JobFilter, after: Option<JobId>, most: u32) -> Result<JobPage> {
        self.change(async |change| change.list(filter, after, most).await).await
    }

    async fn delete(&self, id: JobId) -> Result<bool> {
        self.change(async |change| change.delete(id).await).await
    }

    async fn counts(&self) -> Result<BTreeMap<(JobKind, JobState), u64>> {
        self.change(async |change| change.counts().await).await
    }
}
