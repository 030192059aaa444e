//! `/lipsync`: moves lips while the client waits, or as a job.

use super::jobs::limited;
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Body, idempotency_key, prefers_async};
use crate::routes::WarningBody;
use crate::service::{Service, Wishes};
use crate::tasks::{CharacterTask, FaceTask, LipsyncOptions, LipsyncTask, Source, null_is_default};
use crate::upload::{FileKind, Received, Wanted, is_form, receive};
use crate::views;
use crate::work::{LipsyncResult, OutputFacts, Timing};
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_cloud::RemoteUrl;
use viseme_jobs::{Job, JobKind};

/// The parts of a form.
pub(super) const PARTS: [Wanted; 2] =
    [Wanted::new("video", FileKind::Video), Wanted::new("audio", FileKind::Audio)];

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(lipsync)).layer(DefaultBodyLimit::disable())
}

/// What to do, with which files.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LipsyncRequest {
    /// The video, or a photo.
    #[schema(value_type = String, format = Uri)]
    pub(super) video_url: RemoteUrl,
    /// The new speech.
    #[schema(value_type = String, format = Uri)]
    pub(super) audio_url: RemoteUrl,
    /// A presigned address to which the result is sent with one PUT, as `video/mp4`. `POST /lipsync` needs it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    pub(super) upload_url: Option<RemoteUrl>,
    /// Faces that were found before. Nobody else speaks.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) faces: Vec<FaceTask>,
    /// People, each with a picture. They speak wherever they are seen.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) characters: Vec<CharacterRequest>,
    /// How.
    #[serde(flatten)]
    pub(super) options: LipsyncOptions,
}

/// Somebody, and where a picture of the face is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Character)]
pub(crate) struct CharacterRequest {
    /// The name in the result.
    id: String,
    /// The name for people.
    #[serde(default)]
    name: Option<String>,
    /// A picture that shows this face and no other.
    #[schema(value_type = String, format = Uri)]
    reference_image_url: RemoteUrl,
}

impl CharacterRequest {
    /// The same for a job.
    pub(super) fn tasks(characters: Vec<Self>) -> Vec<CharacterTask> {
        let task = |one: Self| CharacterTask {
            id: one.id,
            name: one.name,
            reference: Source::Url(one.reference_image_url),
        };
        characters.into_iter().map(task).collect()
    }

    /// Every address that they name.
    pub(super) fn urls(characters: &[Self]) -> impl Iterator<Item = (&'static str, &RemoteUrl)> {
        characters.iter().map(|one| ("characters", &one.reference_image_url))
    }
}

/// Checks every address before anything is sent to it.
///
/// # Errors
/// 400 with the field of the first that must not be asked.
pub(super) fn check_urls<'a>(
    service: &Service,
    urls: impl Iterator<Item = (&'static str, &'a RemoteUrl)>,
) -> ApiResult<()> {
    for (param, url) in urls {
        service.client.check(url).map_err(|error| ApiError::from(error).with_param(param))?;
    }
    Ok(())
}

