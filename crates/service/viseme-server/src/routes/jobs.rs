//! `/v1/jobs`: jobs as such.

use super::detect_faces::FacesRequest;
use super::face_tracking::TrackingRequest;
use super::files::{VIDEO, send};
use super::job_form::JobForm;
use super::lipsync::{LipsyncRequest, check_urls};
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Asked, Body, OwnJob, idempotency_key};
use crate::links::Links;
use crate::service::{Service, Wishes, failed};
use crate::tasks::{ScoreTask, Source};
use crate::upload::is_form;
use crate::views::JobBody;
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_cloud::RemoteUrl;
use viseme_jobs::{Job, JobFilter, JobId, JobKind, JobState};

/// Jobs of a page unless more or fewer are asked for.
const PAGE: u32 = 50;
/// Most jobs of a page.
const MOST_PAGE: u32 = 500;
/// Longest time limit of a job.
const MOST_TIME_S: u64 = 24 * 3600;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, delete))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(result))
        .routes(routes!(events))
        .layer(DefaultBodyLimit::disable())
}

/// What to do, and how urgently.
#[derive(Debug, Deserialize, ToSchema)]
struct CreateJob {
    /// What to do.
    #[serde(flatten)]
    work: WorkRequest,
    #[serde(flatten)]
    wishes: WishesRequest,
}

/// How urgently, how often, how long, and who is told.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct WishesRequest {
    /// Higher ones come first, -100 to 100.
    #[serde(default)]
    priority: i32,
    /// How long to wait before it may begin, in milliseconds.
    #[serde(default)]
    delay_ms: u64,
    /// Most times that it is begun, 1 to 10. Null is 3.
    #[serde(default)]
    max_tries: Option<u32>,
    /// How long a try may take, in seconds. Null is what the server says.
    #[serde(default)]
    time_limit_s: Option<u64>,
    /// What is told when the job has ended, by a signed POST.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    webhook_url: Option<RemoteUrl>,
}

/// What to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "input", rename_all = "snake_case")]
enum WorkRequest {
    /// Moves lips.
    Lipsync(Box<LipsyncRequest>),
    /// Finds faces.
    Faces(FacesRequest),
    /// Draws the faces that it follows.
    Tracking(TrackingRequest),
    /// Measures a video.
    Score(ScoreRequest),
}

/// What to measure.
#[derive(Debug, Deserialize, ToSchema)]
struct ScoreRequest {
    /// The video.
    #[schema(value_type = String, format = Uri)]
    video_url: RemoteUrl,
    /// The speech that the lips should follow; null is the video's own sound.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uri)]
    audio_url: Option<RemoteUrl>,
}

impl WishesRequest {
    /// Checks every number.
    ///
    /// # Errors
    /// 422 with the field.
    pub(super) fn wishes(&self, key: Option<String>) -> ApiResult<Wishes> {
        if !(-100..=100).contains(&self.priority) {
            return Err(ApiError::unprocessable("priority", "priority is not between -100 and 100"));
        }
        if self.max_tries.is_some_and(|tries| !(1..=10).contains(&tries)) {
            return Err(ApiError::unprocessable("max_tries", "max_tries is not between 1 and 10"));
        }
        if self.time_limit_s.is_some_and(|seconds| !(1..=MOST_TIME_S).contains(&seconds)) {
            let message = format!("time_limit_s is not between 1 and {MOST_TIME_S}");
            return Err(ApiError::unprocessable("time_limit_s", message));
        }
        if self.delay_ms > 30 * 24 * 3_600_000 {
            return Err(ApiError::unprocessable("delay_ms", "delay_ms is more than 30 days"));
        }
        Ok(Wishes {
            priority: self.priority,
            delay: Duration::from_millis(self.delay_ms),
            max_tries: self.max_tries,
            time_limit: self.time_limit_s.map(Duration::from_secs),
            idempotency_key: key,
            webhook_url: self.webhook_url.clone(),
            content: None,
        })
    }
}

