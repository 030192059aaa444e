//! `/files`: what jobs have made, for whoever has a signed link.

use crate::error::{ApiError, ApiResult};
use crate::extract::Asked;
use crate::service::Service;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use std::ops::Range;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_jobs::{ArtifactKey, Artifacts, LinkFault};

/// What results are.
pub(super) const VIDEO: &str = "video/mp4";

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(file))
}

/// What a signed link says.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Signed {
    /// Until when it works, in seconds since 1970.
    expires: i64,
    /// Who made it.
    signature: String,
}

/// A file, by a link that the server has signed. Ranges can be asked for.
#[utoipa::path(
    get, path = "/files/{area}/{owner}/{name}", tag = "files",
    params(
        ("area" = String, Path, description = "As in the link"),
        ("owner" = String, Path, description = "As in the link"),
        ("name" = String, Path, description = "As in the link"),
        Signed
    ),
    responses(
        (status = 200, description = "The file", content_type = "video/mp4", body = Vec<u8>),
        (status = 206, description = "The part that the header Range asked for"),
        (status = 403, description = "The link was altered, or has expired"),
        (status = 404, description = "The file is not there any more"),
        (status = 416, description = "There is no such part"),
    )
)]
async fn file(
    State(service): State<Arc<Service>>,
    Path((area, owner, name)): Path<(String, String, String)>,
    Asked(signed): Asked<Signed>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let path = format!("/files/{area}/{owner}/{name}");
    let checked = service.links.check(&path, signed.expires, &signed.signature, Timestamp::now());
    checked.map_err(|fault| {
        let message = match fault {
            LinkFault::Expired => "the link has expired",
            LinkFault::Altered => "the link was altered",
        };
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
            .with_hint("Ask GET /v1/jobs/{id} for a new link.")
    })?;
    let key: ArtifactKey = format!("{area}/{owner}/{name}").parse().map_err(|_| gone())?;
    send(&service.artifacts, (&key, VIDEO), &headers).await
}

/// A file of the store, or the part of it that the client asks for.
///
/// # Errors
/// 404 when it is not there, 416 for a part that it does not have.
pub(super) async fn send(
    artifacts: &Artifacts,
    (key, content_type): (&ArtifactKey, &'static str),
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let stored = artifacts.head(key).await?.ok_or_else(gone)?;
    let range = match headers.get(header::RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) => part(range, stored.bytes)?,
        None => None,
    };
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let part = range.clone().unwrap_or(0..stored.bytes);
    let body = Body::from_stream(artifacts.read(key, range.clone()).await?);
    let head = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_LENGTH, (part.end - part.start).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{}\"", key.name())),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private".to_owned()),
    ];
    let mut response = (status, head, body).into_response();
    if range.is_some()
        && let Ok(value) = format!("bytes {}-{}/{}", part.start, part.end - 1, stored.bytes).parse()
    {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

/// The part of `bytes` bytes that a header asks for. None is all of them: what cannot be understood, and several parts at a
/// time, may be answered so (RFC 9110, 14.2).
///
/// # Errors
/// 416 for a part that lies outside.
fn part(range: &str, bytes: u64) -> ApiResult<Option<Range<u64>>> {
    let Ok(parsed) = http_range_header::parse_range_header(range) else { return Ok(None) };
    let outside =
        |_| ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "invalid_input", "the file has no such part");
    let ranges = parsed.validate(bytes).map_err(outside)?;
    Ok(match ranges.as_slice() {
        [one] => Some(*one.start()..one.end() + 1),
        _ => None,
    })
}

fn gone() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "the file is not there any more")
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_are_those_of_the_standard() {
        for (range, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=10-", Some(10..100)),
            ("bytes=-5", Some(95..100)),
            ("bytes=90-200", Some(90..100)),
            ("bytes=0-1,5-6", None),
            ("lines=1-2", None),
            ("bytes=x", None),
        ] {
            assert_eq!(part(range, 100).unwrap(), expected, "{range}");
        }
        assert!(part("bytes=100-", 100).is_err());
    }
}
