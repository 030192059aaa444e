//! The connections, and how long each side waits for the other.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;
use viseme_core::{Error, Result};

/// Most connections of one process. A call holds one for some milliseconds; `PostgreSQL` allows 100 in all by default.
const MOST_CONNECTIONS: u32 = 8;
/// How long a call waits for a connection, and so for a database that starts anew.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long a connection may do nothing before it is closed.
const IDLE_LIMIT: Duration = Duration::from_mins(5);

/// What the server is told of every connection. A process that is stopped in the middle of a transaction must not hold up
/// the others, and no statement here takes more than milliseconds.
const SESSION: [(&str, &str); 3] =
    [("statement_timeout", "20s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "10s")];

/// Connections to the database of `url`, none of them made yet. One that has broken is found out before it is used.
///
/// # Errors
/// `InvalidInput` when it is no such address.
pub(super) fn pool(url: &str) -> Result<PgPool> {
    let is_known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    // The error underneath is left out: nothing says that it does not quote the address.
    let options = url.parse::<PgConnectOptions>().ok().filter(|_| is_known).ok_or_else(|| {
        Error::invalid_input("the address of the job database is none")
            .with_hint("It looks like postgres://user:password@host:5432/database.")
    })?;
    let pool = PgPoolOptions::new()
        .max_connections(MOST_CONNECTIONS)
        .acquire_timeout(CONNECT_WAIT)
        .idle_timeout(IDLE_LIMIT)
        .test_before_acquire(true);
    Ok(pool.connect_lazy_with(options.options(SESSION)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_checked_and_never_shown() {
        for url in
            ["", "mysql://a:hush@b/c", "postgres://u:hush@h:hush/db", "postgres://u:hush@h/db?sslmode=hush"]
        {
            let error = pool(url).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hush"), "{url}");
        }
        assert!(pool("postgresql://user:hush@host/db?host=/tmp").is_ok());
    }
}
