//! A row becomes a job.

use crate::job::{Job, JobId, JobKind, JobState};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// The columns of [`job`], for `SELECT` and `RETURNING`.
pub(super) const COLUMNS: &str = "id, kind, state, owner, spec, priority, tries, max_tries, time_limit_ms, \
    created_at, run_at, started_at, finished_at, progress, cancel_requested, result, error, attempt";

/// Reads [`COLUMNS`].
pub(super) fn job(row: &Row<'_>) -> Result<Job, Error> {
    Ok(Job {
        id: id(row)?,
        kind: parsed(row, 1, JobKind::named)?,
        state: parsed(row, 2, JobState::named)?,
        owner: row.get(3)?,
        spec: json(row, 4)?.unwrap_or_default(),
        priority: row.get(5)?,
        tries: row.get(6)?,
        max_tries: row.get(7)?,
        time_limit_ms: row.get(8)?,
        created_at: time(row, 9)?.unwrap_or_default(),
        run_at: time(row, 10)?.unwrap_or_default(),
        started_at: time(row, 11)?,
        finished_at: time(row, 12)?,
        progress: json(row, 13)?,
        cancel_requested: row.get(14)?,
        result: json(row, 15)?,
        error: json(row, 16)?,
    })
}

/// Reads the first column of [`COLUMNS`].
pub(super) fn id(row: &Row<'_>) -> Result<JobId, Error> {
    parsed(row, 0, |text| JobId::from_str(text).ok())
}

/// The attempt that stands behind [`COLUMNS`].
pub(super) fn attempt(row: &Row<'_>) -> Result<u64, Error> {
    row.get(17)
}

fn parsed<T>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| Error::InvalidColumnType(column, text, Type::Text))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>, Error> {
    let text: Option<String> = row.get(column)?;
    let read = |text: String| {
        serde_json::from_str(&text)
            .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
    };
    text.map(read).transpose()
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Error> {
    let milliseconds: Option<i64> = row.get(column)?;
    let read = |milliseconds| {
        Timestamp::from_millisecond(milliseconds)
            .map_err(|error| Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
    };
    milliseconds.map(read).transpose()
}
