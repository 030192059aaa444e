//! Errors of places as errors of ours, in words that may leave the machine: no path, no bucket, no address.

use std::error::Error as StdError;
use viseme_core::{Error, ErrorKind};

pub(super) fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}

/// An error of a place.
pub(super) trait Fault {
    /// The same as an error of ours. `action` completes "cannot …". What the place said itself is its source, for logs.
    fn into_error(self, action: &str) -> Error;
}

impl Fault for object_store::Error {
    fn into_error(self, action: &str) -> Error {
        let error = match &self {
            Self::NotFound { .. } => Error::new(ErrorKind::NotFound, "the file is not there any more"),
            Self::PermissionDenied { .. } | Self::Unauthenticated { .. } => {
                Error::new(ErrorKind::Remote, format!("cannot {action}: the bucket refuses it"))
                    .with_hint("Check the keys, and what the bucket allows them.")
            }
            other => match io_error(other) {
                Some(io) => return Error::io(action, std::io::Error::from(io.kind())).with_source(self),
                None => Error::new(
                    ErrorKind::Network,
                    format!("cannot {action}: the place of the files does not answer as it should"),
                )
                .with_hint("Try again. The log of the machine has what the place said."),
            },
        };
        error.with_source(self)
    }
}

/// The error of the file system underneath. That of a connection is none of it.
fn io_error(error: &object_store::Error) -> Option<&std::io::Error> {
    if !matches!(error, object_store::Error::Generic { store: "LocalFileSystem", .. }) {
        return None;
    }
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref() {
            return Some(io);
        }
        next = cause.source();
    }
    None
}
