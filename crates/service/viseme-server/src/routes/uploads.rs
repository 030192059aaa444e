//! `/api/lip-sync`: for clients that send their files, wait, and fetch the result.

use super::files::{VIDEO, send};
use super::lipsync::uploaded;
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::{OwnJob, idempotency_key};
use crate::service::{Service, Wishes};
use crate::upload::{FileKind, Received, Wanted, receive};
use crate::views;
use crate::work::LipsyncResult;
use axum::Json;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_jobs::{Job, JobFilter, JobId, JobKind, JobState};
use viseme_media::MediaInfo;

/// Jobs that are listed: the newest.
const MOST_LISTED: u32 = 500;

/// Files of one kind that are taken.
struct Formats {
    kind: &'static str,
    extensions: &'static [&'static str],
    /// What is in such files, in ffmpeg's names of containers.
    containers: &'static [&'static str],
}

const VIDEOS: Formats = Formats {
    kind: "video",
    extensions: &["mp4", "avi", "mov", "mkv", "webm"],
    containers: &["mov", "avi", "matroska"],
};

const SOUNDS: Formats = Formats {
    kind: "audio",
    extensions: &["mp3", "wav", "m4a", "aac", "ogg"],
    containers: &["mp3", "wav", "mov", "aac", "ogg"],
};

/// The files of a form: the content counts as well as the name.
const PARTS: [Wanted; 2] = [
    Wanted {
        check_name: |name| VIDEOS.check_name(name),
        check_content: |info| VIDEOS.check_content(info),
        in_their_words: |error| VIDEOS.in_their_words(error),
        ..Wanted::new("video", FileKind::Video)
    },
    Wanted {
        check_name: |name| SOUNDS.check_name(name),
        check_content: |info| SOUNDS.check_content(info),
        in_their_words: |error| SOUNDS.in_their_words(error),
        ..Wanted::new("audio", FileKind::Audio)
    },
];

impl Formats {
    fn check_name(&self, name: &str) -> ApiResult<()> {
        let extension = std::path::Path::new(name).extension().and_then(|extension| extension.to_str());
        let is_known =
            |extension: &str| self.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
        if extension.is_some_and(is_known) {
            return Ok(());
        }
        Err(ApiError::bad_request("its name ends in none of these"))
    }

    fn check_content(&self, info: &MediaInfo) -> ApiResult<()> {
        if self.containers.contains(&info.container.as_str()) {
            return Ok(());
        }
        Err(ApiError::bad_request(format!("whatever its name says, it is {}", info.container)))
    }

    /// The error for a file that is of no use; one that is too large is called that.
    fn in_their_words(&self, error: ApiError) -> ApiError {
        if ![StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE].contains(&error.status) {
            return error;
        }
        let supported: Vec<String> =
            self.extensions.iter().map(|extension| format!(".{extension}")).collect();
        let message = format!("Invalid {} format. Supported: {}", self.kind, supported.join(", "));
        ApiError::bad_request(message).with_hint(format!("The file cannot be used: {}.", error.message))
    }
}

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(generate))
        .routes(routes!(status))
        .routes(routes!(download))
        .routes(routes!(cleanup))
        .routes(routes!(list))
        .layer(DefaultBodyLimit::disable())
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
struct UploadsHealth {
    /// `ready` or `unavailable`.
    status: &'static str,
    models_loaded: bool,
    /// What models run on: `cpu` or `cuda`.
    device: &'static str,
    /// Why it is not ready.
    error: Option<String>,
}

/// Whether lips can be moved.
#[utoipa::path(get, path = "/api/lip-sync/health", tag = "uploads", responses((status = 200, body = UploadsHealth)))]
async fn health(State(service): State<Arc<Service>>) -> Json<UploadsHealth> {
    let fault = service.built_in_fault();
    Json(UploadsHealth {
        status: if fault.is_none() { "ready" } else { "unavailable" },
        models_loaded: fault.is_none(),
        device: service.machine().device,
        error: fault,
    })
}

