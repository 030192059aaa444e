//! The tables, and how older ones become present ones.

use super::errors::failed;
use super::locks;
use sqlx::PgConnection;
use viseme_core::{Error, ErrorKind, Result};

/// What each version added. The last one's number is the version that this program writes. The columns are those of the file
/// of `SQLite`; times are milliseconds since 1970, from the clock of the store.
const STEPS: [&str; 1] = ["
    CREATE TABLE viseme.job (
        id UUID PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        owner TEXT NOT NULL,
        spec JSON NOT NULL,
        priority INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        max_tries INTEGER NOT NULL,
        time_limit_ms BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        run_at BIGINT NOT NULL,
        started_at BIGINT,
        finished_at BIGINT,
        -- The fencing token: raised by every claim, never lowered.
        attempt BIGINT NOT NULL DEFAULT 0,
        worker TEXT,
        lease_until BIGINT,
        progress JSON,
        cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
        result JSON,
        error JSON,
        idempotency_key TEXT,
        content_key TEXT
    );
    CREATE INDEX job_waiting ON viseme.job (priority DESC, run_at, id) WHERE state = 'queued';
    -- Without the lease: heartbeats shall not touch an index.
    CREATE INDEX job_running ON viseme.job (kind) WHERE state = 'running';
    CREATE INDEX job_request ON viseme.job (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX job_content ON viseme.job (owner, content_key) WHERE content_key IS NOT NULL;
    CREATE INDEX job_ended ON viseme.job (finished_at) WHERE finished_at IS NOT NULL;
"];

/// Makes the tables of a new database, and those of an old one new.
///
/// # Errors
/// `Unsupported` for tables of a later version of this program; as [`failed`].
pub(super) async fn prepare(sql: &mut PgConnection) -> Result<()> {
    locks::hold(sql, &["schema"]).await?;
    let version = version(sql).await?;
    let steps = STEPS.get(version..).ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the job store was written by a later version of Viseme")
            .with_hint("Run that version, or choose another database.")
    })?;
    for step in steps {
        sqlx::raw_sql(*step).execute(&mut *sql).await.map_err(failed)?;
    }
    if !steps.is_empty() {
        let write = sqlx::query("UPDATE viseme.schema_version SET version = $1").bind(STEPS.len() as i32);
        write.execute(sql).await.map_err(failed)?;
    }
    Ok(())
}

/// The version of the tables; 0, and a place to write it, where there are none.
async fn version(sql: &mut PgConnection) -> Result<usize> {
    let is_there = sqlx::query_scalar("SELECT to_regclass('viseme.schema_version') IS NOT NULL");
    if !is_there.fetch_one(&mut *sql).await.map_err(failed)? {
        let make = "
            CREATE SCHEMA IF NOT EXISTS viseme;
            CREATE TABLE viseme.schema_version (version INTEGER NOT NULL);
            INSERT INTO viseme.schema_version VALUES (0)";
        sqlx::raw_sql(make).execute(&mut *sql).await.map_err(failed)?;
    }
    let version: i32 = sqlx::query_scalar("SELECT version FROM viseme.schema_version")
        .fetch_one(sql)
        .await
        .map_err(failed)?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}
