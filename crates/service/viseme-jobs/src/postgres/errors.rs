//! What a failure of the database means.

use viseme_core::{Error, ErrorKind};

/// The error of a call that the database has failed.
pub(super) fn failed(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
    let (kind, message) = match &error {
        sqlx::Error::Database(_) => meaning(&code),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => (ErrorKind::Network, "the job store cannot be reached"),
        _ => (ErrorKind::Internal, "the job store failed"),
    };
    Error::new(kind, format!("{message}: {error}")).with_source(error)
}

/// The meaning of an `SQLSTATE`: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn meaning(code: &str) -> (ErrorKind, &'static str) {
    match code {
        "53100" => (ErrorKind::DiskFull, "the disk of the job store is full"),
        // Waited too long for a lock or an answer, or for each other.
        "55P03" | "57014" | "40001" | "40P01" => (ErrorKind::TimedOut, "the job store is busy"),
        // Its text is part of the request: a NUL, or what the database's own encoding does not have.
        "22021" | "22P05" => (ErrorKind::InvalidInput, "the job holds text that the job store cannot keep"),
        // Ended by its owner, or for having said nothing in the middle of a transaction.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => (ErrorKind::Network, "the job store went away"),
        // A replica, until it is told to lead; or not ours to write.
        "25006" | "42501" => (ErrorKind::OutputNotWritable, "the job store cannot be written"),
        "3D000" => (ErrorKind::InvalidInput, "there is no such database for the job store"),
        _ if code.starts_with("08") || code.starts_with("53") => {
            (ErrorKind::Network, "the job store cannot be reached")
        }
        _ if code.starts_with("28") => {
            (ErrorKind::InvalidInput, "the job store refuses the user or the password")
        }
        _ => (ErrorKind::Internal, "the job store failed"),
    }
}
