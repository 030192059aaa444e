//! `/v1/estimate`: what a job would take and cost.

use super::lipsync::check_urls;
use crate::error::{ApiError, ApiResult};
use crate::estimate::{Calibration, Clip, MOST_JOBS, Queue, typical_job_s};
use crate::extract::Body;
use crate::service::Service;
use crate::tasks::LipsyncOptions;
use crate::upload::{FileKind, Wanted, look_at};
use crate::work::cost_usd;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme::LoopMode;
use viseme_cloud::RemoteUrl;
use viseme_core::Error;
use viseme_jobs::{JobFilter, JobKind, JobState};
use viseme_media::MediaInfo;

/// The frame rate of a video where none is said.
const FPS: f64 = 25.0;
/// Most frames per second of an estimate.
const MOST_FPS: f64 = 1000.0;
/// Most columns, and rows, of an estimate.
const MOST_SIDE: u32 = 32_768;
/// Estimates that fetch files at a time.
static FETCHES: Semaphore = Semaphore::const_new(2);

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(estimate))
}

/// What is to be made: the input of a lipsync job, whose files are then fetched and looked at, or `duration_s`, `width` and
/// `height`.
#[derive(Debug, Deserialize, ToSchema)]
struct EstimateRequest {
    /// The video.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    video_url: Option<RemoteUrl>,
    /// The speech.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    audio_url: Option<RemoteUrl>,
    /// Length of the result in seconds.
    #[serde(default)]
    duration_s: Option<f64>,
    /// Columns of the picture.
    #[serde(default)]
    width: Option<u32>,
    /// Rows of the picture.
    #[serde(default)]
    height: Option<u32>,
    /// Frames per second. Null is 25.
    #[serde(default)]
    fps: Option<f64>,
    /// How. `engine` and `loop_mode` matter here.
    #[serde(flatten)]
    options: LipsyncOptions,
}

/// What it would take and cost.
#[derive(Debug, Serialize, ToSchema)]
struct Estimate {
    engine: String,
    /// Seconds until the job is begun.
    wait_s: f64,
    /// Seconds from then to its end, transfers apart.
    processing_s: f64,
    /// Both together.
    total_s: f64,
    /// What it would cost: nothing, or the time at the price of the machine.
    cost_usd: f64,
    output: EstimatedOutput,
    basis: EstimateBasis,
}

/// What would be made.
#[derive(Debug, Serialize, ToSchema)]
struct EstimatedOutput {
    duration_s: f64,
    width: u32,
    height: u32,
    fps: f64,
    frames: u64,
}

/// What the estimate rests on.
#[derive(Debug, Serialize, ToSchema)]
struct EstimateBasis {
    /// Jobs of this engine that this server has done lately. None: the documented figures of two server cores.
    measured_jobs: usize,
    /// How much longer than on two server cores jobs take here.
    factor: f64,
    /// Jobs that wait.
    waiting: u64,
    /// Jobs that run.
    running: u64,
    /// Jobs that are done at a time.
    slots: u64,
}

impl EstimateRequest {
    /// What would be made.
    ///
    /// # Errors
    /// 400 and 422 with the field; those of the download where the files have to be looked at.
    async fn clip(&self, service: &Service) -> ApiResult<Clip> {
        check_number("duration_s", self.duration_s, service.settings.media.duration_s)?;
        check_number("fps", self.fps, MOST_FPS)?;
        check_number("width", self.width.map(f64::from), f64::from(MOST_SIDE))?;
        check_number("height", self.height.map(f64::from), f64::from(MOST_SIDE))?;
        if let (Some(duration_s), Some(width), Some(height)) = (self.duration_s, self.width, self.height) {
            return Ok(Clip { duration_s, width, height, fps: self.fps.unwrap_or(FPS) });
        }
        let (Some(video), Some(audio)) = (&self.video_url, &self.audio_url) else {
            return Err(ApiError::unprocessable("duration_s", "neither the size nor the files are said")
                .with_hint("Send duration_s, width and height, or video_url and audio_url."));
        };
        check_urls(service, [("video_url", video), ("audio_url", audio)].into_iter())?;
        let found = fetched_clip(service, video, audio, self.options.loop_mode()).await?;
        Ok(Clip {
            duration_s: self.duration_s.unwrap_or(found.duration_s),
            width: self.width.unwrap_or(found.width),
            height: self.height.unwrap_or(found.height),
            fps: self.fps.unwrap_or(found.fps),
        })
    }
}

