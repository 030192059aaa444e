//! How the server is, for people, load balancers and Prometheus.

use crate::engines::{EngineBody, engines};
use crate::error::{ApiError, ApiResult};
use crate::remembered::Remembered;
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::{Error, Result};
use viseme_models::Store;

/// How long the stores may take to answer before the server is called not ready.
const STORE_TIME: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// How the service is, and what it has. Every other model that a service of this kind is known to have is named, too.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "clients read these fields")]
struct Health {
    /// `healthy`, `loading` or `unhealthy`. The built-in engine alone makes it healthy.
    status: &'static str,
    version: &'static str,
    /// Whether a model of `InsightFace` is installed. Without one, the built-in nets find faces and tell people apart.
    insightface_loaded: bool,
    wav2lip_loaded: bool,
    musetalk_loaded: bool,
    liveportrait_loaded: bool,
    codeformer_loaded: bool,
    gfpgan_loaded: bool,
    gpu_available: bool,
    gpu_name: Option<String>,
    /// In GiB.
    gpu_memory_gb: Option<f64>,
    engines: Vec<EngineHealth>,
}

/// An engine, and whether a job that wants it can begin.
#[derive(Debug, Serialize, ToSchema)]
struct EngineHealth {
    name: &'static str,
    ready: bool,
    /// Why not, and what to do about it.
    reason: Option<String>,
}

/// How the service is, and what it has. Answers 200 whatever it says; `/health/ready` does not.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Health)))]
async fn health(State(service): State<Arc<Service>>) -> ApiResult<Json<Value>> {
    let look = {
        let service = Arc::clone(&service);
        move || Ok(json!(look(&service)?))
    };
    // While the engine loads, what is seen is not worth remembering.
    let is_loading = service.built_in.get().is_none() && service.settings.workers > 0;
    Ok(Json(if is_loading {
        Remembered::default().get(look).await?
    } else {
        service.health.get(look).await?
    }))
}

/// Looks which models are there now: they can be installed while the server runs.
///
/// # Errors
/// When there is no folder of models.
fn look(service: &Service) -> Result<Health> {
    let store = Store::open()?;
    let has = |models: &[&str]| models.iter().any(|model| store.model(model).is_ok());
    let engines = engines(service, &store)?.into_iter();
    let machine = service.machine();
    Ok(Health {
        status: match service.built_in.get() {
            Some(Err(_)) => "unhealthy",
            None if service.settings.workers > 0 => "loading",
            _ => "healthy",
        },
        version: env!("CARGO_PKG_VERSION"),
        insightface_loaded: has(&["w600k_r50", "det_10g", "scrfd_2_5g"]),
        wav2lip_loaded: has(&["wav2lip_gan", "wav2lip"]),
        musetalk_loaded: has(&["musetalk"]),
        liveportrait_loaded: has(&["liveportrait"]),
        codeformer_loaded: has(&["codeformer"]),
        gfpgan_loaded: has(&["gfpgan_1_4"]),
        gpu_available: machine.has_gpu,
        gpu_name: machine.gpu_name,
        gpu_memory_gb: machine.gpu_memory_gb,
        engines: engines
            .map(|EngineBody { name, ready, reason, .. }| EngineHealth { name, ready, reason })
            .collect(),
    })
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
