//! What people do with jobs.

use super::queue::names;
use super::rows::{self, columns};
use super::{Change, failed};
use crate::job::{Job, JobId, JobKind, JobState};
use crate::store::{JobFilter, JobPage};
use jiff::Timestamp;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use std::collections::BTreeMap;
use viseme_core::Result;

/// The condition of a filter, whose values are the first five.
macro_rules! wanted {
    () => {
        "($1 IS NULL OR owner = $1) AND (cardinality($2) = 0 OR state = ANY($2))
         AND (cardinality($3) = 0 OR kind = ANY($3))
         AND ($4 IS NULL OR created_at >= $4) AND ($5 IS NULL OR created_at < $5)"
    };
}

type PgQuery<'q> = Query<'q, Postgres, PgArguments>;

/// Binds those values.
fn wanted_by<'q>(query: PgQuery<'q>, filter: &'q JobFilter) -> PgQuery<'q> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.name()).collect();
    query
        .bind(&filter.owner)
        .bind(states)
        .bind(names(&filter.kinds))
        .bind(filter.created_after.map(Timestamp::as_millisecond))
        .bind(filter.created_before.map(Timestamp::as_millisecond))
}

impl Change<'_> {
    pub(super) async fn get(&mut self, id: JobId) -> Result<Option<Job>> {
        let select = concat!("SELECT ", columns!(), " FROM viseme.job WHERE id = $1");
        self.found(sqlx::query(select).bind(id.0)).await
    }

    pub(super) async fn cancel(&mut self, id: JobId) -> Result<Option<Job>> {
        let update = "UPDATE viseme.job SET cancel_requested = TRUE,
                finished_at = CASE state WHEN 'queued' THEN $2 END,
                state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END
             WHERE id = $1 AND state IN ('queued', 'running')";
        let update = sqlx::query(update).bind(id.0).bind(self.moment.now());
        update.execute(&mut *self.sql).await.map_err(failed)?;
        self.get(id).await
    }

    pub(super) async fn retry(&mut self, id: JobId) -> Result<Option<Job>> {
        let update =
            "UPDATE viseme.job SET state = 'queued', run_at = $2, tries = 0, cancel_requested = FALSE,
                finished_at = NULL, progress = NULL
             WHERE id = $1 AND state IN ('failed', 'cancelled')";
        let update = sqlx::query(update).bind(id.0).bind(self.moment.now());
        update.execute(&mut *self.sql).await.map_err(failed)?;
        self.get(id).await
    }

    pub(super) async fn delete(&mut self, id: JobId) -> Result<bool> {
        let delete = "DELETE FROM viseme.job WHERE id = $1 AND state IN ('completed', 'failed', 'cancelled')";
        let deleted = sqlx::query(delete).bind(id.0).execute(&mut *self.sql).await.map_err(failed)?;
        Ok(deleted.rows_affected() == 1)
    }

    pub(super) async fn expired(&mut self, older_than: Timestamp, most: u32) -> Result<Vec<JobId>> {
        let select = "SELECT id FROM viseme.job WHERE finished_at < $1 ORDER BY finished_at LIMIT $2";
        let select = sqlx::query(select).bind(older_than.as_millisecond()).bind(i64::from(most));
        let expired = select.fetch_all(&mut *self.sql).await.map_err(failed)?;
        expired.iter().map(|row| rows::get(row, "id").map(JobId)).collect()
    }

    pub(super) async fn list(
        &mut self,
        filter: &JobFilter,
        after: Option<JobId>,
        most: u32,
    ) -> Result<JobPage> {
        let count = sqlx::query(concat!("SELECT count(*) AS jobs FROM viseme.job WHERE ", wanted!()));
        let counted = wanted_by(count, filter).fetch_one(&mut *self.sql).await.map_err(failed)?;
        let total = rows::get::<i64>(&counted, "jobs")?.unsigned_abs();
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM viseme.job WHERE ",
            wanted!(),
            " AND ($6 IS NULL OR id < $6) ORDER BY id DESC LIMIT $7"
        );
        // One more than wanted tells whether there is a next page.
        let select = wanted_by(sqlx::query(select), filter)
            .bind(after.map(|id| id.0))
            .bind(i64::from(most).saturating_add(1));
        let found = select.fetch_all(&mut *self.sql).await.map_err(failed)?;
        let mut jobs = found.iter().map(rows::job).collect::<Result<Vec<_>>>()?;
        let has_more = jobs.len() > most as usize;
        jobs.truncate(most as usize);
        let next = jobs.last().filter(|_| has_more).map(|job| job.id);
        Ok(JobPage { total, jobs, next })
    }

    pub(super) async fn counts(&mut self) -> Result<BTreeMap<(JobKind, JobState), u64>> {
        let count = "SELECT kind, state, count(*) AS jobs FROM viseme.job GROUP BY kind, state";
        let counted = sqlx::query(count).fetch_all(&mut *self.sql).await.map_err(failed)?;
        let read = |row| {
            let jobs = rows::get::<i64>(row, "jobs")?.unsigned_abs();
            Ok(((rows::kind(row)?, rows::state(row)?), jobs))
        };
        counted.iter().map(read).collect()
    }
}
