//! `/v1/engines`: what can move lips here.

use crate::engines::{EngineBody, engines};
use crate::error::ApiResult;
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::Error;
use viseme_models::Store;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Serialize, ToSchema)]
struct EngineList {
    /// The best first.
    engines: Vec<EngineBody>,
}

/// Lists the engines of this server, and whether they can be used.
#[utoipa::path(get, path = "/v1/engines", tag = "engines", responses((status = 200, body = EngineList)))]
async fn list(State(service): State<Arc<Service>>) -> ApiResult<Json<EngineList>> {
    let listed = tokio::task::spawn_blocking(move || engines(&service, &Store::open()?)).await;
    let engines = listed.map_err(|error| Error::internal("listing panicked").with_source(error))??;
    Ok(Json(EngineList { engines }))
}
