//! What workers do with jobs.

use super::rows::{self, columns};
use super::{Change, failed, locks};
use crate::job::{Failure, Job, JobId, JobKind, JobProgress, NewJob};
use crate::policy::{self, Ending, json, milliseconds};
use crate::store::{Claim, Enqueued, Lease, Pulse};
use serde_json::Value;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use std::collections::BTreeMap;
use viseme_core::Result;

impl Change<'_> {
    pub(super) async fn enqueue(&mut self, job: &NewJob) -> Result<Enqueued> {
        // Requests before contents, always: two that wait for each other would wait for ever.
        if let Some(key) = &job.idempotency_key {
            locks::hold(&mut self.sql, &["request", &job.owner, key]).await?;
            if let Some((known, is_same_content)) = self.same_request(key, job).await? {
                return policy::asked_again(known, is_same_content, job);
            }
        }
        if let Some(key) = &job.content_key {
            locks::hold(&mut self.sql, &["content", &job.owner, key]).await?;
            if let Some(job) = self.same_content(&job.owner, key, job.kind).await? {
                return Ok(Enqueued { job, is_new: false });
            }
        }
        let job = self.insert(job).await?;
        Ok(Enqueued { job, is_new: true })
    }

    async fn insert(&mut self, job: &NewJob) -> Result<Job> {
        let insert = concat!(
            "INSERT INTO viseme.job (id, kind, state, owner, spec, priority, max_tries, time_limit_ms, created_at, run_at,
                idempotency_key, content_key)
             VALUES ($1, $2, 'queued', $3, $4::json, $5, $6, $7, $8, $9, $10, $11) RETURNING ",
            columns!()
        );
        let max_tries = i32::try_from(job.max_tries.max(1)).unwrap_or(i32::MAX);
        let insert = sqlx::query(insert)
            .bind(JobId::random().0)
            .bind(job.kind.name())
            .bind(&job.owner)
            .bind(json(&job.spec)?)
            .bind(job.priority)
            .bind(max_tries)
            .bind(milliseconds(job.time_limit))
            .bind(self.moment.now())
            .bind(self.moment.after(job.delay))
            .bind(&job.idempotency_key)
            .bind(&job.content_key);
        rows::job(&insert.fetch_one(&mut *self.sql).await.map_err(failed)?)
    }

    /// The job that the same request has made before, and whether its content is that of `job`.
    async fn same_request(&mut self, key: &str, job: &NewJob) -> Result<Option<(Job, bool)>> {
        let select = concat!(
            "SELECT ",
            columns!(),
            ", coalesce(content_key = $4, FALSE) AS is_same_content FROM viseme.job
             WHERE owner = $1 AND idempotency_key = $2 AND created_at > $3 ORDER BY id DESC LIMIT 1"
        );
        let select = sqlx::query(select).bind(&job.owner).bind(key).bind(self.moment.life_ago());
        let row = select.bind(&job.content_key).fetch_optional(&mut *self.sql).await.map_err(failed)?;
        row.map(|row| Ok((rows::job(&row)?, rows::get(&row, "is_same_content")?))).transpose()
    }

    /// A job whose result is, or will be, that of the new one.
    async fn same_content(&mut self, owner: &str, key: &str, kind: JobKind) -> Result<Option<Job>> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM viseme.job
             WHERE owner = $1 AND content_key = $2 AND kind = $3 AND NOT cancel_requested
             AND (state IN ('queued', 'running') OR state = 'completed' AND finished_at > $4)
             ORDER BY id DESC LIMIT 1"
        );
        let select = sqlx::query(select).bind(owner).bind(key).bind(kind.name()).bind(self.moment.life_ago());
        self.found(select).await
    }

    pub(super) async fn claim(&mut self, worker: &str, kinds: &[JobKind]) -> Result<Option<Claim>> {
        let Some(open) = self.kinds_with_room(kinds).await? else { return Ok(None) };
        // A row that another is just claiming is passed over, not waited for.
        let update = concat!(
            "UPDATE viseme.job SET state = 'running', attempt = attempt + 1, tries = tries + 1, worker = $1,
                lease_until = $2, started_at = $3, progress = NULL
             WHERE id = (
                SELECT id FROM viseme.job WHERE state = 'queued' AND run_at <= $3 AND kind = ANY($4)
                ORDER BY priority DESC, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING ",
            columns!()
        );
        let update = sqlx::query(update)
            .bind(worker)
            .bind(self.moment.lease_end())
            .bind(self.moment.now())
            .bind(names(&open));
        let claimed = update.fetch_optional(&mut *self.sql).await.map_err(failed)?;
        claimed.as_ref().map(rows::claim).transpose()
    }

    /// Those of the kinds that have room for one more job, which stays theirs until this transaction ends; none when nothing
    /// waits.
    async fn kinds_with_room(&mut self, kinds: &[JobKind]) -> Result<Option<Vec<JobKind>>> {
        let limits: BTreeMap<JobKind, u32> = self
            .moment
            .options
            .most_running
            .clone()
            .into_iter()
            .filter(|(kind, _)| kinds.contains(kind))
            .collect();
        if limits.is_empty() {
            return Ok(Some(kinds.to_vec()));
        }
        // Nobody shall wait for a lock to find nothing.
        let is_waiting = "SELECT EXISTS (SELECT FROM viseme.job WHERE state = 'queued' AND run_at <= $1 AND kind = ANY($2))";
        let is_waiting = sqlx::query_scalar(is_waiting).bind(self.moment.now()).bind(names(kinds));
        if !is_waiting.fetch_one(&mut *self.sql).await.map_err(failed)? {
            return Ok(None);
        }
        // All take them in the order of the kinds.
        for kind in limits.keys() {
            locks::hold(&mut self.sql, &["kind", kind.name()]).await?;
        }
        let count = "SELECT kind, count(*) AS jobs FROM viseme.job WHERE state = 'running' AND kind = ANY($1) GROUP BY kind";
        let count = sqlx::query(count).bind(names(kinds));
        let mut running = BTreeMap::new();
        for row in count.fetch_all(&mut *self.sql).await.map_err(failed)? {
            running.insert(rows::kind(&row)?, rows::get::<i64>(&row, "jobs")?);
        }
        let has_room = |kind: &JobKind| {
            let running = running.get(kind).copied().unwrap_or_default();
            limits.get(kind).is_none_or(|most| running < i64::from(*most))
        };
        Ok(Some(kinds.iter().copied().filter(has_room).collect()))
    }

    pub(super) async fn heartbeat(&mut self, lease: Lease, progress: Option<&JobProgress>) -> Result<Pulse> {
        let update = "UPDATE viseme.job SET lease_until = $3, progress = coalesce($4::json, progress)
             WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING cancel_requested";
        let update = sqlx::query_scalar(update)
            .bind(lease.job.0)
            .bind(lease.attempt as i64)
            .bind(self.moment.lease_end())
            .bind(progress.map(json).transpose()?);
        Ok(match update.fetch_optional(&mut *self.sql).await.map_err(failed)? {
            Some(false) => Pulse::GoOn,
            Some(true) => Pulse::Cancel,
            None => Pulse::Lost,
        })
    }

    pub(super) async fn complete(&mut self, lease: Lease, result: &Value) -> Result<bool> {
        self.end(lease, &self.moment.completed(result)?).await
    }

    pub(super) async fn cancelled(&mut self, lease: Lease) -> Result<bool> {
        let is_asked = self.held(lease).await?.is_some_and(|job| job.cancel_requested);
        Ok(is_asked && self.end(lease, &self.moment.cancelled()).await?)
    }

    pub(super) async fn release(&mut self, lease: Lease) -> Result<bool> {
        let Some(job) = self.held(lease).await? else { return Ok(false) };
        self.end(lease, &self.moment.given_back(&job)).await
    }

    pub(super) async fn fail(&mut self, lease: Lease, failure: &Failure) -> Result<bool> {
        let Some(job) = self.held(lease).await? else { return Ok(false) };
        self.end(lease, &self.moment.failed(&job, failure)?).await
    }

    pub(super) async fn reap(&mut self) -> Result<u64> {
        // A row that another is just reaping is passed over.
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM viseme.job WHERE state = 'running' AND lease_until < $1 FOR UPDATE SKIP LOCKED"
        );
        let select = sqlx::query(select).bind(self.moment.now());
        let expired = select.fetch_all(&mut *self.sql).await.map_err(failed)?;
        for row in &expired {
            let Claim { job, lease } = rows::claim(row)?;
            self.end(lease, &self.moment.failed(&job, &Failure::worker_lost())?).await?;
        }
        Ok(expired.len() as u64)
    }

    /// The job, if the lease still holds; then nobody else changes it until this transaction ends.
    async fn held(&mut self, lease: Lease) -> Result<Option<Job>> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM viseme.job WHERE id = $1 AND attempt = $2 AND state = 'running' FOR UPDATE"
        );
        self.found(sqlx::query(select).bind(lease.job.0).bind(lease.attempt as i64)).await
    }

    /// Ends a try, if the lease still holds.
    async fn end(&mut self, lease: Lease, ending: &Ending) -> Result<bool> {
        let update = "UPDATE viseme.job SET state = $3, finished_at = $4, run_at = coalesce($5, run_at), tries = tries - $6,
                result = $7::json, worker = NULL, lease_until = NULL,
                error = CASE $3 WHEN 'completed' THEN NULL ELSE coalesce($8::json, error) END
             WHERE id = $1 AND attempt = $2 AND state = 'running'";
        let update = sqlx::query(update)
            .bind(lease.job.0)
            .bind(lease.attempt as i64)
            .bind(ending.state.name())
            .bind(ending.finished_at)
            .bind(ending.again_at)
            .bind(i32::from(ending.is_given_back))
            .bind(&ending.result)
            .bind(&ending.error);
        let ended = update.execute(&mut *self.sql).await.map_err(failed)?;
        Ok(ended.rows_affected() == 1)
    }

    /// The one job that a query gives.
    pub(super) async fn found(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<Option<Job>> {
        let row = query.fetch_optional(&mut *self.sql).await.map_err(failed)?;
        row.as_ref().map(rows::job).transpose()
    }
}

/// What the kinds are called in the database.
pub(super) fn names(kinds: &[JobKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.name()).collect()
}