/// The parts of a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct GenerateForm {
    /// .mp4, .avi, .mov, .mkv or .webm.
    #[schema(value_type = String, format = Binary)]
    video: Vec<u8>,
    /// .mp3, .wav, .m4a, .aac or .ogg.
    #[schema(value_type = String, format = Binary)]
    audio: Vec<u8>,
    /// Chin room of the mouth box in pixels.
    bbox_shift: Option<i32>,
    /// `auto`, or any engine.
    #[schema(default = "auto")]
    method: Option<String>,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
struct Generated {
    success: bool,
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    message: &'static str,
    /// Names the result. `GET /api/lip-sync/download/{job_id}` gives it.
    output_path: String,
}

/// Moves the lips of a video that is sent along, and waits until it is done.
#[utoipa::path(
    post, path = "/api/lip-sync/generate", tag = "uploads",
    request_body(content = GenerateForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "It is done", body = Generated),
        (status = 400, description = "A file of another format"),
        (status = 413, description = "A file that is too large"),
        (status = 500, description = "It failed"),
        (status = 503, description = "A model that it needs is not there"),
    )
)]
async fn generate(
    State(service): State<Arc<Service>>,
    owner: Owner,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Json<Generated>> {
    let received = receive(&service, request, &PARTS).await?;
    let made = async {
        let mut task = uploaded(&received, received.field("method").unwrap_or("auto"))?;
        task.options.bbox_shift = Some(bbox_shift(&received, service.settings.bbox_shift)?);
        let wishes = Wishes {
            idempotency_key: idempotency_key(&headers)?,
            content: Some(received.content()),
            ..Wishes::default()
        };
        service.submit(&owner, JobKind::Lipsync, &task, wishes).await
    };
    let job = received.settle(&service, made.await).await?;
    service.result(job.id).await?;
    Ok(Json(Generated {
        success: true,
        job_id: job.id,
        message: "Lip sync completed successfully",
        output_path: output_path(job.id),
    }))
}

fn bbox_shift(received: &Received, unless_sent: i32) -> ApiResult<i32> {
    let Some(sent) = received.field("bbox_shift") else { return Ok(unless_sent) };
    sent.trim()
        .parse()
        .map_err(|_| ApiError::bad_request("bbox_shift is no whole number").with_param("bbox_shift"))
}

/// What clients see as the place of a result. It tells nothing of where that lies.
fn output_path(job: JobId) -> String {
    format!("outputs/{job}/lip_sync_{job}.mp4")
}

/// How far a job is.
#[derive(Debug, Serialize, ToSchema)]
struct JobStatus {
    #[serde(flatten)]
    job: ListedJob,
    /// Names the result when there is one.
    output_path: Option<String>,
    /// Why it failed.
    error: Option<String>,
}

/// A job in a list.
#[derive(Debug, Serialize, ToSchema)]
struct ListedJob {
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// `queued`, `processing`, `completed`, `failed` or `cancelled`.
    status: &'static str,
    /// ISO 8601.
    #[schema(format = DateTime)]
    created_at: String,
    /// ISO 8601.
    #[schema(format = DateTime)]
    completed_at: Option<String>,
}

impl ListedJob {
    fn new(job: &Job) -> Self {
        let status = match job.state {
            JobState::Running => "processing",
            state => state.name(),
        };
        Self {
            job_id: job.id,
            status,
            created_at: iso_8601(job.created_at),
            completed_at: job.finished_at.map(iso_8601),
        }
    }
}

/// With the offset in figures: Python before 3.11 reads no `Z`.
fn iso_8601(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// How far a job is.
#[utoipa::path(
    get, path = "/api/lip-sync/status/{job_id}", tag = "uploads",
    params(("job_id" = String, Path, description = "The name of the job")),
    responses((status = 200, body = JobStatus), (status = 404, description = "There is no such job"))
)]
async fn status(OwnJob(job): OwnJob) -> ApiResult<Json<JobStatus>> {
    let job = that_moves_lips(job)?;
    Ok(Json(JobStatus {
        output_path: (job.state == JobState::Completed).then(|| output_path(job.id)),
        error: job
            .error
            .as_ref()
            .filter(|_| job.state == JobState::Failed)
            .map(|error| error.message.clone()),
        job: ListedJob::new(&job),
    }))
}

