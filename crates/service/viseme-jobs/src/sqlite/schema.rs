//! The tables, and how an older file becomes a present one.

use rusqlite::Connection;
use viseme_core::{Error, ErrorKind, Result};

/// What each version of the file added. The last one's number is the version that this program writes.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE job (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        owner TEXT NOT NULL,
        spec TEXT NOT NULL,
        priority INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        max_tries INTEGER NOT NULL,
        time_limit_ms INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        run_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        -- The fencing token: raised by every claim, never lowered.
        attempt INTEGER NOT NULL DEFAULT 0,
        worker TEXT,
        lease_until INTEGER,
        progress TEXT,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        result TEXT,
        error TEXT,
        idempotency_key TEXT,
        content_key TEXT
    ) STRICT;
    CREATE INDEX job_waiting ON job (priority DESC, run_at, id) WHERE state = 'queued';
    CREATE INDEX job_running ON job (kind, lease_until) WHERE state = 'running';
    CREATE INDEX job_request ON job (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX job_content ON job (owner, content_key) WHERE content_key IS NOT NULL;
",
    "CREATE INDEX job_ended ON job (finished_at) WHERE finished_at IS NOT NULL;",
];

/// Makes the tables of a new file, and those of an old one new.
///
/// # Errors
/// `Unsupported` for a file of a later version of this program; as [`super::failed`].
pub(super) fn prepare(connection: &mut Connection) -> Result<()> {
    // Every commit is on the disk before it is answered; readers do not wait for writers.
    connection.pragma_update(None, "journal_mode", "wal").map_err(super::failed)?;
    connection.pragma_update(None, "synchronous", "full").map_err(super::failed)?;
    let change = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(super::failed)?;
    let version: usize =
        change.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(super::failed)?;
    if version > STEPS.len() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the job store was written by a later version of Viseme",
        )
        .with_hint("Run that version, or choose another file."));
    }
    for step in &STEPS[version..] {
        change.execute_batch(step).map_err(super::failed)?;
    }
    change.pragma_update(None, "user_version", STEPS.len()).map_err(super::failed)?;
    change.commit().map_err(super::failed)
}
