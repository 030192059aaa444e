//! What clients are told when something fails.

mod codes;
mod render;

pub(crate) use codes::CODES;
pub(crate) use render::{Family, render};

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::ops::{Deref, DerefMut};
use viseme_core::{Error, ErrorKind};
use viseme_jobs::Failure;

/// An error on its way to a client, in words that may leave the machine. The body is written when the response leaves, in the
/// form that clients of the route expect.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Told>);

/// What an error says.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    /// For machines.
    pub(crate) code: String,
    /// One line for people.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Which field of the request it is about.
    pub(crate) param: Option<String>,
    /// What only a developer should see: the errors underneath.
    pub(crate) trace: Option<String>,
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self(Box::new(Told { status, code, message, hint: None, param: None, trace: None }))
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidInput.name(), message)
    }

    /// The request is JSON, but says something that cannot be.
    pub(crate) fn unprocessable(param: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::InvalidInput.name(), message).with_param(param)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound.name(), message)
    }

    pub(crate) fn no_such_job() -> Self {
        Self::not_found("there is no such job")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Why a job failed.
    pub(crate) fn of_failure(failure: &Failure) -> Self {
        let kind = ErrorKind::ALL.into_iter().find(|kind| kind.name() == failure.code);
        let status = kind.map_or(500, ErrorKind::http_status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut error = Self::new(status, &failure.code, failure.message.clone());
        error.hint.clone_from(&failure.hint);
        error.trace = Some(format!("{failure:?}"));
        error
    }
}

impl Deref for ApiError {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

/// What clients hear of a failure that is this machine's own.
pub(crate) fn own_fault(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Internal => Some("the server failed; its log says more"),
        ErrorKind::OutputNotWritable => Some("the server cannot write its files; its log says more"),
        ErrorKind::DiskFull => Some("the disk of the server is full"),
        _ => None,
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind().http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // What is no fault of the client may name files of this machine: that is for the log.
        let (message, hint) = if let Some(message) = own_fault(error.kind()) {
            tracing::error!(%error, source = ?std::error::Error::source(&error), "the server failed");
            (message.to_owned(), None)
        } else {
            (error.to_string(), error.hint().map(str::to_owned))
        };
        let mut told = Self::new(status, error.kind().name(), message);
        told.hint = hint;
        told.trace = Some(format!("{error:?}"));
        told
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(
                rejection.status(),
                ErrorKind::LimitExceeded.name(),
                "the request is too large",
            );
        }
        let error = Self::new(rejection.status(), ErrorKind::InvalidInput.name(), rejection.body_text());
        match &rejection {
            JsonRejection::JsonDataError(_) => {
                error.with_hint("/docs describes the fields of every request.")
            }
            JsonRejection::MissingJsonContentType(_) => {
                error.with_hint("Send the header Content-Type: application/json.")
            }
            _ => error,
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), ErrorKind::InvalidInput.name(), rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound.name(), rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
