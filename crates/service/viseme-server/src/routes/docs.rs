//! `/openapi.json` and `/docs`: what this service understands, for machines and for people.

use crate::error::ApiResult;
use crate::service::Service;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use std::sync::{Arc, OnceLock};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Reads `/openapi.json` and shows it; nothing of it comes from elsewhere.
const PAGE: &str = include_str!("docs.html");
/// What the page may do: its own script and style, and ask this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'";

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(openapi)).routes(routes!(docs))
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object))
)]
async fn openapi() -> ApiResult<Response> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = if let Some(text) = TEXT.get() {
        text
    } else {
        let text = crate::openapi::openapi()?;
        TEXT.get_or_init(|| text)
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response())
}

/// This description as a page for people.
#[utoipa::path(
    get, path = "/docs", tag = "health",
    responses((status = 200, description = "A page", content_type = "text/html", body = String))
)]
async fn docs() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(PAGE)).into_response()
}