/// The video that a job has made. Ranges can be asked for.
#[utoipa::path(
    get, path = "/api/lip-sync/download/{job_id}", tag = "uploads",
    params(("job_id" = String, Path, description = "The name of the job")),
    responses(
        (status = 200, description = "The video", content_type = "video/mp4", body = Vec<u8>),
        (status = 206, description = "The part that the header Range asked for"),
        (status = 404, description = "There is no such job"),
        (status = 409, description = "It has made no video"),
    )
)]
async fn download(
    State(service): State<Arc<Service>>,
    OwnJob(job): OwnJob,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let job = that_moves_lips(job)?;
    if job.state != JobState::Completed {
        return Err(ApiError::conflict(format!("the job is {}", ListedJob::new(&job).status))
            .with_hint("Ask GET /api/lip-sync/status/{job_id} until it is completed."));
    }
    let result: LipsyncResult = views::read(job.result.unwrap_or_default())?;
    send(&service.artifacts, (&result.artifact, VIDEO), &headers).await
}

/// That something was done.
#[derive(Debug, Serialize, ToSchema)]
struct Cleaned {
    success: bool,
    message: &'static str,
}

/// Deletes the files of a job that has ended, and forgets it.
#[utoipa::path(
    delete, path = "/api/lip-sync/cleanup/{job_id}", tag = "uploads",
    params(("job_id" = String, Path, description = "The name of the job")),
    responses(
        (status = 200, body = Cleaned),
        (status = 404, description = "There is no such job"),
        (status = 409, description = "It has not ended"),
    )
)]
async fn cleanup(State(service): State<Arc<Service>>, OwnJob(job): OwnJob) -> ApiResult<Json<Cleaned>> {
    let job = that_moves_lips(job)?;
    if !job.state.is_final() {
        return Err(ApiError::conflict("the job has not ended")
            .with_hint("Wait, or call it off with POST /v1/jobs/{id}/cancel."));
    }
    service.forget(&job).await?;
    Ok(Json(Cleaned { success: true, message: "Job files deleted" }))
}

/// The jobs of a client.
#[derive(Debug, Serialize, ToSchema)]
struct JobList {
    /// How many there are in all.
    total: u64,
    /// The newest first, 500 at most.
    jobs: Vec<ListedJob>,
}

/// Lists jobs, the newest first.
#[utoipa::path(get, path = "/api/lip-sync/jobs", tag = "uploads", responses((status = 200, body = JobList)))]
async fn list(State(service): State<Arc<Service>>, owner: Owner) -> ApiResult<Json<JobList>> {
    let filter = JobFilter {
        owner: Some(owner.name().to_owned()),
        kinds: vec![JobKind::Lipsync],
        ..JobFilter::default()
    };
    let page = service.store.list(&filter, None, MOST_LISTED).await?;
    Ok(Json(JobList { total: page.total, jobs: page.jobs.iter().map(ListedJob::new).collect() }))
}

/// The job, when it is one of those that these addresses know.
fn that_moves_lips(job: Job) -> ApiResult<Job> {
    if job.kind == JobKind::Lipsync { Ok(job) } else { Err(ApiError::no_such_job()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_by_their_ending() {
        for good in ["a.mp4", "A.MOV", "a.b.webm", "C:\\x\\talk.mkv"] {
            VIDEOS.check_name(good).unwrap();
        }
        for bad in ["", "mp4", "a.mp3", ".mp4", "a.mp4 ", "a.mp4.exe"] {
            let error = VIDEOS.in_their_words(VIDEOS.check_name(bad).unwrap_err());
            assert_eq!(error.message, "Invalid video format. Supported: .mp4, .avi, .mov, .mkv, .webm");
        }
        let error = SOUNDS.in_their_words(SOUNDS.check_name("a.flac").unwrap_err());
        assert_eq!(error.message, "Invalid audio format. Supported: .mp3, .wav, .m4a, .aac, .ogg");
    }

    #[test]
    fn times_are_read_by_old_pythons() {
        let time: Timestamp = "2026-02-10T12:00:00.123456Z".parse().unwrap();
        assert_eq!(iso_8601(time), "2026-02-10T12:00:00+00:00");
    }
}
