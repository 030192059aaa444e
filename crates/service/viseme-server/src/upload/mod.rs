//! Takes files that clients send: straight to disk, within limits, and only what they claim to be.

mod wanted;

pub(crate) use wanted::{FileKind, Wanted, look_at};

use crate::error::{ApiError, ApiResult};
use crate::keys::hex;
use crate::service::Service;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use uuid::Uuid;
use viseme_core::Error;
use viseme_jobs::{Area, ArtifactKey, Job};
use viseme_media::MediaInfo;

/// Most bytes of a field that is no file.
const TEXT_BYTES: usize = 64 * 1024;
/// Most parts of a request.
const MOST_PARTS: usize = 64;

/// What a client has sent.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Whose the files are where they lie.
    upload: String,
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
        self.files.get(part).ok_or_else(|| missing_part(part))
    }

    /// Removes the files unless the job that was made of them needs them: none may have been made, or another one of the same
    /// content stands for it.
    ///
    /// # Errors
    /// That of `made`.
    pub(crate) async fn settle(&self, service: &Service, made: ApiResult<Job>) -> ApiResult<Job> {
        let is_needed = made.as_ref().is_ok_and(|job| job.spec.to_string().contains(&self.upload));
        if !is_needed {
            service.artifacts.delete_all(Area::Uploads, &self.upload).await?;
        }
        made
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
    let most: u64 = wanted.iter().map(|wanted| wanted.most_bytes(&service.settings.sizes)).sum();
    check_length(service, request.headers(), most).await?;
    let (fields, files) = take_apart(service, form(request).await?, wanted).await?;
    keep(service, fields, files).await
}

/// Refuses a request that says itself that it is too large, or for which there is no room.
async fn check_length(service: &Service, headers: &HeaderMap, most: u64) -> ApiResult<()> {
    let length = content_length(headers).unwrap_or(0);
    if length > most + (MOST_PARTS * TEXT_BYTES) as u64 {
        return Err(too_large(most));
    }
    Ok(service.artifacts.check_room(length).await?)
}

async fn form(request: Request) -> ApiResult<Multipart> {
    let form = Multipart::from_request(request, &()).await;
    form.map_err(|rejection| ApiError::new(rejection.status(), "invalid_input", rejection.body_text()))
}

/// Takes the one file of a request: its body, or the part that `wanted` names of a form.
///
/// # Errors
/// As [`receive`].
pub(crate) async fn receive_file(
    service: &Service,
    request: Request,
    wanted: &Wanted,
) -> ApiResult<(NamedTempFile, MediaInfo)> {
    check_length(service, request.headers(), wanted.most_bytes(&service.settings.sizes)).await?;
    let incoming = if is_form(request.headers()) {
        let (_, mut files) = take_apart(service, form(request).await?, std::slice::from_ref(wanted)).await?;
        files.pop().ok_or_else(|| missing_part(wanted.part))?
    } else {
        let broken = |error: axum::Error| ApiError::bad_request(format!("the body is cut off: {error}"));
        write(service, request.into_body().into_data_stream().map_err(broken), wanted).await?
    };
    Ok((incoming.file, incoming.info))
}

/// A file that has arrived and is not kept yet.
struct Incoming {
    part: &'static str,
    file: NamedTempFile,
    sha256: String,
    info: MediaInfo,
}

type Fields = BTreeMap<String, String>;
type Files = Vec<Incoming>;

async fn take_apart(service: &Service, mut form: Multipart, wanted: &[Wanted]) -> ApiResult<(Fields, Files)> {
    let idle = service.settings.upload_idle;
    let (mut fields, mut files) = (Fields::new(), Files::new());
    for _ in 0..MOST_PARTS {
        let Some(field) =
            in_time(idle, async { form.next_field().await.map_err(|error| broken(&error)) }).await?
        else {
            return Ok((fields, files));
        };
        let name = field.name().unwrap_or_default().to_owned();
        match wanted.iter().find(|wanted| wanted.part == name) {
            Some(wanted) if files.iter().any(|file| file.part == wanted.part) => {
                return Err(ApiError::bad_request(format!("there are two parts '{name}'")).with_param(name));
            }
            Some(wanted) => files.push(file(service, field, wanted).await?),
            None => {
                let value = text(idle, field, &name).await?;
                fields.insert(name, value);
            }
        }
    }
    Err(ApiError::bad_request(format!("the form has more than {MOST_PARTS} parts")))
}

async fn file(service: &Service, field: Field<'_>, wanted: &Wanted) -> ApiResult<Incoming> {
    (wanted.check_name)(field.file_name().unwrap_or_default()).map_err(|error| wanted.refused(error))?;
    write(service, field.map_err(|error| broken(&error)), wanted).await
}

/// Writes a file beside those of the jobs and looks whether it is what it should be.
async fn write(
    service: &Service,
    chunks: impl Stream<Item = ApiResult<Bytes>>,
    wanted: &Wanted,
) -> ApiResult<Incoming> {
    let most = wanted.most_bytes(&service.settings.sizes);
    let failed = |source| ApiError::from(Error::io("write what was sent", source));
    let incoming = tempfile::Builder::new().prefix("incoming-").tempfile_in(&service.settings.data);
    let incoming = incoming.map_err(failed)?;
    let mut to = tokio::fs::File::from_std(incoming.reopen().map_err(failed)?);
    let (mut bytes, mut hash) = (0_u64, Sha256::new());
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = in_time(service.settings.upload_idle, chunks.try_next()).await? {
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
        return Err(wanted.refused(ApiError::bad_request(format!("the file '{}' is empty", wanted.part))));
    }
    let info = look_at(incoming.path(), wanted, &service.settings.media).await;
    let info = info.map_err(|error| wanted.refused(error))?;
    Ok(Incoming { part: wanted.part, file: incoming, sha256: hex(&hash.finalize()), info })
}

async fn keep(service: &Service, fields: Fields, files: Files) -> ApiResult<Received> {
    let upload = Uuid::now_v7().to_string();
    let mut received = Received { upload: upload.clone(), fields, ..Received::default() };
    for Incoming { part, file, sha256, .. } in files {
        let key = ArtifactKey::new(Area::Uploads, &upload, part)?;
        service.artifacts.put_file(&key, file.path(), "application/octet-stream").await?;
        received.files.insert(part, ReceivedFile { key, sha256 });
    }
    Ok(received)
}

async fn text(idle: Duration, mut field: Field<'_>, name: &str) -> ApiResult<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        in_time(idle, async { field.chunk().await.map_err(|error| broken(&error)) }).await?
    {
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

fn missing_part(part: &str) -> ApiError {
    ApiError::bad_request(format!("the part '{part}' is missing"))
        .with_param(part)
        .with_hint("Send the files as multipart/form-data.")
}

/// Whether a request is a form with files in it.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
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

/// What comes next, unless it takes longer than `idle`.
async fn in_time<T>(idle: Duration, next: impl Future<Output = ApiResult<T>>) -> ApiResult<T> {
    let stopped = |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed_out", "the upload stopped");
    timeout(idle, next).await.map_err(stopped)?
}

fn broken(error: &MultipartError) -> ApiError {
    ApiError::new(error.status(), "invalid_input", error.body_text())
}
