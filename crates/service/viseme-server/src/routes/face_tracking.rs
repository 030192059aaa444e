//! `/face-tracking`: draws the faces of a video while the client waits, or as a job.

use super::lipsync::{Accepted, CharacterRequest, answer, check_urls, without_query};
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::Body;
use crate::routes::WarningBody;
use crate::service::Service;
use crate::tasks::{Source, TrackingTask, check_unit, null_is_default};
use crate::views;
use crate::work::TrackingResult;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_cloud::RemoteUrl;
use viseme_jobs::JobKind;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(face_tracking))
}

/// Whom to follow, where.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TrackingRequest {
    /// The video.
    #[schema(value_type = String, format = Uri)]
    pub(super) video_url: RemoteUrl,
    /// A presigned address to which the result is sent with one PUT.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    pub(super) upload_url: Option<RemoteUrl>,
    /// People, each with a picture.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) characters: Vec<CharacterRequest>,
    /// Least likeness of a face and a reference picture, 0 to 1.
    #[serde(default)]
    #[schema(default = 0.5)]
    pub(super) similarity_threshold: Option<f32>,
    /// How strongly faces are smoothed over time, 0 to 1.
    #[serde(default)]
    #[schema(default = 0.3)]
    pub(super) temporal_smoothing: Option<f32>,
}

impl TrackingRequest {
    /// Checks everything that can be checked before a job is made of it.
    ///
    /// # Errors
    /// 400 for an address that must not be asked, 422 for a value that cannot be.
    pub(super) fn task(self, service: &Service) -> ApiResult<TrackingTask> {
        check_unit("similarity_threshold", self.similarity_threshold)?;
        check_unit("temporal_smoothing", self.temporal_smoothing)?;
        let urls = [("video_url", &self.video_url)].into_iter();
        let urls = urls.chain(self.upload_url.iter().map(|url| ("upload_url", url)));
        check_urls(service, urls.chain(CharacterRequest::urls(&self.characters)))?;
        Ok(TrackingTask {
            video: Source::Url(self.video_url),
            upload_url: self.upload_url,
            characters: CharacterRequest::tasks(self.characters),
            similarity_threshold: self.similarity_threshold,
            temporal_smoothing: self.temporal_smoothing,
        })
    }
}

/// What was drawn.
#[derive(Debug, Serialize, ToSchema)]
struct FaceTrackingResponse {
    /// Where the video was sent, without the signature that allowed it.
    output_url: String,
    /// The colour of everybody who is seen, by id: `#rrggbb`.
    character_colors: BTreeMap<String, String>,
    frame_count: u64,
    fps: f64,
    /// How long it took, in milliseconds.
    total_ms: u64,
    warnings: Vec<WarningBody>,
}

impl FaceTrackingResponse {
    fn new(result: Value, output_url: String) -> ApiResult<Self> {
        let warnings = views::warnings(&result);
        let TrackingResult { character_colors, frame_count, fps, total_ms, .. } = views::read(result)?;
        Ok(Self { output_url, character_colors, frame_count, fps, total_ms, warnings })
    }
}

/// Draws the faces that it follows, coloured and labelled by character, and sends the video to `upload_url`.
///
/// Waits for the result. With the header `Prefer: respond-async` it answers 202 at once.
#[utoipa::path(
    post, path = "/face-tracking", tag = "faces", request_body = TrackingRequest,
    responses(
        (status = 200, description = "The video was sent", body = FaceTrackingResponse),
        (status = 202, description = "The job, which goes on", body = Accepted),
        (status = 400, description = "An address or a file that cannot be used"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn face_tracking(
    State(service): State<Arc<Service>>,
    owner: Owner,
    headers: HeaderMap,
    Body(request): Body<TrackingRequest>,
) -> ApiResult<Response> {
    let task = request.task(&service)?;
    let Some(output_url) = task.upload_url.as_ref().map(without_query) else {
        return Err(ApiError::unprocessable(
            "upload_url",
            "upload_url is missing: where should the video go?",
        ));
    };
    if task.characters.is_empty() {
        return Err(ApiError::unprocessable("characters", "characters is empty: who should be followed?"));
    }
    let body = |result| FaceTrackingResponse::new(result, output_url);
    answer(&service, &owner, &headers, (JobKind::Tracking, &task), body).await
}
