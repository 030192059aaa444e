//! `/v1/workers`: what workers without shared stores ask and say. `remote/` is their side; `auth` lets nobody else in.

use crate::error::{ApiError, ApiResult};
use crate::extract::Body;
use crate::remote::messages::{
    ClaimRequest, Claimed, End, Ended, Greeting, Heard, Heartbeat, KINDS, LONGEST_WAIT, Looked, Outcome,
};
use crate::service::Service;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use viseme_core::{Error, Result};
use viseme_jobs::{Claim, JobHandler, JobId, JobKind, JobState, Lease, Pulse};

/// Most bytes of a result: that of a job that reports many faces in each of many frames.
const MOST_JSON: usize = 64 << 20;
/// How often a question that is held back is asked of the store, unless something in this process has happened to it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn router() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/workers", get(greet))
        .route("/v1/workers/claim", post(claim))
        .route("/v1/workers/heartbeat", post(heartbeat))
        .route("/v1/workers/end", post(end))
        .route("/v1/workers/jobs/{id}", get(look))
        .route("/v1/workers/files/{area}/{owner}/{name}", super::worker_files::methods())
        .layer(DefaultBodyLimit::max(MOST_JSON))
}

/// How this server works.
async fn greet(State(service): State<Arc<Service>>) -> Json<Greeting> {
    let lease_ms = service.settings.lease.as_millis() as u64;
    Json(Greeting { version: env!("CARGO_PKG_VERSION").to_owned(), lease_ms })
}

/// The next job, or none after some time.
async fn claim(
    State(service): State<Arc<Service>>,
    Body(mut request): Body<ClaimRequest>,
) -> ApiResult<Json<Claimed>> {
    request.kinds.retain(|kind| KINDS.contains(kind));
    let request = Arc::new(request);
    let started = Instant::now();
    let claim = loop {
        let claim = to_its_end(claim_once(Arc::clone(&service), Arc::clone(&request))).await?;
        let is_last_look = request.kinds.is_empty() || started.elapsed() >= LONGEST_WAIT;
        if claim.is_some() || is_last_look || service.ending.is_cancelled() {
            break claim;
        }
        tokio::select! {
            () = service.wake.notified() => {}
            () = sleep(LOOK_AGAIN) => {}
            () = service.ending.cancelled() => {}
        }
    };
    if claim.is_some() {
        // There may be more: another one looks.
        service.wake.notify_one();
    }
    Ok(Json(Claimed { claim }))
}

/// What was claimed for this slot and never arrived, or a new claim.
async fn claim_once(service: Arc<Service>, request: Arc<ClaimRequest>) -> Result<Option<Claim>> {
    if let Some(claim) = service.claims.of(&request) {
        if service.store.heartbeat(claim.lease, None).await? != Pulse::Lost {
            return Ok(Some(claim));
        }
        service.claims.forget(claim.lease);
    }
    let kinds: &[JobKind] = &request.kinds;
    if kinds.is_empty() {
        return Ok(None);
    }
    let claim = service.store.claim(&request.worker, kinds).await?;
    if let Some(claim) = &claim {
        service.claims.note(&request, claim, service.settings.lease);
    }
    Ok(claim)
}

/// A sign of life.
async fn heartbeat(
    State(service): State<Arc<Service>>,
    Body(Heartbeat { lease, progress }): Body<Heartbeat>,
) -> ApiResult<Json<Heard>> {
    service.claims.forget(lease);
    let pulse = service.store.heartbeat(lease, progress).await?;
    Ok(Json(Heard { pulse }))
}

/// The end of a try.
async fn end(
    State(service): State<Arc<Service>>,
    Body(End { lease, outcome }): Body<End>,
) -> ApiResult<Json<Ended>> {
    let is_recorded = to_its_end(record(service, lease, outcome)).await?;
    Ok(Json(Ended { is_recorded }))
}

/// Records how a try has ended, and tells who wants to know.
async fn record(service: Arc<Service>, lease: Lease, outcome: Outcome) -> Result<bool> {
    service.claims.forget(lease);
    let store = service.store.as_ref();
    let is_recorded = match outcome.clone() {
        Outcome::Completed(result) => store.complete(lease, result).await?,
        Outcome::Failed(failure) => store.fail(lease, failure).await?,
        Outcome::Cancelled => store.cancelled(lease).await?,
        Outcome::Released => store.release(lease).await?,
    };
    // From here on what was recorded stands, whatever happens. Housekeeping tells what is not told now.
    let Ok(Some(job)) = store.get(lease.job).await else { return Ok(is_recorded) };
    if !is_recorded {
        // Said again, because the first answer was lost?
        return Ok(job.state == JobState::Completed && job.result.is_some() && job.result == kept(outcome));
    }
    service.wake.notify_one();
    service.handler().ended(job).await;
    Ok(true)
}

/// A result as it comes back from the store, where it is text.
fn kept(outcome: Outcome) -> Option<serde_json::Value> {
    let Outcome::Completed(result) = outcome else { return None };
    serde_json::from_str(&result.to_string()).ok()
}

/// A job as it is now.
async fn look(State(service): State<Arc<Service>>, Path(id): Path<String>) -> ApiResult<Json<Looked>> {
    let id: JobId = id.parse().map_err(|_| ApiError::no_such_job())?;
    Ok(Json(Looked { job: service.store.get(id).await? }))
}

/// Does `work` to its end, also when whoever asked for it goes away meanwhile.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let done = tokio::spawn(work).await;
    done.map_err(|error| Error::internal("the work for a worker panicked").with_source(error))?
}
