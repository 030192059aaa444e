//! What people do with jobs.

use super::rows::{self, COLUMNS};
use super::{Change, failed};
use crate::job::{Job, JobId, JobKind, JobState};
use crate::store::{JobFilter, JobPage};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use std::collections::BTreeMap;
use viseme_core::Result;

impl Change<'_> {
    pub(super) fn get(&self, id: JobId) -> Result<Option<Job>> {
        self.found(&format!("SELECT {COLUMNS} FROM job WHERE id = ?1"), params![id.to_string()])
    }

    pub(super) fn cancel(&self, id: JobId) -> Result<Option<Job>> {
        self.sql
            .execute(
                "UPDATE job SET cancel_requested = TRUE,
                    finished_at = CASE state WHEN 'queued' THEN ?2 END,
                    state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END
                 WHERE id = ?1 AND state IN ('queued', 'running')",
                params![id.to_string(), self.moment.now()],
            )
            .map_err(failed)?;
        self.get(id)
    }

    pub(super) fn retry(&self, id: JobId) -> Result<Option<Job>> {
        self.sql
            .execute(
                "UPDATE job SET state = 'queued', run_at = ?2, tries = 0, cancel_requested = FALSE, finished_at = NULL,
                    progress = NULL
                 WHERE id = ?1 AND state IN ('failed', 'cancelled')",
                params![id.to_string(), self.moment.now()],
            )
            .map_err(failed)?;
        self.get(id)
    }

    pub(super) fn delete(&self, id: JobId) -> Result<bool> {
        let sql = "DELETE FROM job WHERE id = ?1 AND state IN ('completed', 'failed', 'cancelled')";
        self.sql.execute(sql, params![id.to_string()]).map(|rows| rows == 1).map_err(failed)
    }

    pub(super) fn expired(&self, older_than: Timestamp, most: u32) -> Result<Vec<JobId>> {
        let sql = "SELECT id FROM job WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2";
        let mut query = self.sql.prepare(sql).map_err(failed)?;
        query
            .query_map(params![older_than.as_millisecond(), most], rows::id)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)
    }

    pub(super) fn list(&self, filter: &JobFilter, after: Option<JobId>, most: u32) -> Result<JobPage> {
        let wanted = "(:owner IS NULL OR owner = :owner)
            AND (:states = '[]' OR state IN (SELECT value FROM json_each(:states)))
            AND (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds)))
            AND (:since IS NULL OR created_at >= :since) AND (:until IS NULL OR created_at < :until)";
        let states = names(filter.states.iter().map(|state| state.name()));
        let kinds = names(filter.kinds.iter().map(|kind| kind.name()));
        let since = filter.created_after.map(Timestamp::as_millisecond);
        let until = filter.created_before.map(Timestamp::as_millisecond);
        let values = named_params! {
            ":owner": filter.owner, ":states": states, ":kinds": kinds, ":since": since, ":until": until,
        };
        let sql = format!("SELECT count(*) FROM job WHERE {wanted}");
        let total = self.sql.query_row(&sql, values, |row| row.get(0)).map_err(failed)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE {wanted} AND (:after IS NULL OR id < :after)
             ORDER BY id DESC LIMIT :most"
        );
        // One more than wanted tells whether there is a next page.
        let values = named_params! {
            ":owner": filter.owner, ":states": states, ":kinds": kinds, ":since": since, ":until": until,
            ":after": after.map(|id| id.to_string()), ":most": u64::from(most) + 1,
        };
        let mut query = self.sql.prepare(&sql).map_err(failed)?;
        let mut jobs = query
            .query_map(values, rows::job)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        let has_more = jobs.len() > most as usize;
        jobs.truncate(most as usize);
        Ok(JobPage { total, next: jobs.last().filter(|_| has_more).map(|job| job.id), jobs })
    }

    pub(super) fn counts(&self) -> Result<BTreeMap<(JobKind, JobState), u64>> {
        let mut query =
            self.sql.prepare("SELECT kind, state, count(*) FROM job GROUP BY kind, state").map_err(failed)?;
        let counted = query
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        let known = |(kind, state, count): (String, String, u64)| {
            Some(((JobKind::named(&kind)?, JobState::named(&state)?), count))
        };
        Ok(counted.into_iter().filter_map(known).collect())
    }
}

/// Names as a JSON array; they need no escaping.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", quoted.join(","))
}
