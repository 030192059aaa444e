//! One error type for all crates: a kind that machines act on, a message and a hint that people act on.

use std::error::Error as StdError;
use std::fmt;

/// Shorthand for results whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms that decide what happens next: retry, exit code, HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// An input file does not exist.
    NotFound,
    /// An argument or an input is not usable: wrong value, empty, cut off, not what it claims to be.
    InvalidInput,
    /// The input is valid but of a kind that we do not handle.
    Unsupported,
    /// The input is larger than a limit that the user can raise.
    LimitExceeded,
    /// The output cannot be written where the user asked for it.
    OutputNotWritable,
    /// The disk is full.
    DiskFull,
    /// A program that we need (ffmpeg) is missing or too old.
    MissingTool,
    /// A model that the work needs is not installed.
    ModelMissing,
    /// A child process or a network peer took longer than it may.
    TimedOut,
    /// The network or the other side failed in a way that may pass: no connection, cut off, busy.
    Network,
    /// The other side answered, but not with what was asked for: refused, gone, another file.
    Remote,
    /// The user interrupted the run.
    Cancelled,
    /// A fault of ours: a broken model file, a violated invariant.
    Internal,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::NotFound,
        Self::InvalidInput,
        Self::Unsupported,
        Self::LimitExceeded,
        Self::OutputNotWritable,
        Self::DiskFull,
        Self::MissingTool,
        Self::ModelMissing,
        Self::TimedOut,
        Self::Network,
        Self::Remote,
        Self::Cancelled,
        Self::Internal,
    ];

    /// Whether the same request may succeed when made again unchanged.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::TimedOut | Self::DiskFull | Self::Network)
    }

    /// The exit code of the command line: 1 the input, 2 our fault or this machine's, 130 interrupted.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NotFound
            | Self::InvalidInput
            | Self::Unsupported
            | Self::LimitExceeded
            | Self::OutputNotWritable
            | Self::ModelMissing => 1,
            Self::DiskFull
            | Self::MissingTool
            | Self::TimedOut
            | Self::Network
            | Self::Remote
            | Self::Internal => 2,
            Self::Cancelled => 130,
        }
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::InvalidInput => "invalid_input",
            Self::Unsupported => "unsupported",
            Self::LimitExceeded => "limit_exceeded",
            Self::OutputNotWritable => "output_not_writable",
            Self::DiskFull => "disk_full",
            Self::MissingTool => "missing_tool",
            Self::ModelMissing => "model_missing",
            Self::TimedOut => "timed_out",
            Self::Network => "network",
            Self::Remote => "remote",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that the server answers with.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::InvalidInput => 400,
            Self::Unsupported => 415,
            Self::LimitExceeded => 413,
            Self::Cancelled => 409,
            Self::OutputNotWritable | Self::Internal => 500,
            Self::Network | Self::Remote => 502,
            Self::MissingTool | Self::ModelMissing => 503,
            Self::TimedOut => 504,
            Self::DiskFull => 507,
        }
    }
}

/// An error with its kind, one line that says what happened, and a hint that says what to do next.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error. `message` is one line, lower case, without a full stop: "no video stream in talk.mp4".
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), hint: None, source: None }))
    }

    /// Shorthand for a fault in what the user gave us.
    #[must_use]
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Shorthand for a fault of ours.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The error of a run that its [`Observer`](crate::Observer) cancelled.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "interrupted")
    }

    /// An error of the file system, its kind read off the operating system's: missing, denied, disk full.
    ///
    /// `action` completes "cannot …": "write out.mp4".
    #[must_use]
    pub fn io(action: impl fmt::Display, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::DiskFull,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::OutputNotWritable,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, format!("cannot {action}: {source}")).with_source(source)
    }

    /// Adds what the user can do about it: a sentence.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong, for machines.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_missing_file() {
        let full = Error::io("write out.mp4", std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(full.kind(), ErrorKind::DiskFull);
        assert_eq!(full.kind().exit_code(), 2);
        let missing = Error::io("read talk.mp4", std::io::Error::from(std::io::ErrorKind::NotFound));
        assert_eq!(missing.kind().exit_code(), 1);
        assert!(missing.to_string().starts_with("cannot read talk.mp4: "));
    }
}
