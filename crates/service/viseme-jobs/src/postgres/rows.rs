//! A row becomes a job.

use super::errors::failed;
use crate::job::{Job, JobId, JobKind, JobState};
use crate::store::{Claim, Lease};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Row, Type};
use viseme_core::{Error, Result};

/// The columns of [`job`] and [`claim`], for `SELECT` and `RETURNING`. By name, so that a column that a later version adds
/// does not change the answer to a statement that was prepared before.
macro_rules! columns {
    () => {
        "id, kind, state, owner, spec, priority, tries, max_tries, time_limit_ms, created_at, run_at, started_at, \
         finished_at, progress, cancel_requested, result, error, attempt"
    };
}
pub(super) use columns;

/// Reads the columns.
pub(super) fn job(row: &PgRow) -> Result<Job> {
    Ok(Job {
        id: JobId(get(row, "id")?),
        kind: kind(row)?,
        state: state(row)?,
        owner: get(row, "owner")?,
        spec: json(row, "spec")?.unwrap_or_default(),
        priority: get(row, "priority")?,
        tries: number(row, "tries")?,
        max_tries: number(row, "max_tries")?,
        time_limit_ms: get::<i64>(row, "time_limit_ms")?.unsigned_abs(),
        created_at: time(row, "created_at")?.unwrap_or_default(),
        run_at: time(row, "run_at")?.unwrap_or_default(),
        started_at: time(row, "started_at")?,
        finished_at: time(row, "finished_at")?,
        progress: json(row, "progress")?,
        cancel_requested: get(row, "cancel_requested")?,
        result: json(row, "result")?,
        error: json(row, "error")?,
    })
}

/// Reads the columns of a job that was just claimed, or is held.
pub(super) fn claim(row: &PgRow) -> Result<Claim> {
    let job = job(row)?;
    let lease = Lease { job: job.id, attempt: get::<i64>(row, "attempt")?.unsigned_abs() };
    Ok(Claim { job, lease })
}

/// Reads the column `kind`.
pub(super) fn kind(row: &PgRow) -> Result<JobKind> {
    JobKind::named(get(row, "kind")?).ok_or_else(|| foreign("kind"))
}

/// Reads the column `state`.
pub(super) fn state(row: &PgRow) -> Result<JobState> {
    JobState::named(get(row, "state")?).ok_or_else(|| foreign("state"))
}

/// Reads a column.
pub(super) fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(row: &'r PgRow, column: &str) -> Result<T> {
    row.try_get(column).map_err(failed)
}

fn number(row: &PgRow, column: &str) -> Result<u32> {
    get::<i32>(row, column).map(i32::unsigned_abs)
}

fn json<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<Option<T>> {
    Ok(get::<Option<Json<T>>>(row, column)?.map(|value| value.0))
}

fn time(row: &PgRow, column: &str) -> Result<Option<Timestamp>> {
    let read = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|_| foreign(column));
    get::<Option<i64>>(row, column)?.map(read).transpose()
}

/// The error of a row that this version has not written.
fn foreign(column: &str) -> Error {
    Error::internal(format!(
        "the job store failed: its column {column} holds what this version does not know"
    ))
}
