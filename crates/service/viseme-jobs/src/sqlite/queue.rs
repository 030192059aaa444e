//! What workers do with jobs.

use super::rows::{self, COLUMNS};
use super::{Change, failed};
use crate::job::{Failure, Job, JobId, JobKind, JobProgress, JobState, NewJob};
use crate::store::{Claim, Enqueued, Lease, Pulse};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, ToSql, named_params, params};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use viseme_core::{Error, Result};

/// How a try ends.
struct Ending {
    state: JobState,
    /// When the job may be claimed again.
    again_at: Option<i64>,
    /// Whether it does not count as a try.
    is_given_back: bool,
    result: Option<String>,
    error: Option<String>,
}

impl Ending {
    fn of(state: JobState) -> Self {
        Self { state, again_at: None, is_given_back: false, result: None, error: None }
    }
}

impl Change<'_> {
    pub(super) fn enqueue(&self, job: &NewJob) -> Result<Enqueued> {
        if let Some(job) = self.same_request(job)? {
            return Ok(Enqueued { job, is_new: false });
        }
        if let Some(job) = self.same_content(job)? {
            return Ok(Enqueued { job, is_new: false });
        }
        let sql = format!(
            "INSERT INTO job (id, kind, state, owner, spec, priority, max_tries, time_limit_ms, created_at, run_at,
                idempotency_key, content_key)
             VALUES (:id, :kind, 'queued', :owner, :spec, :priority, :max_tries, :time_limit_ms, :now, :run_at,
                :idempotency_key, :content_key) RETURNING {COLUMNS}"
        );
        let values = named_params! {
            ":id": JobId::random().to_string(), ":kind": job.kind.name(), ":owner": job.owner, ":spec": text(&job.spec)?,
            ":priority": job.priority, ":max_tries": job.max_tries.max(1),
            ":time_limit_ms": milliseconds(job.time_limit), ":now": self.now(), ":run_at": self.at(job.delay),
            ":idempotency_key": job.idempotency_key, ":content_key": job.content_key,
        };
        let job = self.sql.query_row(&sql, values, rows::job).map_err(failed)?;
        Ok(Enqueued { job, is_new: true })
    }

    /// The job that the same request has made before.
    fn same_request(&self, job: &NewJob) -> Result<Option<Job>> {
        let Some(key) = &job.idempotency_key else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE owner = ?1 AND idempotency_key = ?2 AND created_at > ?3
             ORDER BY id DESC LIMIT 1"
        );
        let found = self.found(&sql, params![job.owner, key, self.life_ago()])?;
        match found {
            Some(known) if known.kind != job.kind || known.spec != job.spec => Err(Error::invalid_input(
                "the idempotency key was used for another request",
            )
            .with_hint("Each request has a key of its own; the same key only repeats the same request.")),
            found => Ok(found),
        }
    }

    /// A job whose result is, or will be, that of the new one.
    fn same_content(&self, job: &NewJob) -> Result<Option<Job>> {
        let Some(key) = &job.content_key else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE owner = ?1 AND content_key = ?2 AND kind = ?3 AND cancel_requested = 0
             AND (state IN ('queued', 'running') OR state = 'completed' AND finished_at > ?4)
             ORDER BY id DESC LIMIT 1"
        );
        self.found(&sql, params![job.owner, key, job.kind.name(), self.life_ago()])
    }

    pub(super) fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let limits: BTreeMap<&str, u32> =
            self.options.most_running.iter().map(|(kind, most)| (kind.name(), *most)).collect();
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let sql = format!(
            "UPDATE job SET state = 'running', attempt = attempt + 1, tries = tries + 1, worker = :worker,
                lease_until = :lease_until, started_at = :now, progress = NULL
             WHERE id = (
                SELECT id FROM job AS waiting
                WHERE state = 'queued' AND run_at <= :now AND kind IN (SELECT value FROM json_each(:kinds))
                AND coalesce(
                    (SELECT count(*) FROM job WHERE state = 'running' AND kind = waiting.kind)
                    < (SELECT value FROM json_each(:limits) WHERE key = waiting.kind), TRUE)
                ORDER BY priority DESC, run_at, id LIMIT 1)
             RETURNING {COLUMNS}"
        );
        let values = named_params! {
            ":worker": worker, ":lease_until": self.at(self.options.lease), ":now": self.now(),
            ":kinds": text(&kinds)?, ":limits": text(&limits)?,
        };
        let claimed = self.sql.query_row(&sql, values, |row| Ok((rows::job(row)?, rows::attempt(row)?)));
        let claim = |(job, attempt): (Job, u64)| {
            let lease = Lease { job: job.id, attempt };
            Claim { job, lease }
        };
        Ok(claimed.optional().map_err(failed)?.map(claim))
    }

    pub(super) fn heartbeat(&self, lease: Lease, progress: Option<&JobProgress>) -> Result<Pulse> {
        let progress = progress.map(text).transpose()?;
        let heard = self.sql.query_row(
            "UPDATE job SET lease_until = ?1, progress = coalesce(?2, progress)
             WHERE id = ?3 AND attempt = ?4 AND state = 'running' RETURNING cancel_requested",
            params![self.at(self.options.lease), progress, lease.job.to_string(), lease.attempt],
            |row| row.get::<_, bool>(0),
        );
        Ok(match heard.optional().map_err(failed)? {
            Some(false) => Pulse::GoOn,
            Some(true) => Pulse::Cancel,
            None => Pulse::Lost,
        })
    }

    pub(super) fn complete(&self, lease: Lease, result: &Value) -> Result<bool> {
        self.end(lease, &Ending { result: Some(text(result)?), ..Ending::of(JobState::Completed) })
    }

    pub(super) fn cancelled(&self, lease: Lease) -> Result<bool> {
        let is_asked = self.held(lease)?.is_some_and(|job| job.cancel_requested);
        Ok(is_asked && self.end(lease, &Ending::of(JobState::Cancelled))?)
    }

    pub(super) fn release(&self, lease: Lease) -> Result<bool> {
        let Some(job) = self.held(lease)? else { return Ok(false) };
        if job.cancel_requested {
            return self.end(lease, &Ending::of(JobState::Cancelled));
        }
        let again =
            Ending { again_at: Some(self.now()), is_given_back: true, ..Ending::of(JobState::Queued) };
        self.end(lease, &again)
    }

    pub(super) fn fail(&self, lease: Lease, failure: &Failure) -> Result<bool> {
        let Some(job) = self.held(lease)? else { return Ok(false) };
        let error = Some(text(failure)?);
        let ending = if job.cancel_requested {
            Ending::of(JobState::Cancelled)
        } else if failure.is_retryable && job.tries < job.max_tries {
            let again_at = Some(self.at(self.options.retry.wait(job.tries)));
            Ending { again_at, ..Ending::of(JobState::Queued) }
        } else {
            Ending::of(JobState::Failed)
        };
        self.end(lease, &Ending { error, ..ending })
    }

    pub(super) fn reap(&self) -> Result<u64> {
        let mut expired = self
            .sql
            .prepare(&format!("SELECT {COLUMNS} FROM job WHERE state = 'running' AND lease_until < ?1"))
            .map_err(failed)?;
        let leases = expired
            .query_map([self.now()], |row| {
                Ok(Lease { job: rows::job(row)?.id, attempt: rows::attempt(row)? })
            })
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        for lease in &leases {
            self.fail(*lease, &Failure::worker_lost())?;
        }
        Ok(leases.len() as u64)
    }

    /// The job, if the lease still holds.
    fn held(&self, lease: Lease) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id = ?1 AND attempt = ?2 AND state = 'running'");
        self.found(&sql, params![lease.job.to_string(), lease.attempt])
    }

    /// Ends a try, if the lease still holds.
    fn end(&self, lease: Lease, ending: &Ending) -> Result<bool> {
        let ended_at = ending.state.is_final().then(|| self.now());
        let values = named_params! {
            ":id": lease.job.to_string(), ":attempt": lease.attempt, ":state": ending.state.name(),
            ":finished_at": ended_at, ":run_at": ending.again_at, ":given_back": ending.is_given_back,
            ":result": ending.result, ":error": ending.error,
        };
        let sql =
            "UPDATE job SET state = :state, finished_at = :finished_at, run_at = coalesce(:run_at, run_at),
                tries = tries - :given_back, result = :result, worker = NULL, lease_until = NULL,
                error = CASE :state WHEN 'completed' THEN NULL ELSE coalesce(:error, error) END
             WHERE id = :id AND attempt = :attempt AND state = 'running'";
        self.sql.execute(sql, values).map(|rows| rows == 1).map_err(failed)
    }

    /// The one job that a query gives.
    pub(super) fn found(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Option<Job>> {
        self.sql.query_row(sql, values, rows::job).optional().map_err(failed)
    }

    pub(super) fn now(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The moment so much later.
    fn at(&self, later: Duration) -> i64 {
        self.now().saturating_add(milliseconds(later))
    }

    /// The moment from which on results and requests are remembered.
    fn life_ago(&self) -> i64 {
        self.now().saturating_sub(milliseconds(self.options.result_life))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    // The calendar of `jiff` ends before an i64 of milliseconds does.
    let most = Timestamp::MAX.as_millisecond() / 2;
    i64::try_from(duration.as_millis()).unwrap_or(most).min(most)
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::internal("a job cannot be written as JSON").with_source(error))
}
