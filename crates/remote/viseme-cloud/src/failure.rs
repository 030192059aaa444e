//! What went wrong out there, in words that hold no secrets.

use crate::policy;
use crate::resolver::OnlyPrivate;
use crate::url::RemoteUrl;
use reqwest::StatusCode;
use std::error::Error as StdError;
use std::io;
use viseme_core::{Error, ErrorKind};

/// A request or a transfer that failed.
pub(crate) fn failed(url: &RemoteUrl, error: reqwest::Error) -> Error {
    let site = url.site();
    let (kind, message) = if has_cause::<OnlyPrivate>(&error) {
        return policy::private(url);
    } else if has_cause::<rustls::Error>(&error) {
        (ErrorKind::Remote, format!("{site} does not prove who it is"))
    } else if error.is_timeout() {
        return timed_out(url);
    } else if error.is_dns() {
        (ErrorKind::Network, format!("{site} cannot be found"))
    } else if error.is_connect() {
        (ErrorKind::Network, format!("{site} cannot be reached"))
    } else if error.is_builder() {
        (ErrorKind::InvalidInput, format!("the address at {site} cannot be asked for"))
    } else {
        (ErrorKind::Network, format!("the connection to {site} was cut"))
    };
    // The address that reqwest remembers is the whole one.
    let error = Error::new(kind, message).with_source(error.without_url());
    match kind {
        ErrorKind::Remote => {
            error.with_hint("Its certificate is not trusted here, has expired or is another host's.")
        }
        ErrorKind::InvalidInput => error.with_hint("Give a whole address: https://HOST/PATH."),
        _ => error.with_hint("Try again later, and check that the address is right."),
    }
}

/// Nothing moved for too long, or all of it took too long.
pub(crate) fn timed_out(url: &RemoteUrl) -> Error {
    Error::new(ErrorKind::TimedOut, format!("{} took too long", url.site()))
        .with_hint("Try again later, or serve the file from a faster host.")
}

/// An answer that is not what was asked for. Those that may pass are told from those that will not.
pub(crate) fn refused(url: &RemoteUrl, status: StatusCode) -> Error {
    let kind = if may_pass(status) { ErrorKind::Network } else { ErrorKind::Remote };
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "Check that the presigned address has not expired and is for this method."
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => "Check the address.",
        status if status.is_redirection() => "Give the address that it leads to.",
        _ => "Try again later.",
    };
    Error::new(kind, format!("{} answers {}", url.site(), status.as_u16())).with_hint(hint)
}

/// Whether the same request may succeed a little later.
pub(crate) fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// A local file that cannot be read or written. Its path is nobody's business out there, and some errors hold it.
pub(crate) fn local(action: &str, error: &io::Error) -> Error {
    Error::io(action, error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
}

/// Whether `T` is among the causes of `error`, also where it is wrapped into an error of input and output.
fn has_cause<T: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<T>() {
            return true;
        }
        // Its `source` skips the error that it wraps.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}
