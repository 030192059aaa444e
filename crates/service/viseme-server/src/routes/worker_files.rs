//! `/v1/workers/files`: the inputs and results of the jobs of workers without shared stores.

use crate::error::{ApiError, ApiResult};
use crate::extract::Asked;
use crate::remote::messages::OfAttempt;
use crate::service::Service;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use viseme_core::{Error, Result};
use viseme_jobs::{Area, ArtifactKey, Lease, Pulse};

/// How long a worker may send nothing of a file.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How much larger a result may be than the largest video that is taken: it may be longer, and is encoded anew.
const MOST_GROWTH: u64 = 10;

/// What can be done with a file.
pub(super) fn methods() -> MethodRouter<Arc<Service>> {
    get(read).put(write)
}

type Named = Path<(String, String, String)>;

/// A file of any job.
async fn read(State(service): State<Arc<Service>>, Path(named): Named) -> ApiResult<Response> {
    let key = key(named)?;
    let stored = service.artifacts.head(&key).await?.ok_or_else(gone)?;
    let body = Body::from_stream(service.artifacts.read(&key, None).await?);
    Ok(([(header::CONTENT_LENGTH, stored.bytes.to_string())], body).into_response())
}

/// A file that a job has made. It is there, whole, when the answer is good, and only when the job is still this worker's.
async fn write(
    State(service): State<Arc<Service>>,
    Path(named): Named,
    Asked(OfAttempt { attempt }): Asked<OfAttempt>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<StatusCode> {
    let key = key(named)?;
    let job = key.owner().parse().ok().filter(|_| key.area() == Area::Jobs);
    let lease = Lease { job: job.ok_or_else(ApiError::no_such_job)?, attempt };
    check_held(&service, lease).await?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bytes = text(header::CONTENT_LENGTH).and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
    service.artifacts.check_room(bytes).await?;
    let most = service.settings.sizes.video.saturating_mul(MOST_GROWTH);
    let content_type = text(header::CONTENT_TYPE).unwrap_or("application/octet-stream");
    let file = receive(&service, body.into_data_stream(), most).await?;
    // Long files take long: somebody else may have the job by now.
    check_held(&service, lease).await?;
    service.artifacts.put_file(&key, file.path(), content_type).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes a file beside those of the jobs.
async fn receive(service: &Service, mut chunks: BodyDataStream, most: u64) -> ApiResult<NamedTempFile> {
    let failed = |source| ApiError::from(Error::io("write what a worker sent", source));
    let incoming = tempfile::Builder::new().prefix("incoming-").tempfile_in(&service.settings.data);
    let incoming = incoming.map_err(failed)?;
    let mut to = tokio::fs::File::from_std(incoming.reopen().map_err(failed)?);
    let slow = |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed_out", "the upload stopped");
    let mut bytes = 0_u64;
    while let Some(chunk) = timeout(IDLE_TIME, chunks.next()).await.map_err(slow)? {
        let chunk = chunk.map_err(|_| ApiError::bad_request("the upload was cut off"))?;
        bytes += chunk.len() as u64;
        if bytes > most {
            let megabytes = most / 1_000_000;
            let message = format!("a result of more than {megabytes} MB is not taken");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "limit_exceeded", message));
        }
        to.write_all(&chunk).await.map_err(failed)?;
    }
    to.flush().await.map_err(failed)?;
    Ok(incoming)
}

/// Whether the job is still this worker's.
async fn check_held(service: &Service, lease: Lease) -> ApiResult<()> {
    match service.store.heartbeat(lease, None).await? {
        Pulse::Lost => Err(ApiError::conflict("the job is somebody else's by now, or has ended")),
        Pulse::GoOn | Pulse::Cancel => Ok(()),
    }
}

fn key((area, owner, name): (String, String, String)) -> Result<ArtifactKey, ApiError> {
    format!("{area}/{owner}/{name}").parse().map_err(|_| gone())
}

fn gone() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "the file is not there any more")
}
