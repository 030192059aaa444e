//! `/`: what this is, for programs, and the web page, for people.

use super::described;
use crate::error::ApiResult;
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use std::sync::{Arc, LazyLock};
use tower_http::services::ServeDir;
use utoipa::ToSchema;
use utoipa::openapi::PathItem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::Error;

/// What people see where there is no web page.
const PAGE: &str = include_str!("home.html");

/// Every address with its methods: `POST /lipsync`.
static ENDPOINTS: LazyLock<Vec<String>> = LazyLock::new(endpoints);

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(home))
}

/// The files of the web page, where the operator has one.
pub(super) fn files(service: &Service) -> Option<ServeDir> {
    service.settings.web.as_ref().map(ServeDir::new)
}

/// What this is.
#[derive(Debug, Serialize, ToSchema)]
struct Home {
    name: &'static str,
    version: &'static str,
    docs: &'static str,
    health: &'static str,
    endpoints: &'static [String],
}

/// What this is: JSON, or the web page for who asks for `text/html`.
#[utoipa::path(
    get, path = "/", tag = "health",
    responses((status = 200, description = "JSON, or a page", content((Home = "application/json"), (String = "text/html"))))
)]
async fn home(State(service): State<Arc<Service>>, headers: HeaderMap) -> ApiResult<Response> {
    // Caches keep the two apart.
    let vary = [(header::VARY, "accept")];
    if !wants_page(&headers) {
        let home = Home {
            name: "viseme",
            version: env!("CARGO_PKG_VERSION"),
            docs: "/docs",
            health: "/health",
            endpoints: &ENDPOINTS,
        };
        return Ok((vary, Json(home)).into_response());
    }
    let page = match &service.settings.web {
        Some(folder) => {
            let page = tokio::fs::read_to_string(folder.join("index.html")).await;
            page.map_err(|source| Error::internal("cannot read the web page").with_source(source))?
        }
        None => PAGE.to_owned(),
    };
    Ok((vary, Html(page)).into_response())
}

/// Browsers name `text/html`; programs name JSON, anything, or nothing.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next());
    let first = kinds.find_map(|kind| {
        let kind = kind?.trim();
        ["text/html", "application/json"].iter().position(|known| kind.eq_ignore_ascii_case(known))
    });
    first == Some(0)
}

fn endpoints() -> Vec<String> {
    let (_, description) = described();
    let methods = |item: &PathItem| {
        let all = [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PUT", item.put.is_some()),
            ("DELETE", item.delete.is_some()),
        ];
        all.into_iter().filter_map(|(method, is_there)| is_there.then_some(method))
    };
    let paths = description.paths.paths.iter();
    paths.flat_map(|(path, item)| methods(item).map(move |method| format!("{method} {path}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn people_see_a_page_and_programs_json() {
        let wants = |accept: &str| {
            let value = HeaderValue::from_str(accept).unwrap();
            wants_page(&HeaderMap::from_iter([(header::ACCEPT, value)]))
        };
        assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants("TEXT/HTML;q=0.9"));
        assert!(!wants("*/*") && !wants("application/json, text/html") && !wants_page(&HeaderMap::new()));
    }

    #[test]
    fn every_address_is_named() {
        let endpoints = endpoints();
        for known in ["GET /", "POST /lipsync", "DELETE /v1/jobs/{id}", "PUT /v1/images/{imageId}"] {
            assert!(endpoints.iter().any(|endpoint| endpoint == known), "{known}");
        }
    }
}