impl LipsyncRequest {
    /// Checks everything that can be checked before a job is made of it.
    ///
    /// # Errors
    /// 400 for an address that must not be asked, 422 for a value that cannot be.
    pub(super) fn task(self, service: &Service) -> ApiResult<LipsyncTask> {
        self.options.check()?;
        let urls = [("video_url", &self.video_url), ("audio_url", &self.audio_url)].into_iter();
        let urls = urls.chain(self.upload_url.iter().map(|url| ("upload_url", url)));
        check_urls(service, urls.chain(CharacterRequest::urls(&self.characters)))?;
        FaceTask::check_all(&self.faces)?;
        Ok(LipsyncTask {
            video: Source::Url(self.video_url),
            audio: Source::Url(self.audio_url),
            upload_url: self.upload_url,
            characters: CharacterRequest::tasks(self.characters),
            faces: self.faces,
            options: self.options,
        })
    }
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LipsyncResponse {
    success: bool,
    error_message: Option<String>,
    /// `total_detected`, `processed`, `unknown`, `results[]` and `unknown_faces[]`.
    #[schema(value_type = Object)]
    faces: Value,
    output: OutputFacts,
    timing: Timing,
    method_used: String,
    warnings: Vec<WarningBody>,
    #[serde(flatten)]
    flat: Option<FlatResponse>,
}

/// The same again in the words of services that know characters.
#[derive(Debug, Serialize, ToSchema)]
struct FlatResponse {
    output_url: String,
    processed_characters: Vec<String>,
    output_duration_ms: u64,
    output_width: u32,
    output_height: u32,
    output_fps: f64,
    output_size_bytes: u64,
    timing_download_ms: u64,
    timing_tracking_ms: u64,
    timing_lipsync_ms: u64,
    timing_upload_ms: u64,
    timing_total_ms: u64,
}

impl LipsyncResponse {
    fn new(result: Value, task: &LipsyncTask) -> ApiResult<Self> {
        let warnings = views::warnings(&result);
        let result: LipsyncResult = views::read(result)?;
        let flat = (!task.characters.is_empty()).then(|| FlatResponse::new(&result, task));
        let LipsyncResult { faces, output, timing, method_used, .. } = result;
        Ok(Self { success: true, error_message: None, faces, output, timing, method_used, warnings, flat })
    }
}

impl FlatResponse {
    fn new(result: &LipsyncResult, task: &LipsyncTask) -> Self {
        let LipsyncResult { output, timing, .. } = result;
        let results = result.faces["results"].as_array().into_iter().flatten();
        let done = results.filter(|face| face["success"] == true);
        Self {
            output_url: task.upload_url.as_ref().map(without_query).unwrap_or_default(),
            processed_characters: done
                .filter_map(|face| Some(face["character_id"].as_str()?.to_owned()))
                .collect(),
            output_duration_ms: output.duration_ms,
            output_width: output.width,
            output_height: output.height,
            output_fps: output.fps,
            output_size_bytes: output.file_size_bytes,
            timing_download_ms: timing.download_ms,
            timing_tracking_ms: timing.detection_ms,
            timing_lipsync_ms: timing.lipsync_ms,
            timing_upload_ms: timing.upload_ms,
            timing_total_ms: timing.total_ms,
        }
    }
}

/// Where a file was sent, without the signature that allowed it.
pub(super) fn without_query(url: &RemoteUrl) -> String {
    let mut url = url.as_url().clone();
    url.set_query(None);
    url.to_string()
}

/// Moves lips.
///
/// With JSON: fetches the files, waits, sends the result to `upload_url` and says what was done. With the header `Prefer:
/// respond-async` it answers 202 at once. With a form of `video`, `audio` and `method` it always does.
#[utoipa::path(
    post, path = "/lipsync", tag = "lipsync",
    request_body(content((LipsyncRequest = "application/json"), (LipsyncForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "The result was sent", body = LipsyncResponse),
        (status = 202, description = "The job, which goes on", body = Accepted),
        (status = 400, description = "An address or a file that cannot be used"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn lipsync(State(service): State<Arc<Service>>, owner: Owner, request: Request) -> ApiResult<Response> {
    let headers = request.headers().clone();
    if is_form(&headers) {
        return from_form(&service, &owner, &headers, request).await;
    }
    let request = limited(request, service.settings.sizes.json);
    let Body(request) = Body::<LipsyncRequest>::from_request(request, &()).await?;
    let task = request.task(&service)?;
    if task.upload_url.is_none() {
        return Err(ApiError::unprocessable(
            "upload_url",
            "upload_url is missing: where should the result go?",
        )
        .with_hint("Without one, take POST /v1/jobs and fetch the result from there."));
    }
    let body = |result| LipsyncResponse::new(result, &task);
    answer(&service, &owner, &headers, (JobKind::Lipsync, &task), body).await
}

/// The parts of a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct LipsyncForm {
    #[schema(value_type = String, format = Binary)]
    video: Vec<u8>,
    #[schema(value_type = String, format = Binary)]
    audio: Vec<u8>,
    /// `auto`, `heygen`, `wav2lip`, or any engine.
    #[schema(default = "auto")]
    method: Option<String>,
}

/// A job that was taken on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    #[schema(value_type = String, format = Uuid)]
    task_id: viseme_jobs::JobId,
    #[schema(value_type = String)]
    status: &'static str,
}

async fn from_form(
    service: &Service,
    owner: &Owner,
    headers: &HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let received = receive(service, request, &PARTS).await?;
    let made = async {
        let task = uploaded(&received, received.field("method").unwrap_or("auto"))?;
        let key = idempotency_key(headers)?;
        let wishes = Wishes { idempotency_key: key, content: Some(received.content()), ..Wishes::default() };
        service.submit(owner, JobKind::Lipsync, &task, wishes).await
    };
    let job = received.settle(service, made.await).await?;
    Ok(accepted(&job, prefers_async(headers)))
}

/// The task of two files that were sent.
pub(super) fn uploaded(received: &Received, method: &str) -> ApiResult<LipsyncTask> {
    let options = LipsyncOptions { engine: engine_of(method)?, ..LipsyncOptions::default() };
    options.check()?;
    Ok(LipsyncTask {
        video: Source::Upload(received.file("video")?.key.clone()),
        audio: Source::Upload(received.file("audio")?.key.clone()),
        upload_url: None,
        characters: Vec::new(),
        faces: Vec::new(),
        options,
    })
}

/// The engine of a method; none is the built-in one.
///
/// # Errors
/// 501 for one that is not there yet.
pub(super) fn engine_of(method: &str) -> ApiResult<Option<String>> {
    match method {
        "" | "auto" => Ok(None),
        "heygen" => Err(ApiError::new(
            StatusCode::NOT_IMPLEMENTED,
            "unsupported",
            "HeyGen cannot be used from this version",
        )
        .with_param("method")
        .with_hint("Take auto, native or wav2lip.")),
        name => Ok(Some(name.to_owned())),
    }
}

/// Does a task for a client that waits for its result, of which `body` makes the answer. One that would rather not wait
/// (`Prefer: respond-async`) is answered 202 at once.
///
/// # Errors
/// Whatever the job fails with.
pub(super) async fn answer<B: Serialize>(
    service: &Service,
    owner: &Owner,
    headers: &HeaderMap,
    (kind, task): (JobKind, &impl Serialize),
    body: impl FnOnce(Value) -> ApiResult<B>,
) -> ApiResult<Response> {
    let wishes = Wishes { idempotency_key: idempotency_key(headers)?, ..Wishes::default() };
    let job = service.submit(owner, kind, task, wishes).await?;
    if prefers_async(headers) {
        return Ok(accepted(&job, true));
    }
    let result = service.result(job.id).await?;
    Ok(Json(body(result)?).into_response())
}

/// The answer to a client that does not wait.
pub(super) fn accepted(job: &Job, was_preferred: bool) -> Response {
    let body = Accepted { task_id: job.id, status: "processing" };
    let place = [(header::LOCATION, format!("/v1/jobs/{}", job.id))];
    let mut response = (StatusCode::ACCEPTED, place, Json(json!(body))).into_response();
    if was_preferred {
        let applied = axum::http::HeaderValue::from_static("respond-async");
        response.headers_mut().insert("preference-applied", applied);
    }
    response
}
