//! What handlers take from requests, with our errors.

use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::service::Service;
use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use viseme_jobs::Job;

/// How long a JSON body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body. Its size is limited by the layer of its route.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let read = timeout(BODY_TIME, Json::<T>::from_request(request, state));
        let slow = |_| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed_out", "the request took too long to arrive")
        };
        Ok(Self(read.await.map_err(slow)??.0))
    }
}

/// The query of an address.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        Ok(Self(Query::<T>::from_request_parts(parts, state).await?.0))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let unknown = || ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}

/// Whether a client would rather have the job than wait for its result (RFC 7240).
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|wish| wish.trim().eq_ignore_ascii_case("respond-async"))
}

/// The client's own name for its request: 1 to 255 letters, digits, `_`, `-`, `:` and `.`.
///
/// # Errors
/// 400 for another one.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let plain = value.to_str().ok().filter(|key| {
        (1..=255).contains(&key.len()) && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-:.".contains(c))
    });
    let error = || {
        ApiError::bad_request("the Idempotency-Key has 1 to 255 letters, digits, '_', '-', ':' and '.'")
            .with_param("Idempotency-Key")
    };
    plain.map(|key| Some(key.to_owned())).ok_or_else(error)
}

/// The job that the address names by its last `{id}`, when it is the client's own.
#[derive(Debug)]
pub(crate) struct OwnJob(pub(crate) Job);

impl FromRequestParts<Arc<Service>> for OwnJob {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> ApiResult<Self> {
        let owner = Owner::from_request_parts(parts, service).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, service).await?;
        Ok(Self(service.job(&owner, &id).await?))
    }
}
