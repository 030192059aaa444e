//! `POST /v1/jobs` with files in place of their addresses.

use super::detect_faces::FacesInput;
use super::jobs::WishesRequest;
use super::lipsync::{CharacterRequest, PARTS, check_urls, uploaded};
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::service::{Service, Wishes};
use crate::tasks::{FaceTask, LipsyncOptions, ScoreTask, Source, null_is_default};
use crate::upload::{Received, receive};
use axum::extract::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use viseme_cloud::RemoteUrl;
use viseme_jobs::{Job, JobKind};

/// The parts of a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form")]
pub(super) struct JobForm {
    /// `lipsync`, `faces` or `score`.
    #[schema(default = "lipsync")]
    kind: Option<String>,
    #[schema(value_type = String, format = Binary)]
    video: Vec<u8>,
    /// A lipsync needs it; a score without it takes the video's own sound.
    #[schema(value_type = Option<String>, format = Binary)]
    audio: Option<Vec<u8>>,
    /// JSON: `input` of the job without `video_url` and `audio_url`, and beside it `priority`, `delay_ms`,
    /// `max_tries`, `time_limit_s`, `webhook_url`.
    options: Option<String>,
}

/// The field `options`.
#[derive(Debug, Deserialize)]
struct Options<T> {
    #[serde(flatten)]
    input: T,
    #[serde(flatten)]
    wishes: WishesRequest,
}

/// What there is to say of a lipsync besides its files.
#[derive(Debug, Deserialize)]
struct LipsyncInput {
    #[serde(default, deserialize_with = "null_is_default")]
    faces: Vec<FaceTask>,
    #[serde(default, deserialize_with = "null_is_default")]
    characters: Vec<CharacterRequest>,
    #[serde(default)]
    upload_url: Option<RemoteUrl>,
    #[serde(flatten)]
    options: LipsyncOptions,
}

/// What there is to say of a score besides its files.
#[derive(Debug, Deserialize)]
struct ScoreInput {}

/// Queues the job of a form.
///
/// # Errors
/// As [`receive`]; 422 for options that cannot be.
pub(super) async fn submit(
    service: &Service,
    owner: &Owner,
    key: Option<String>,
    request: Request,
) -> ApiResult<Job> {
    let received = receive(service, request, &PARTS).await?;
    let made = match received.field("kind").unwrap_or("lipsync") {
        "lipsync" => lipsync(service, owner, key, &received).await,
        "faces" => faces(service, owner, key, &received).await,
        "score" => score(service, owner, key, &received).await,
        other => Err(ApiError::unprocessable("kind", format!("files of '{other}' cannot be sent"))
            .with_hint("Send files of lipsync, faces or score, and JSON of addresses for everything else.")),
    };
    received.settle(service, made).await
}

async fn lipsync(
    service: &Service,
    owner: &Owner,
    key: Option<String>,
    received: &Received,
) -> ApiResult<Job> {
    let Options { input, wishes } = options::<LipsyncInput>(received)?;
    input.options.check()?;
    FaceTask::check_all(&input.faces)?;
    let urls = input.upload_url.iter().map(|url| ("upload_url", url));
    check_urls(service, urls.chain(CharacterRequest::urls(&input.characters)))?;
    let mut task = uploaded(received, received.field("method").unwrap_or("auto"))?;
    let engine = input.options.engine.clone().or(task.options.engine);
    task.options = LipsyncOptions { engine, ..input.options };
    task.upload_url = input.upload_url;
    task.faces = input.faces;
    task.characters = CharacterRequest::tasks(input.characters);
    service.submit(owner, JobKind::Lipsync, &task, wished(&wishes, key, received)?).await
}

async fn faces(service: &Service, owner: &Owner, key: Option<String>, received: &Received) -> ApiResult<Job> {
    let Options { input, wishes } = options::<FacesInput>(received)?;
    let task = input.task(service, Source::Upload(received.file("video")?.key.clone()))?;
    service.submit(owner, JobKind::Faces, &task, wished(&wishes, key, received)?).await
}

async fn score(service: &Service, owner: &Owner, key: Option<String>, received: &Received) -> ApiResult<Job> {
    let Options { input: ScoreInput {}, wishes } = options(received)?;
    let task = ScoreTask {
        video: Source::Upload(received.file("video")?.key.clone()),
        audio: received.file_if_sent("audio").map(|audio| Source::Upload(audio.key.clone())),
    };
    service.submit(owner, JobKind::Score, &task, wished(&wishes, key, received)?).await
}

fn options<T: DeserializeOwned>(received: &Received) -> ApiResult<Options<T>> {
    serde_json::from_str(received.field("options").unwrap_or("{}"))
        .map_err(|error| ApiError::unprocessable("options", format!("the options are not valid: {error}")))
}

fn wished(wishes: &WishesRequest, key: Option<String>, received: &Received) -> ApiResult<Wishes> {
    Ok(Wishes { content: Some(received.content()), ..wishes.wishes(key)? })
}
