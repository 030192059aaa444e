//! Takes files that clients send: straight to disk, within limits, and only what they claim to be.

use crate::error::{ApiError, ApiResult};
use crate::keys::hex;
use crate::service::Service;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use uuid::Uuid;
use viseme_core::{Error, Limits};
use viseme_jobs::{Area, ArtifactKey};
use viseme_media::{MediaInfo, Tools, probe};

/// How long a client may send nothing.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Most bytes of a field that is no file.
const TEXT_BYTES: usize = 64 * 1024;
/// Most parts of a request.
const MOST_PARTS: usize = 64;
/// How long, and how much, is read of a request that was refused, so that its client comes to hear why.
const DRAIN: (Duration, u64) = (Duration::from_mins(1), 2_000_000_000);

/// What a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Something with a picture: a video, or a photo.
    Video,
    /// Something with sound.
    Audio,
}

/// A file that a client may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The name of its part.
    pub(crate) part: &'static str,
    pub(crate) kind: FileKind,
    /// Checks the name that the client gives the file.
    pub(crate) check_name: fn(&str) -> ApiResult<()>,
}

/// What a client has sent.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// The files by the names of their parts.
    files: BTreeMap<&'static str, ReceivedFile>,
    /// The fields that are no files.
    fields: BTreeMap<String, String>,
}

/// A file that a client has sent.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedFile {
    pub(crate) key: ArtifactKey,
    /// The hash of its content, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Received {
    /// A file that has to be there.
    ///
    /// # Errors
    /// 400 when it is not.
    pub(crate) fn file(&self, part: &'static str) -> ApiResult<&ReceivedFile> {
        let missing = || {
            ApiError::bad_request(format!("the part '{part}' is missing"))
                .with_param(part)
                .with_hint("Send the files as multipart/form-data.")
        };
        self.files.get(part).ok_or_else(missing)
    }

    /// A file that may be left out.
    pub(crate) fn file_if_sent(&self, part: &str) -> Option<&ReceivedFile> {
        self.files.get(part)
    }

    /// A field, where it is there and not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What stands for the content of all files together.
    pub(crate) fn content(&self) -> String {
        self.files.values().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Takes a request apart. Files are kept only when all of it has arrived and every one is what it should be.
///
/// # Errors
/// 400 for what is no form, or no such file; 408 when nothing comes; 413 for a file that is too large; 507 when there is no room.
pub(crate) async fn receive(service: &Service, request: Request, wanted: &[Wanted]) -> ApiResult<Received> {
    let most: u64 = wanted.iter().map(|wanted| most_bytes(service, wanted.kind)).sum();
    let length = content_length(request.headers());
    if length.is_some_and(|length| length > most + (MOST_PARTS * TEXT_BYTES) as u64) {
        drain(request).await;
        return Err(too_large(most));
    }
    service.artifacts.check_room(length.unwrap_or(0)).await?;
    let (parts, body) = request.into_parts();
    let (body, rest) = shared(body);
    let form = Multipart::from_request(Request::from_parts(parts, body), &()).await;
    let form =
        form.map_err(|rejection| ApiError::new(rejection.status(), "invalid_input", rejection.body_text()))?;
    let received = take_apart(service, form, wanted).await;
    if received.is_err() {
        rest.drain().await;
    }
    let (fields, files) = received?;
    keep(service, fields, files).await
}

type Fields = BTreeMap<String, String>;
type Files = Vec<(&'static str, NamedTempFile, String)>;

async fn take_apart(service: &Service, mut form: Multipart, wanted: &[Wanted]) -> ApiResult<(Fields, Files)> {
    let (mut fields, mut files) = (Fields::new(), Files::new());
    for _ in 0..MOST_PARTS {
        let Some(field) = in_time(form.next_field()).await? else { return Ok((fields, files)) };
        let name = field.name().unwrap_or_default().to_owned();
        match wanted.iter().find(|wanted| wanted.part == name) {
            Some(wanted) if files.iter().any(|(part, ..)| *part == wanted.part) => {
                return Err(ApiError::bad_request(format!("there are two parts '{name}'")).with_param(name));
            }
            Some(wanted) => files.push(file(service, field, wanted).await?),
            None => {
                fields.insert(name.clone(), text(field, &name).await?);
            }
        }
    }
    Err(ApiError::bad_request(format!("the form has more than {MOST_PARTS} parts")))
}

/// Writes a file beside those of the jobs and looks whether it is what it should be.
async fn file(
    service: &Service,
    mut field: Field<'_>,
    wanted: &Wanted,
) -> ApiResult<(&'static str, NamedTempFile, String)> {
    (wanted.check_name)(field.file_name().unwrap_or_default())?;
    let most = most_bytes(service, wanted.kind);
    let failed = |source| ApiError::from(Error::io("write what was sent", source));
    let incoming = tempfile::Builder::new().prefix("incoming-").tempfile_in(&service.settings.data);
    let incoming = incoming.map_err(failed)?;
    let mut to = tokio::fs::File::from_std(incoming.reopen().map_err(failed)?);
    let (mut bytes, mut hash) = (0_u64, Sha256::new());
    while let Some(chunk) = in_time(field.chunk()).await? {
        bytes += chunk.len() as u64;
        if bytes > most {
            return Err(too_large(most).with_param(wanted.part));
        }
        hash.update(&chunk);
        to.write_all(&chunk).await.map_err(failed)?;
    }
    to.flush().await.map_err(failed)?;
    drop(to);
    if bytes == 0 {
        return Err(
            ApiError::bad_request(format!("the file '{}' is empty", wanted.part)).with_param(wanted.part)
        );
    }
    look_at(incoming.path(), wanted, &service.settings.media).await?;
    Ok((wanted.part, incoming, hex(&hash.finalize())))
}

async fn keep(service: &Service, fields: Fields, files: Files) -> ApiResult<Received> {
    let upload = Uuid::now_v7().to_string();
    let mut received = Received { fields, ..Received::default() };
    for (part, file, sha256) in files {
        let key = ArtifactKey::new(Area::Uploads, &upload, part)?;
        service.artifacts.put_file(&key, file.path(), "application/octet-stream").await?;
        received.files.insert(part, ReceivedFile { key, sha256 });
    }
    Ok(received)
}

async fn text(mut field: Field<'_>, name: &str) -> ApiResult<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_BYTES {
            return Err(ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "limit_exceeded",
                "a field of the form is too long",
            )
            .with_param(name));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("a field of the form is no text").with_param(name))
}