/// Makes a job.
///
/// With JSON of addresses, or with a form of the files `video` and `audio`, a field `kind` (`lipsync`, `faces` or `score`) and
/// a field `options` of JSON: `input` without the addresses, with `priority`, `webhook_url` and so on beside it. The same
/// `Idempotency-Key` gives the same job for a day.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's own name for the request")),
    request_body(content((CreateJob = "application/json"), (JobForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "The job", body = JobBody),
        (status = 400, description = "An address or a file that cannot be used"),
        (status = 413, description = "A file that is too large"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn create(
    State(service): State<Arc<Service>>,
    owner: Owner,
    links: Links,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let key = idempotency_key(&headers)?;
    let job = if is_form(&headers) {
        super::job_form::submit(&service, &owner, key, request).await?
    } else {
        let request = limited(request, service.settings.sizes.json);
        let Body(create) = Body::<CreateJob>::from_request(request, &()).await?;
        let wishes = create.wishes.wishes(key)?;
        create.work.submit(&service, &owner, wishes).await?
    };
    let place = [(header::LOCATION, format!("/v1/jobs/{}", job.id))];
    Ok((StatusCode::CREATED, place, Json(JobBody::new(&job, Some(&links)))).into_response())
}

/// A request whose body may not be longer than `most` bytes.
pub(super) fn limited(request: Request, most: usize) -> Request {
    let (parts, body) = request.into_parts();
    Request::from_parts(parts, axum::body::Body::new(http_body_util::Limited::new(body, most)))
}

impl WorkRequest {
    async fn submit(self, service: &Service, owner: &Owner, wishes: Wishes) -> ApiResult<Job> {
        match self {
            Self::Lipsync(request) => {
                service.submit(owner, JobKind::Lipsync, &request.task(service)?, wishes).await
            }
            Self::Faces(request) => {
                service.submit(owner, JobKind::Faces, &request.task(service)?, wishes).await
            }
            Self::Tracking(request) => {
                service.submit(owner, JobKind::Tracking, &request.task(service)?, wishes).await
            }
            Self::Score(ScoreRequest { video_url, audio_url }) => {
                let urls = [("video_url", &video_url)].into_iter();
                check_urls(service, urls.chain(audio_url.iter().map(|url| ("audio_url", url))))?;
                let task = ScoreTask { video: Source::Url(video_url), audio: audio_url.map(Source::Url) };
                service.submit(owner, JobKind::Score, &task, wishes).await
            }
        }
    }
}

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListJobs {
    /// Only in these states, with commas between them.
    state: Option<String>,
    /// Only of these kinds, with commas between them.
    kind: Option<String>,
    /// Jobs of a page, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// What the page before this one called `next`.
    after: Option<String>,
}

/// Some of the jobs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobPage)]
struct JobPageBody {
    /// How many there are in all.
    total: u64,
    /// These of them, the newest first.
    jobs: Vec<JobBody>,
    /// What the next page begins after; null after the last.
    #[schema(value_type = Option<String>)]
    next: Option<JobId>,
}

/// Lists jobs, the newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(ListJobs), responses((status = 200, body = JobPageBody)))]
async fn list(
    State(service): State<Arc<Service>>,
    owner: Owner,
    links: Links,
    Asked(asked): Asked<ListJobs>,
) -> ApiResult<Json<JobPageBody>> {
    let filter = JobFilter {
        owner: Some(owner.name().to_owned()),
        states: named("state", asked.state.as_deref(), &JobState::ALL, JobState::name)?,
        kinds: named("kind", asked.kind.as_deref(), &JobKind::ALL, JobKind::name)?,
        ..JobFilter::default()
    };
    let after = asked.after.as_deref().filter(|after| !after.is_empty()).map(str::parse).transpose();
    let after = after.map_err(|_| ApiError::unprocessable("after", "after is no name of a job"))?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, MOST_PAGE);
    let page = service.store.list(&filter, after, limit).await?;
    let jobs = page.jobs.iter().map(|job| JobBody::new(job, Some(&links))).collect();
    Ok(Json(JobPageBody { total: page.total, jobs, next: page.next }))
}

/// The values that a list of names means.
fn named<T: Copy>(
    param: &str,
    list: Option<&str>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> ApiResult<Vec<T>> {
    let names = list.unwrap_or_default().split(',').map(str::trim).filter(|one| !one.is_empty());
    let value = |given: &str| {
        let found = all.iter().copied().find(|&one| name(one) == given);
        found.ok_or_else(|| ApiError::unprocessable(param, format!("there is no {param} '{given}'")))
    };
    names.map(value).collect()
}

/// A job.
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses((status = 200, body = JobBody), (status = 404, description = "There is no such job"))
)]
async fn get(links: Links, OwnJob(job): OwnJob) -> Json<JobBody> {
    Json(JobBody::new(&job, Some(&links)))
}

/// Forgets a job that has ended, and removes its files.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such job"),
        (status = 409, description = "It has not ended: cancel it first"),
    )
)]
async fn delete(State(service): State<Arc<Service>>, OwnJob(job): OwnJob) -> ApiResult<StatusCode> {
    if !job.state.is_final() {
        return Err(ApiError::conflict("the job has not ended").with_hint("Cancel it first."));
    }
    service.forget(&job).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Calls a job off: at once when it waits, soon when it runs. One that has ended stays as it is. With a batch go all of its jobs.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses((status = 200, body = JobBody), (status = 404, description = "There is no such job"))
)]
async fn cancel(
    State(service): State<Arc<Service>>,
    links: Links,
    OwnJob(job): OwnJob,
) -> ApiResult<Json<JobBody>> {
    let job = service.cancel(job.id).await?;
    Ok(Json(JobBody::new(&job, Some(&links))))
}

