//! `/api/lipsync`: pictures that speak a text.

use super::images::registered;
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::Body;
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Longest text, in characters: some ten minutes of speech.
const LONGEST_TEXT: usize = 10_000;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(generate))
}

/// Which picture is to say what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TalkingPhotoRequest {
    /// The name under which the picture was registered with `PUT /v1/images/{imageId}`.
    image_id: String,
    /// What it says.
    text: String,
    /// In which voice.
    #[serde(default)]
    #[schema(default = "default")]
    #[expect(dead_code, reason = "part of the contract; nothing speaks yet")]
    voice_id: Option<String>,
}

/// A picture that speaks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TalkingPhotoResponse {
    success: bool,
    video_id: Uuid,
    /// A signed link, which needs no token.
    video_url: Option<String>,
    video_path: Option<String>,
    /// In seconds.
    duration: Option<f64>,
    /// `processing`, `completed` or `failed`.
    status: &'static str,
    error: Option<String>,
}

/// Makes a registered picture say a text. Not there yet: what cannot be done is answered with 501.
#[utoipa::path(
    post, path = "/api/lipsync/generate-talking-photo", tag = "talking photo", request_body = TalkingPhotoRequest,
    responses(
        (status = 200, description = "The video", body = TalkingPhotoResponse),
        (status = 404, description = "There is no such picture"),
        (status = 422, description = "There is nothing to say"),
        (status = 501, description = "This version cannot make speech from text"),
    )
)]
async fn generate(
    State(service): State<Arc<Service>>,
    owner: Owner,
    Body(request): Body<TalkingPhotoRequest>,
) -> ApiResult<Json<TalkingPhotoResponse>> {
    if request.text.trim().is_empty() {
        return Err(ApiError::unprocessable("text", "the text is empty"));
    }
    if request.text.chars().count() > LONGEST_TEXT {
        let message = format!("the text has more than {LONGEST_TEXT} characters");
        return Err(ApiError::unprocessable("text", message));
    }
    registered(&service, &owner, &request.image_id).await.map_err(|error| error.with_param("imageId"))?;
    let message = "this version cannot make speech from text";
    Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "unsupported", message)
        .with_hint("Make the speech elsewhere, and send it with the picture to POST /v1/jobs."))
}
