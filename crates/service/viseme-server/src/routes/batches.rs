//! `/v1/batches`: many lipsync jobs that are asked for together.

use super::jobs::WishesRequest;
use super::lipsync::LipsyncRequest;
use crate::auth::Owner;
use crate::batches::jobs_of;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Body, OwnJob, idempotency_key};
use crate::links::Links;
use crate::service::{Service, Wishes};
use crate::tasks::BatchTask;
use crate::work::LipsyncResult;
use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::Error;
use viseme_jobs::{Failure, Job, JobId, JobKind, JobState, NewJob};

/// Most jobs of a batch.
const MOST_JOBS: usize = 1000;
/// Most bytes of a request: room for that many jobs with three signed addresses each.
const MOST_BYTES: usize = 8_000_000;
/// Jobs that are read from the store at a time.
const AT_A_TIME: usize = 16;

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// Many lipsync jobs. What is said beside them holds for each; `webhook_url` is told once, when all have ended.
#[derive(Debug, Deserialize, ToSchema)]
struct CreateBatch {
    /// What to do: each as `input` of a job of the kind `lipsync`. 1 to 1000.
    #[schema(min_items = 1, max_items = 1000)]
    jobs: Vec<LipsyncRequest>,
    #[serde(flatten)]
    wishes: WishesRequest,
}

impl CreateBatch {
    /// Checks everything that can be checked before anything is queued.
    ///
    /// # Errors
    /// 400 and 422 with the field, such as `jobs[3].video_url`.
    fn task(self, service: &Service, wishes: &Wishes) -> ApiResult<BatchTask> {
        if self.jobs.is_empty() || self.jobs.len() > MOST_JOBS {
            let message = format!("a batch has 1 to {MOST_JOBS} jobs, not {}", self.jobs.len());
            return Err(ApiError::unprocessable("jobs", message));
        }
        let mut jobs = Vec::with_capacity(self.jobs.len());
        for (number, request) in self.jobs.into_iter().enumerate() {
            let task = request.task(service).map_err(|error| {
                let param = error.param.as_deref().map(|param| format!(".{param}")).unwrap_or_default();
                error.with_param(format!("jobs[{number}]{param}"))
            })?;
            jobs.push(json!(task));
        }
        let default = NewJob::new(JobKind::Lipsync, json!(null)).max_tries;
        let time_limit = wishes.time_limit.unwrap_or(service.settings.time_limit);
        Ok(BatchTask {
            jobs,
            max_tries: wishes.max_tries.unwrap_or(default),
            time_limit_ms: time_limit.as_millis() as u64,
        })
    }
}

/// How a batch is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
struct BatchBody {
    /// Its name: a UUID.
    #[schema(value_type = String, format = Uuid)]
    id: JobId,
    /// `running` until all jobs have ended, then `completed`; `failed` or `cancelled` where it came to no jobs.
    status: &'static str,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Each of its jobs, in the order in which they were asked for. Empty until they are queued.
    results: Vec<BatchItem>,
    summary: BatchSummary,
    /// Why it came to no jobs.
    #[schema(value_type = Option<Object>)]
    error: Option<Failure>,
}

/// How a job of a batch is.
#[derive(Debug, Serialize, ToSchema)]
struct BatchItem {
    /// The job, for `/v1/jobs`.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// `success`, `failed`, `cancelled`, `queued`, `running`, or `gone` when it was deleted.
    status: &'static str,
    /// Where this server has the video.
    output_path: Option<String>,
    /// A link that opens it without a token.
    video_url: Option<String>,
    /// The engine that made the mouths.
    method_used: Option<String>,
    /// Length of the video in seconds.
    duration: Option<f64>,
    /// What it cost.
    cost_usd: Option<f64>,
    /// Why it failed: `code`, `message`, `hint`, `is_retryable`.
    #[schema(value_type = Option<Object>)]
    error: Option<Failure>,
}

/// The jobs of a batch in numbers. `total` is the sum of the four below it.
#[derive(Debug, Default, Serialize, ToSchema)]
struct BatchSummary {
    total: usize,
    success: usize,
    failed: usize,
    /// Called off, or deleted.
    cancelled: usize,
    /// Not ended yet.
    pending: usize,
    /// Seconds of video that were made.
    total_duration: f64,
    total_cost_usd: f64,
}

impl BatchItem {
    fn new(id: JobId, job: Option<&Job>, links: &Links) -> Self {
        let made = job.filter(|job| job.state == JobState::Completed).and_then(|job| job.result.clone());
        let made: Option<LipsyncResult> = made.and_then(|result| serde_json::from_value(result).ok());
        Self {
            job_id: id,
            status: job.map_or("gone", |job| match job.state {
                JobState::Completed => "success",
                state => state.name(),
            }),
            output_path: made.is_some().then(|| format!("/v1/jobs/{id}/result")),
            video_url: made.as_ref().map(|made| links.to(&made.artifact)),
            duration: made.as_ref().map(|made| made.output.duration_ms as f64 / 1000.0),
            cost_usd: made.as_ref().map(|made| made.cost_usd),
            method_used: made.map(|made| made.method_used),
            error: job.filter(|job| job.state == JobState::Failed).and_then(|job| job.error.clone()),
        }
    }
}

