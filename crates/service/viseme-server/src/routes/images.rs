//! `/v1/images`: pictures that talking photos are made of. Each client has its own.

use super::files::send;
use crate::auth::Owner;
use crate::error::{ApiError, ApiResult};
use crate::keys::hex;
use crate::service::Service;
use crate::upload::{FileKind, Wanted, receive_file};
use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viseme_core::ErrorKind;
use viseme_jobs::{Area, ArtifactKey, Stored};
use viseme_media::MediaInfo;

/// Bytes that say what a picture is.
const HEAD_BYTES: u64 = 12;

const PICTURE: Wanted = Wanted { check_content, ..Wanted::new("image", FileKind::Image) };

fn check_content(info: &MediaInfo) -> ApiResult<()> {
    if ["png", "jpeg", "webp"].contains(&info.container.as_str()) {
        return Ok(());
    }
    Err(ApiError::bad_request("the picture is neither JPEG nor PNG nor WebP"))
}

pub(super) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, get, delete))
        .layer(DefaultBodyLimit::disable())
}

/// A registered picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
struct ImageBody {
    image_id: String,
    bytes: u64,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl ImageBody {
    fn new(key: &ArtifactKey, stored: Stored) -> Self {
        Self { image_id: key.name().to_owned(), bytes: stored.bytes, created_at: stored.modified }
    }
}

/// All pictures of a client.
#[derive(Debug, Serialize, ToSchema)]
struct ImageList {
    total: u64,
    /// By name.
    images: Vec<ImageBody>,
}

/// The parts of a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct ImageForm {
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
}

/// Registers a picture under a name, in place of one that had it: as the body of the request, or as the part `image` of a form.
#[utoipa::path(
    put, path = "/v1/images/{imageId}", tag = "images",
    params(("imageId" = String, Path, description = "1 to 100 letters, digits, `.`, `_` and `-`, and no dot at the beginning")),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (ImageForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "It takes the place of another one", body = ImageBody),
        (status = 201, description = "It is new", body = ImageBody),
        (status = 400, description = "It is no JPEG, PNG or WebP, or cannot be called so"),
        (status = 413, description = "It is too large"),
    )
)]
async fn put(
    State(service): State<Arc<Service>>,
    owner: Owner,
    Path(id): Path<String>,
    request: Request,
) -> ApiResult<Response> {
    let key = key(&owner, &id)?;
    let (file, _) = receive_file(&service, request, &PICTURE).await?;
    let is_there = service.artifacts.head(&key).await?.is_some();
    let stored = service.artifacts.put_file(&key, file.path(), "application/octet-stream").await?;
    let status = if is_there { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(ImageBody::new(&key, stored))).into_response())
}

/// A registered picture as it was sent.
#[utoipa::path(
    get, path = "/v1/images/{imageId}", tag = "images",
    params(("imageId" = String, Path, description = "The name of the picture")),
    responses(
        (status = 200, description = "The picture", content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
        (status = 404, description = "There is no such picture"),
    )
)]
async fn get(
    State(service): State<Arc<Service>>,
    owner: Owner,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let key = registered(&service, &owner, &id).await?;
    let head: Vec<_> = service.artifacts.read(&key, Some(0..HEAD_BYTES)).await?.try_collect().await?;
    send(&service.artifacts, (&key, content_type(&head.concat())), &headers).await
}

/// Removes a registered picture.
#[utoipa::path(
    delete, path = "/v1/images/{imageId}", tag = "images",
    params(("imageId" = String, Path, description = "The name of the picture")),
    responses((status = 204, description = "It is gone"), (status = 404, description = "There is no such picture"))
)]
async fn delete(
    State(service): State<Arc<Service>>,
    owner: Owner,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let key = registered(&service, &owner, &id).await?;
    service.artifacts.delete(&key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the registered pictures.
#[utoipa::path(get, path = "/v1/images", tag = "images", responses((status = 200, body = ImageList)))]
async fn list(State(service): State<Arc<Service>>, owner: Owner) -> ApiResult<Json<ImageList>> {
    let listed = service.artifacts.list(Area::Images, &folder(&owner)).await?;
    let images: Vec<_> = listed.iter().map(|(key, stored)| ImageBody::new(key, *stored)).collect();
    Ok(Json(ImageList { total: images.len() as u64, images }))
}

/// The picture of that name.
///
/// # Errors
/// 404 when the client has none.
pub(super) async fn registered(service: &Service, owner: &Owner, id: &str) -> ApiResult<ArtifactKey> {
    let missing =
        || ApiError::new(StatusCode::NOT_FOUND, ErrorKind::NotFound.name(), "there is no such picture");
    let key = key(owner, id).map_err(|_| missing())?;
    service.artifacts.head(&key).await?.map(|_| key).ok_or_else(missing)
}

fn key(owner: &Owner, id: &str) -> ApiResult<ArtifactKey> {
    ArtifactKey::new(Area::Images, &folder(owner), id).map_err(|_| {
        ApiError::bad_request("a picture cannot be called so")
            .with_param("imageId")
            .with_hint("Use 1 to 100 letters, digits, '.', '_' and '-', and no dot at the beginning.")
    })
}

/// Where the pictures of a client lie. A name of a client may be longer than that of a folder.
fn folder(owner: &Owner) -> String {
    hex(&Sha256::digest(owner.name()))
}

/// What a picture is by its first bytes: it was checked when it came.
fn content_type(head: &[u8]) -> &'static str {
    match head {
        [0xff, 0xd8, ..] => "image/jpeg",
        [0x89, b'P', ..] => "image/png",
        _ => "image/webp",
    }
}
