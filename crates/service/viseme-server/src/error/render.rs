//! Errors in the form that the clients of a route expect.

use super::ApiError;
use crate::request_id::RequestId;
use crate::service::Service;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Whose clients a route is for.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    /// Ours.
    Viseme,
    /// `/lipsync` and its like: a flag and a message.
    Synchronous,
    /// `/api/lip-sync`: a message under `error`.
    Uploads,
    /// `/api/lipsync`: a flag and a message under `error`.
    TalkingPhoto,
}

impl Family {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/lipsync" | "/detect-faces" | "/face-tracking" => Self::Synchronous,
            _ if path.starts_with("/api/lip-sync/") => Self::Uploads,
            _ if path.starts_with("/api/lipsync/") => Self::TalkingPhoto,
            _ => Self::Viseme,
        }
    }

    /// What the body of its errors is called in the description of the service.
    pub(crate) fn schema(self) -> &'static str {
        match self {
            Self::Viseme => "Error",
            Self::Synchronous => "SynchronousError",
            Self::Uploads => "UploadError",
            Self::TalkingPhoto => "TalkingPhotoError",
        }
    }
}

/// Writes the body of every error that a handler, or what stands before it, has made.
pub(crate) async fn render(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let family = Family::of(request.uri().path());
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let error = match response.extensions().get::<ApiError>() {
        Some(error) => error.clone(),
        None if is_json(&response) => return response,
        None => of_status(status),
    };
    let is_development = service.settings.is_development;
    let mut rendered = (status, Json(body(family, &error, &id, is_development))).into_response();
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// An error of which only the status is known: a path that is not there, a body that is too large.
fn of_status(status: StatusCode) -> ApiError {
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this address does not take this method"),
        StatusCode::PAYLOAD_TOO_LARGE => ("limit_exceeded", "the request is too large"),
        StatusCode::REQUEST_TIMEOUT => ("timed_out", "the request took too long to arrive"),
        StatusCode::RANGE_NOT_SATISFIABLE => ("invalid_input", "the file has no such range"),
        _ if status.is_client_error() => ("invalid_input", "the request cannot be understood"),
        _ => ("internal", "the server failed; its log says more"),
    };
    ApiError::new(status, code, message).with_hint("/docs describes every address.")
}

fn body(family: Family, error: &ApiError, id: &RequestId, is_development: bool) -> Value {
    let envelope = json!({
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "param": error.param,
        "request_id": id.as_str(),
        "doc_url": format!("/docs#error-{}", error.code),
    });
    match family {
        Family::Viseme => json!({ "error": envelope }),
        Family::Synchronous => json!({
            "success": false,
            "error_message": error.message,
            "detail": error.message,
            "error": envelope,
        }),
        Family::Uploads => uploads(error, id, is_development),
        Family::TalkingPhoto => json!({
            "success": false,
            "videoId": Uuid::now_v7(),
            "videoUrl": null,
            "videoPath": null,
            "duration": null,
            "status": "failed",
            "error": error.message,
            "code": error.code,
            "hint": error.hint,
            "request_id": id.as_str(),
        }),
    }
}

fn uploads(error: &ApiError, id: &RequestId, is_development: bool) -> Value {
    let mut body = json!({ "error": error.message, "code": error.code, "request_id": id.as_str() });
    let more = match error.status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            body["error"] = json!("File too large");
            Some(("message", json!(error.message)))
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            body["error"] = json!("Lip sync service not available");
            Some(("details", json!(error.message)))
        }
        status if status.is_server_error() => {
            body["error"] = json!(format!("Error during lip sync generation: {}", error.message));
            let trace = error.trace.as_ref().filter(|_| is_development);
            trace.map(|trace| ("traceback", json!(trace)))
        }
        _ => None,
    };
    if let Some((name, value)) = more {
        body[name] = value;
    }
    if let Some(hint) = &error.hint {
        body["hint"] = json!(hint);
    }
    body
}