impl BatchSummary {
    fn add(&mut self, item: &BatchItem) {
        match item.status {
            "success" => self.success += 1,
            "failed" => self.failed += 1,
            "cancelled" | "gone" => self.cancelled += 1,
            _ => self.pending += 1,
        }
        self.total_duration += item.duration.unwrap_or_default();
        self.total_cost_usd += item.cost_usd.unwrap_or_default();
    }
}

impl BatchBody {
    /// A batch as it is now.
    ///
    /// # Errors
    /// When the store fails.
    async fn read(service: &Service, batch: &Job, links: &Links) -> ApiResult<Self> {
        let ids = jobs_of(batch);
        let jobs = stream::iter(ids).map(async |id| Ok::<_, Error>((id, service.store.get(id).await?)));
        let jobs: Vec<(JobId, Option<Job>)> = jobs.buffered(AT_A_TIME).try_collect().await?;
        let results: Vec<BatchItem> =
            jobs.iter().map(|(id, job)| BatchItem::new(*id, job.as_ref(), links)).collect();
        let mut summary = BatchSummary::default();
        for item in &results {
            summary.add(item);
        }
        if batch.state != JobState::Completed {
            let asked = batch.spec["jobs"].as_array().map_or(0, Vec::len);
            *(if batch.state.is_final() { &mut summary.cancelled } else { &mut summary.pending }) = asked;
        }
        summary.total = summary.success + summary.failed + summary.cancelled + summary.pending;
        let status = match batch.state {
            JobState::Queued | JobState::Running => "running",
            JobState::Completed if summary.pending > 0 => "running",
            state => state.name(),
        };
        let (id, created_at, error) = (batch.id, batch.created_at, batch.error.clone());
        Ok(Self { id, status, created_at, results, summary, error })
    }
}

/// Queues many lipsync jobs together.
///
/// All of it is checked before anything is queued. After that one that fails stops no other.
#[utoipa::path(
    post, path = "/v1/batches", tag = "batches",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's own name for the request")),
    request_body = CreateBatch,
    responses(
        (status = 201, description = "The batch", body = BatchBody),
        (status = 400, description = "An address that cannot be used"),
        (status = 422, description = "A value that cannot be"),
    )
)]
async fn create(
    State(service): State<Arc<Service>>,
    owner: Owner,
    links: Links,
    headers: HeaderMap,
    Body(create): Body<CreateBatch>,
) -> ApiResult<Response> {
    let wishes = create.wishes.wishes(idempotency_key(&headers)?)?;
    let task = create.task(&service, &wishes)?;
    // How long and how often is meant for its jobs.
    let wishes = Wishes { max_tries: None, time_limit: None, ..wishes };
    let job = service.submit(&owner, JobKind::Batch, &task, wishes).await?;
    let place = [(header::LOCATION, format!("/v1/batches/{}", job.id))];
    let body = BatchBody::read(&service, &job, &links).await?;
    Ok((StatusCode::CREATED, place, Json(body)).into_response())
}

/// A batch, its jobs and what they came to.
#[utoipa::path(
    get, path = "/v1/batches/{id}", tag = "batches", params(("id" = String, Path, description = "The name of the batch")),
    responses((status = 200, body = BatchBody), (status = 404, description = "There is no such batch"))
)]
async fn get(
    State(service): State<Arc<Service>>,
    links: Links,
    OwnJob(job): OwnJob,
) -> ApiResult<Json<BatchBody>> {
    let batch = batch(job)?;
    Ok(Json(BatchBody::read(&service, &batch, &links).await?))
}

/// Calls off all jobs of a batch that have not ended.
#[utoipa::path(
    post, path = "/v1/batches/{id}/cancel", tag = "batches",
    params(("id" = String, Path, description = "The name of the batch")),
    responses((status = 200, body = BatchBody), (status = 404, description = "There is no such batch"))
)]
async fn cancel(
    State(service): State<Arc<Service>>,
    links: Links,
    OwnJob(job): OwnJob,
) -> ApiResult<Json<BatchBody>> {
    let batch = batch(job)?;
    let batch = service.cancel(batch.id).await?;
    Ok(Json(BatchBody::read(&service, &batch, &links).await?))
}

/// A job that is a batch.
fn batch(job: Job) -> ApiResult<Job> {
    let is_batch = job.kind == JobKind::Batch;
    is_batch.then_some(job).ok_or_else(|| ApiError::not_found("there is no such batch"))
}
