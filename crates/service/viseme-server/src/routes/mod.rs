//! The addresses, one file for each family.

mod batches;
mod detect_faces;
mod docs;
mod engines;
mod estimate;
mod face_tracking;
mod files;
mod health;
mod home;
mod images;
mod job_form;
mod jobs;
mod lipsync;
mod models;
mod talking_photo;
mod uploads;
mod worker_files;
mod workers;

use crate::service::Service;
use crate::{auth, error, openapi, refused, request_id};
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, debug, info, info_span};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Something that went less well than asked for, without stopping the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Warning)]
pub(crate) struct WarningBody {
    /// For machines.
    code: String,
    /// One line for people.
    message: String,
}

/// Every address and what is said about them.
pub(crate) fn described() -> (Router<Arc<Service>>, OpenApi) {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(home::router())
        .merge(health::router())
        .merge(lipsync::router())
        .merge(detect_faces::router())
        .merge(face_tracking::router())
        .merge(uploads::router())
        .merge(talking_photo::router())
        .merge(images::router())
        .merge(jobs::router())
        .merge(files::router())
        .merge(batches::router())
        .merge(estimate::router())
        .merge(engines::router())
        .merge(models::router())
        .merge(docs::router())
        .split_for_parts()
}

/// Every address, with what stands before them all.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let (mut routes, _) = described();
    if let Some(files) = home::files(&service) {
        routes = routes.nest_service("/web", files);
    }
    let json = service.settings.sizes.json;
    routes
        .merge(workers::router())
        .layer(DefaultBodyLimit::max(json))
        .layer(middleware::from_fn(refused::hear_out))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), observe))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), auth::check))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(Arc::clone(&service), error::render))
        .layer(middleware::from_fn(request_id::name))
        .with_state(service)
}

/// Counts and logs a request. Its query is left out: it may hold a signature.
async fn observe(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let id = request.extensions().get::<request_id::RequestId>().cloned().unwrap_or_default();
    let span = info_span!("request", id = id.as_str(), method = %request.method(), route);
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    service.metrics.answered(&route, status, took);
    let _entered = span.enter();
    let ms = took.as_millis() as u64;
    if status < 400 && auth::is_for_workers(&route) {
        // Every second from every worker.
        debug!(status, ms, "answered");
    } else {
        info!(status, ms, "answered");
    }
    response
}