/// Checks that a file is what its part says, by what is in it.
///
/// # Errors
/// 400 where it is not; what else is wrong with it.
pub(crate) async fn look_at(path: &Path, wanted: &Wanted, limits: &Limits) -> ApiResult<MediaInfo> {
    let (file, limits) = (path.to_owned(), limits.clone());
    let probed = tokio::task::spawn_blocking(move || probe(&Tools::locate()?, &file, &limits)).await;
    let probed = probed.map_err(|error| Error::internal("the probe panicked").with_source(error))?;
    let info = probed.map_err(|error| {
        let words = error.to_string().replace(&path.display().to_string(), wanted.part);
        let mut error = ApiError::from(error).with_param(wanted.part);
        (error.message, error.trace) = (words, None);
        error
    })?;
    let missing = match wanted.kind {
        FileKind::Video if info.video.is_none() => Some("has no picture"),
        FileKind::Audio if info.default_audio().is_none() => Some("has no sound"),
        _ => None,
    };
    match missing {
        Some(what) => {
            Err(ApiError::bad_request(format!("the {} {what}", wanted.part)).with_param(wanted.part))
        }
        None => Ok(info),
    }
}

fn most_bytes(service: &Service, kind: FileKind) -> u64 {
    let sizes = &service.settings.sizes;
    match kind {
        FileKind::Video => sizes.video,
        FileKind::Audio => sizes.audio,
    }
}

fn too_large(most: u64) -> ApiError {
    let megabytes = most / 1_000_000;
    let message = "The uploaded file exceeds the maximum allowed size";
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "limit_exceeded", message)
        .with_hint(format!("At most {megabytes} MB are taken."))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn in_time<T>(next: impl Future<Output = Result<T, MultipartError>>) -> ApiResult<T> {
    match timeout(IDLE_TIME, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(error)) => Err(ApiError::new(error.status(), "invalid_input", error.body_text())),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed_out", "the upload stopped")),
    }
}

/// Reads a refused request to its end, so that a client that sends before it listens comes to hear why. One that asked before
/// it sends (`Expect: 100-continue`) hears it at once.
async fn drain(request: Request) {
    if !request.headers().contains_key(header::EXPECT) {
        drain_body(request.into_body()).await;
    }
}

async fn drain_body(body: Body) {
    let (time, most) = DRAIN;
    let mut stream = body.into_data_stream();
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = stream.next().await {
            bytes += chunk.len() as u64;
            if bytes > most {
                break;
            }
        }
    };
    let _ = timeout(time, read).await;
}

/// What is left of a body that somebody else reads.
struct Rest(std::sync::Arc<std::sync::Mutex<Option<axum::body::BodyDataStream>>>);

/// A body of which the rest can be read when its reader has given up.
fn shared(body: Body) -> (Body, Rest) {
    let stream = std::sync::Arc::new(std::sync::Mutex::new(Some(body.into_data_stream())));
    let reader = std::sync::Arc::clone(&stream);
    let chunks = futures_util::stream::poll_fn(move |context| {
        let mut stream = reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match stream.as_mut() {
            Some(stream) => stream.poll_next_unpin(context),
            None => std::task::Poll::Ready(None),
        }
    });
    (Body::from_stream(chunks), Rest(stream))
}

impl Rest {
    async fn drain(self) {
        let stream = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(stream) = stream {
            drain_body(Body::from_stream(stream)).await;
        }
    }
}