fn check_number(param: &str, value: Option<f64>, most: f64) -> ApiResult<()> {
    match value {
        Some(value) if !(value > 0.0 && value <= most) => {
            Err(ApiError::unprocessable(param, format!("{param} is not above 0 and at most {most}")))
        }
        _ => Ok(()),
    }
}

/// Fetches the files of a job, looks at them and removes them.
async fn fetched_clip(
    service: &Service,
    video: &RemoteUrl,
    audio: &RemoteUrl,
    loop_mode: LoopMode,
) -> ApiResult<Clip> {
    let _turn = FETCHES.acquire().await.map_err(|_| Error::internal("nobody may fetch any more"))?;
    let folder = tempfile::Builder::new().prefix("incoming-").tempdir_in(&service.settings.data);
    let folder = folder.map_err(|source| Error::io("make a folder for the estimate", source))?;
    let sizes = &service.settings.sizes;
    let video_file = (folder.path().join("video"), sizes.video, Wanted::new("video_url", FileKind::Video));
    let audio_file = (folder.path().join("audio"), sizes.audio, Wanted::new("audio_url", FileKind::Audio));
    let video = fetched(service, video, &video_file.0, video_file.1, &video_file.2).await?;
    let audio = fetched(service, audio, &audio_file.0, audio_file.1, &audio_file.2).await?;
    let picture = video.video.as_ref().ok_or_else(|| ApiError::bad_request("the video has no picture"))?;
    let rate = picture.average_frame_rate;
    let fps = f64::from(rate.numerator) / f64::from(rate.denominator.max(1));
    let duration_s = match loop_mode {
        LoopMode::None if !video.is_still => video.duration_s.min(audio.duration_s),
        _ => audio.duration_s,
    };
    let fps = if video.is_still || fps <= 0.0 { FPS } else { fps };
    Ok(Clip { duration_s, width: picture.width, height: picture.height, fps })
}

async fn fetched(
    service: &Service,
    url: &RemoteUrl,
    to: &Path,
    most_bytes: u64,
    wanted: &Wanted,
) -> ApiResult<MediaInfo> {
    let of_param = |error: Error| ApiError::from(error).with_param(wanted.part);
    service.client.download(url, to, most_bytes).await.map_err(of_param)?;
    look_at(to, wanted, &service.settings.media).await
}

/// Says what a lipsync job would take and cost, without beginning it.
#[utoipa::path(
    post, path = "/v1/estimate", tag = "estimate",
    request_body = EstimateRequest,
    responses(
        (status = 200, body = Estimate),
        (status = 400, description = "An address or a file that cannot be used"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn estimate(
    State(service): State<Arc<Service>>,
    Body(request): Body<EstimateRequest>,
) -> ApiResult<Json<Estimate>> {
    request.options.check()?;
    let clip = request.clip(&service).await?;
    let engine = request.options.engine.unwrap_or_else(|| "native".to_owned());
    let filter = JobFilter {
        kinds: vec![JobKind::Lipsync],
        states: vec![JobState::Completed],
        ..JobFilter::default()
    };
    let done = service.store.list(&filter, None, MOST_JOBS).await?.jobs;
    let calibration = Calibration::of(&done, &engine);
    let processing_s = clip.seconds(&engine, calibration);
    let queue = queue(&service).await?;
    let wait_s = queue.wait_s(typical_job_s(&done).unwrap_or(processing_s));
    Ok(Json(Estimate {
        engine,
        wait_s,
        processing_s,
        total_s: wait_s + processing_s,
        cost_usd: cost_usd(service.settings.gpu_usd_per_hour, processing_s),
        output: EstimatedOutput {
            duration_s: clip.duration_s,
            width: clip.width,
            height: clip.height,
            fps: clip.fps,
            frames: clip.frames() as u64,
        },
        basis: EstimateBasis {
            measured_jobs: calibration.jobs,
            factor: calibration.factor,
            waiting: queue.waiting,
            running: queue.running,
            slots: queue.slots,
        },
    }))
}

/// The jobs that are there already, of all clients. As many can be done at a time as this process does, or as are being done
/// by several.
async fn queue(service: &Service) -> Result<Queue, Error> {
    let counts = service.store.counts().await?;
    let takes_time = |kind: JobKind| !matches!(kind, JobKind::Webhook | JobKind::Batch);
    let of = |state: JobState| {
        counts.iter().filter(|((kind, s), _)| *s == state && takes_time(*kind)).map(|(_, count)| count).sum()
    };
    let (waiting, running): (u64, u64) = (of(JobState::Queued), of(JobState::Running));
    let slots = (service.settings.workers as u64).max(running).max(1);
    Ok(Queue { waiting, running, slots })
}
