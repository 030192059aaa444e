//! What clients see of jobs.

use crate::error::ApiResult;
use crate::links::Links;
use crate::routes::WarningBody;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use viseme_core::Error;
use viseme_jobs::{ArtifactKey, Failure, Job, JobProgress};

/// A job.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobBody {
    /// Its name: a UUID.
    #[schema(value_type = String, format = Uuid)]
    id: viseme_jobs::JobId,
    /// `lipsync`, `faces`, `tracking`, `score` or `batch`.
    #[schema(value_type = String)]
    kind: viseme_jobs::JobKind,
    /// `queued`, `running`, `completed`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    state: viseme_jobs::JobState,
    /// Higher ones come first.
    priority: i32,
    /// How often it was begun.
    tries: u32,
    /// Most times that it is begun.
    max_tries: u32,
    /// How long a try may take.
    time_limit_ms: u64,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it may begin, or begin again.
    #[schema(value_type = String, format = DateTime)]
    run_at: Timestamp,
    /// When the last try began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// How far it is: `stage`, `done`, `total`.
    #[schema(value_type = Option<Object>)]
    progress: Option<JobProgress>,
    /// Whether it was asked to stop and has not yet.
    cancel_requested: bool,
    /// What it made, in terms of its kind; with `video_url` where that is a video.
    result: Option<Value>,
    /// Why the last try failed: `code`, `message`, `hint`, `is_retryable`.
    #[schema(value_type = Option<Object>)]
    error: Option<Failure>,
    /// What went less well than asked for.
    warnings: Vec<WarningBody>,
}

impl JobBody {
    /// The job for its owner; with links to its files where there is somebody to sign them.
    pub(crate) fn new(job: &Job, links: Option<&Links>) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            state: job.state,
            priority: job.priority,
            tries: job.tries,
            max_tries: job.max_tries,
            time_limit_ms: job.time_limit_ms,
            created_at: job.created_at,
            run_at: job.run_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            progress: job.progress.clone(),
            cancel_requested: job.cancel_requested,
            result: job.result.as_ref().map(|result| shown(result, links)),
            error: job.error.clone(),
            warnings: job.result.as_ref().map(warnings).unwrap_or_default(),
        }
    }
}

/// The warnings of a result.
pub(crate) fn warnings(result: &Value) -> Vec<WarningBody> {
    serde_json::from_value(result["warnings"].clone()).unwrap_or_default()
}

/// A result as its owner sees it: a link in place of the name in the store.
fn shown(result: &Value, links: Option<&Links>) -> Value {
    let mut result = result.clone();
    let Some(fields) = result.as_object_mut() else { return result };
    fields.remove("warnings");
    let artifact = fields.remove("artifact").and_then(|key| serde_json::from_value::<ArtifactKey>(key).ok());
    if let (Some(key), Some(links)) = (artifact, links) {
        fields.insert("video_url".to_owned(), json!(links.to(&key)));
    }
    result
}

/// A result as the worker has written it.
///
/// # Errors
/// 500 for one of another version.
pub(crate) fn read<T: serde::de::DeserializeOwned>(result: Value) -> ApiResult<T> {
    serde_json::from_value(result)
        .map_err(|error| Error::internal(format!("the result of a job cannot be read: {error}")).into())
}
