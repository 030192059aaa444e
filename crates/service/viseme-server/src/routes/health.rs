//! How the server is, for people, load balancers and Prometheus.

use crate::error::{ApiError, ApiResult};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::Error;

/// How long the stores may take to answer before the server is called not ready.
const STORE_TIME: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(metrics))
}

/// Whether the process answers.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Live)))]
async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

#[derive(Debug, Serialize, ToSchema)]
struct Live {
    status: &'static str,
}

/// Whether it can take jobs: its stores answer and its engine is loaded.
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Live), (status = 503, description = "Not yet, or not any more"))
)]
async fn ready(State(service): State<Arc<Service>>) -> ApiResult<Json<Live>> {
    let unready = |why: &str| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why.to_owned());
    match service.built_in.get() {
        None if service.settings.workers > 0 => return Err(unready("the engine is loading")),
        Some(Err(why)) => return Err(unready(why)),
        _ => {}
    }
    match timeout(STORE_TIME, service.store.counts()).await {
        Ok(Ok(_)) => Ok(Json(Live { status: "ready" })),
        _ => Err(unready("the job store does not answer")),
    }
}

/// Counts for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "OpenMetrics", content_type = "text/plain", body = String))
)]
async fn metrics(State(service): State<Arc<Service>>) -> ApiResult<Response> {
    let (counts, bytes) = (service.store.counts().await?, service.artifacts.used_bytes().await?);
    let text = service.metrics.text(&counts, bytes);
    let text = text.map_err(|error| Error::internal("cannot write the metrics").with_source(error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