/// Queues a job anew that has failed or was cancelled, with all of its tries.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses(
        (status = 200, body = JobBody),
        (status = 404, description = "There is no such job"),
        (status = 409, description = "It has neither failed nor was it cancelled"),
    )
)]
async fn retry(
    State(service): State<Arc<Service>>,
    links: Links,
    OwnJob(job): OwnJob,
) -> ApiResult<Json<JobBody>> {
    if !matches!(job.state, JobState::Failed | JobState::Cancelled) {
        return Err(ApiError::conflict(format!("the job is {}", job.state.name()))
            .with_hint("Only jobs that have failed or were cancelled can be tried again."));
    }
    let job = service.store.retry(job.id).await?.ok_or_else(ApiError::no_such_job)?;
    service.wake.notify_one();
    Ok(Json(JobBody::new(&job, Some(&links))))
}

/// What a job made: the video where it made one, otherwise JSON.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/result", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses(
        (status = 200, description = "The video, or JSON", content((Vec<u8> = "video/mp4"), (Object = "application/json"))),
        (status = 206, description = "The part of the video that the header Range asked for"),
        (status = 404, description = "There is no such job"),
        (status = 409, description = "It has not ended, has failed (code and message say why) or was cancelled"),
    )
)]
async fn result(
    State(service): State<Arc<Service>>,
    OwnJob(job): OwnJob,
    headers: HeaderMap,
) -> ApiResult<Response> {
    match job.state {
        JobState::Completed => {}
        JobState::Failed => {
            // What went wrong is the job's; that there is no result is a state of it.
            let mut error = failed(&job);
            error.status = StatusCode::CONFLICT;
            return Err(error);
        }
        state => {
            return Err(ApiError::conflict(format!("the job is {}", state.name()))
                .with_hint("Ask GET /v1/jobs/{id}, or listen to GET /v1/jobs/{id}/events."));
        }
    }
    let result = job.result.unwrap_or_default();
    match serde_json::from_value(result["artifact"].clone()) {
        Ok(key) => send(&service.artifacts, (&key, VIDEO), &headers).await,
        Err(_) => Ok(Json(result).into_response()),
    }
}

/// What happens to a job, as server-sent events: `job` with the job whenever it has changed; the last one when it has ended.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/events", tag = "jobs", params(("id" = String, Path, description = "The name of the job")),
    responses(
        (status = 200, description = "Events of the type job, each with a job", content_type = "text/event-stream", body = String),
        (status = 404, description = "There is no such job"),
    )
)]
async fn events(
    State(service): State<Arc<Service>>,
    links: Links,
    OwnJob(job): OwnJob,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let stream = futures_util::stream::unfold(Some((job.id, None)), move |state| {
        let (service, links) = (Arc::clone(&service), links.clone());
        async move {
            let (id, last) = state?;
            let job = next_change(&service, id, last.as_ref()).await?;
            let event = Event::default().event("job").json_data(JobBody::new(&job, Some(&links)));
            let next = (!job.state.is_final()).then_some((id, Some(job)));
            Some((Ok(event.unwrap_or_default()), next))
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The job when it is no more what it was. None when it is gone.
async fn next_change(service: &Service, id: JobId, last: Option<&Job>) -> Option<Job> {
    loop {
        let job = service.store.get(id).await.ok()??;
        if last != Some(&job) {
            return Some(job);
        }
        service.pause_between_looks().await;
    }
}
