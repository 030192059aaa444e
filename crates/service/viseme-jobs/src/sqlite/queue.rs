//! What workers do with jobs.

use super::rows::{self, COLUMNS};
use super::{Change, failed};
use crate::job::{Failure, Job, JobId, JobKind, JobProgress, NewJob};
use crate::policy::{self, Ending, json, milliseconds};
use crate::store::{Claim, Enqueued, Lease, Pulse};
use rusqlite::{OptionalExtension, Row, ToSql, named_params, params};
use serde_json::Value;
use std::collections::BTreeMap;
use viseme_core::Result;

impl Change<'_> {
    pub(super) fn enqueue(&self, job: &NewJob) -> Result<Enqueued> {
        if let Some(known) = self.same_request(job)? {
            return Ok(known);
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
            ":id": JobId::random().to_string(), ":kind": job.kind.name(), ":owner": job.owner, ":spec": json(&job.spec)?,
            ":priority": job.priority, ":max_tries": job.max_tries.max(1),
            ":time_limit_ms": milliseconds(job.time_limit), ":now": self.moment.now(), ":run_at": self.moment.after(job.delay),
            ":idempotency_key": job.idempotency_key, ":content_key": job.content_key,
        };
        let job = self.sql.query_row(&sql, values, rows::job).map_err(failed)?;
        Ok(Enqueued { job, is_new: true })
    }

    /// The job that the same request has made before.
    fn same_request(&self, job: &NewJob) -> Result<Option<Enqueued>> {
        let Some(key) = &job.idempotency_key else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS}, coalesce(content_key = ?4, FALSE) AS is_same_content FROM job
             WHERE owner = ?1 AND idempotency_key = ?2 AND created_at > ?3 ORDER BY id DESC LIMIT 1"
        );
        let values = params![job.owner, key, self.moment.life_ago(), job.content_key];
        let read = |row: &Row<'_>| Ok((rows::job(row)?, row.get("is_same_content")?));
        let found = self.sql.query_row(&sql, values, read).optional().map_err(failed)?;
        found.map(|(known, is_same)| policy::asked_again(known, is_same, job)).transpose()
    }

    /// A job whose result is, or will be, that of the new one.
    fn same_content(&self, job: &NewJob) -> Result<Option<Job>> {
        let Some(key) = &job.content_key else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE owner = ?1 AND content_key = ?2 AND kind = ?3 AND cancel_requested = 0
             AND (state IN ('queued', 'running') OR state = 'completed' AND finished_at > ?4)
             ORDER BY id DESC LIMIT 1"
        );
        self.found(&sql, params![job.owner, key, job.kind.name(), self.moment.life_ago()])
    }

    pub(super) fn claim(&self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let limits: BTreeMap<&str, u32> =
            self.moment.options.most_running.iter().map(|(kind, most)| (kind.name(), *most)).collect();
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
            ":worker": worker, ":lease_until": self.moment.lease_end(), ":now": self.moment.now(),
            ":kinds": json(&kinds)?, ":limits": json(&limits)?,
        };
        let claimed = self.sql.query_row(&sql, values, |row| Ok((rows::job(row)?, rows::attempt(row)?)));
        let claim = |(job, attempt): (Job, u64)| {
            let lease = Lease { job: job.id, attempt };
            Claim { job, lease }
        };
        Ok(claimed.optional().map_err(failed)?.map(claim))
    }

    pub(super) fn heartbeat(&self, lease: Lease, progress: Option<&JobProgress>) -> Result<Pulse> {
        let progress = progress.map(json).transpose()?;
        let heard = self.sql.query_row(
            "UPDATE job SET lease_until = ?1, progress = coalesce(?2, progress)
             WHERE id = ?3 AND attempt = ?4 AND state = 'running' RETURNING cancel_requested",
            params![self.moment.lease_end(), progress, lease.job.to_string(), lease.attempt],
            |row| row.get::<_, bool>(0),
        );
        Ok(match heard.optional().map_err(failed)? {
            Some(false) => Pulse::GoOn,
            Some(true) => Pulse::Cancel,
            None => Pulse::Lost,
        })
    }

    pub(super) fn complete(&self, lease: Lease, result: &Value) -> Result<bool> {
        self.end(lease, &self.moment.completed(result)?)
    }

    pub(super) fn cancelled(&self, lease: Lease) -> Result<bool> {
        let is_asked = self.held(lease)?.is_some_and(|job| job.cancel_requested);
        Ok(is_asked && self.end(lease, &self.moment.cancelled())?)
    }

    pub(super) fn release(&self, lease: Lease) -> Result<bool> {
        let Some(job) = self.held(lease)? else { return Ok(false) };
        self.end(lease, &self.moment.given_back(&job))
    }

    pub(super) fn fail(&self, lease: Lease, failure: &Failure) -> Result<bool> {
        let Some(job) = self.held(lease)? else { return Ok(false) };
        self.end(lease, &self.moment.failed(&job, failure)?)
    }

    pub(super) fn reap(&self) -> Result<u64> {
        let mut expired = self
            .sql
            .prepare(&format!("SELECT {COLUMNS} FROM job WHERE state = 'running' AND lease_until < ?1"))
            .map_err(failed)?;
        let leases = expired
            .query_map([self.moment.now()], |row| {
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
        let values = named_params! {
            ":id": lease.job.to_string(), ":attempt": lease.attempt, ":state": ending.state.name(),
            ":finished_at": ending.finished_at, ":run_at": ending.again_at, ":given_back": ending.is_given_back,
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
}
