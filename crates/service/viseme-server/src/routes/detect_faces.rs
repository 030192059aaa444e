//! `/detect-faces`: finds faces while the client waits, or as a job.

use super::lipsync::{Accepted, CharacterRequest, answer, check_urls};
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::Body;
use crate::service::Service;
use crate::tasks::{FacesTask, Source, check_unit, null_is_default};
use crate::views;
use crate::work::FacesResult;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_cloud::RemoteUrl;
use viseme_jobs::JobKind;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(detect_faces))
}

/// Which faces to find, where.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FacesRequest {
    /// The video.
    #[schema(value_type = String, format = Uri)]
    pub(super) video_url: RemoteUrl,
    #[serde(flatten)]
    pub(super) input: FacesInput,
}

/// What there is to say of a faces job besides its video.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FacesInput {
    /// Moments that are looked at, per second: more than 0, at most 120.
    #[serde(default)]
    #[schema(value_type = Option<f64>, default = 3.0)]
    pub(super) sample_fps: Option<f64>,
    /// People, each with a picture.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) characters: Vec<CharacterRequest>,
    /// Least likeness of a face and a reference picture, 0 to 1.
    #[serde(default)]
    #[schema(default = 0.5)]
    pub(super) similarity_threshold: Option<f32>,
    /// From when on, in milliseconds.
    #[serde(default)]
    pub(super) start_time_ms: Option<u64>,
    /// Until when, in milliseconds.
    #[serde(default)]
    pub(super) end_time_ms: Option<u64>,
}

impl FacesRequest {
    /// Checks everything that can be checked before a job is made of it.
    ///
    /// # Errors
    /// 400 for an address that must not be asked, 422 for a value that cannot be.
    pub(super) fn task(self, service: &Service) -> ApiResult<FacesTask> {
        check_urls(service, [("video_url", &self.video_url)].into_iter())?;
        self.input.task(service, Source::Url(self.video_url))
    }
}

impl FacesInput {
    /// As [`FacesRequest::task`], for a video from anywhere.
    pub(super) fn task(self, service: &Service, video: Source) -> ApiResult<FacesTask> {
        let sample_fps = self.sample_fps.unwrap_or(3.0);
        if !(sample_fps > 0.0 && sample_fps <= 120.0) {
            return Err(ApiError::unprocessable("sample_fps", "sample_fps is not above 0 and at most 120"));
        }
        check_unit("similarity_threshold", self.similarity_threshold)?;
        if self.start_time_ms.zip(self.end_time_ms).is_some_and(|(start, end)| start >= end) {
            return Err(ApiError::unprocessable("end_time_ms", "the time ends before it begins"));
        }
        check_urls(service, CharacterRequest::urls(&self.characters))?;
        Ok(FacesTask {
            video,
            sample_fps,
            characters: CharacterRequest::tasks(self.characters),
            similarity_threshold: self.similarity_threshold,
            start_time_ms: self.start_time_ms,
            end_time_ms: self.end_time_ms,
        })
    }
}

/// Finds faces at some moments of a video, and says who they are and whether their lips can be moved.
///
/// Waits for the result. With the header `Prefer: respond-async` it answers 202 at once.
#[utoipa::path(
    post, path = "/detect-faces", tag = "faces", request_body = FacesRequest,
    responses(
        (status = 200, description = "What was seen", body = FacesResult),
        (status = 202, description = "The job, which goes on", body = Accepted),
        (status = 400, description = "An address or a file that cannot be used"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn detect_faces(
    State(service): State<Arc<Service>>,
    owner: Owner,
    headers: HeaderMap,
    Body(request): Body<FacesRequest>,
) -> ApiResult<Response> {
    let task = request.task(&service)?;
    answer(&service, &owner, &headers, (JobKind::Faces, &task), views::read::<FacesResult>).await
}
