//! The description of every address: `OpenAPI` 3.1, from what stands at the handlers, and what holds for all of them.

use crate::auth::is_open;
use crate::error::{CODES, Family};
use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;
use viseme_core::{Error, Result};

#[derive(Debug, utoipa::OpenApi)]
#[openapi(
    info(
        title = "Viseme",
        description = "Moves the lips of people in video so that they match new speech.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "jobs", description = "What is to be done, as jobs that survive restarts: queued, tried again, cancelled, told by webhooks"),
        (name = "batches", description = "Many lipsync jobs that are asked for together"),
        (name = "estimate", description = "What a job would take and cost"),
        (name = "engines", description = "What can move lips here"),
        (name = "lipsync", description = "Moves lips while the client waits: addresses in, a presigned address out"),
        (name = "faces", description = "Who is where in a video: found, or followed and drawn"),
        (name = "uploads", description = "Moves lips in files that are sent along, while the client waits"),
        (name = "talking photo", description = "Pictures that speak"),
        (name = "images", description = "Pictures for that, by name"),
        (name = "files", description = "What jobs have made, by signed links"),
        (name = "health", description = "How the server is"),
    )
)]
pub(crate) struct Description;

/// The whole description as JSON text.
///
/// # Errors
/// `Internal` when it cannot be written.
pub fn openapi() -> Result<String> {
    let failed = |error| Error::internal("cannot write the description of the addresses").with_source(error);
    let (_, described) = crate::routes::described();
    let mut description = serde_json::to_value(&described).map_err(failed)?;
    complete(&mut description);
    let mut text = serde_json::to_string_pretty(&description).map_err(failed)?;
    text.push('\n');
    Ok(text)
}

/// What nobody writes at a handler.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Adds what holds for all addresses: who may come in, what errors look like, what is told by webhooks.
fn complete(description: &mut Value) {
    description["x-error-codes"] = json!(CODES);
    description["webhooks"] = webhooks();
    description["security"] = json!([{ "bearer": [] }, { "key": [] }]);
    description["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "One of the server's tokens" },
        "key": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same token" },
    });
    for (name, schema) in error_schemas() {
        description["components"]["schemas"][name] = schema;
    }
    for (path, methods) in description["paths"].as_object_mut().into_iter().flatten() {
        for operation in methods.as_object_mut().into_iter().flat_map(Map::values_mut) {
            complete_operation(path, operation);
        }
    }
}

fn complete_operation(path: &str, operation: &mut Value) {
    if is_open(path) {
        operation["security"] = json!([]);
    }
    let schema = format!("#/components/schemas/{}", Family::of(path).schema());
    let content = json!({ "application/json": { "schema": { "$ref": schema } } });
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    responses.insert("default".to_owned(), json!({ "description": "Anything else that went wrong" }));
    for (status, response) in responses.iter_mut() {
        let is_error = status == "default" || status.starts_with(['4', '5']);
        if is_error && response.get("content").is_none() {
            response["content"] = content.clone();
        }
    }
}

/// The bodies of errors, one for each family of addresses ([`crate::error::render`] writes them).
fn error_schemas() -> [(&'static str, Value); 4] {
    let codes: Vec<&str> = CODES.iter().map(|code| code.code).collect();
    let text = |words: &str| json!({ "type": "string", "description": words });
    let maybe = |words: &str| json!({ "type": ["string", "null"], "description": words });
    let message = text("One line for people");
    let code = json!({ "type": "string", "description": "For machines", "examples": codes });
    let request_id = text("The name of the request in the server's log, and in the header X-Request-Id");
    let hint = maybe("What to do about it");
    let envelope = object(&json!({
        "code": code, "message": message, "hint": hint, "request_id": request_id,
        "param": maybe("The field of the request that it is about"),
        "doc_url": text("Where the code is explained"),
    }));
    let flag = json!({ "const": false });
    [
        ("Error", object(&json!({ "error": envelope }))),
        (
            "SynchronousError",
            object(
                &json!({ "success": flag, "error_message": message, "detail": message, "error": envelope }),
            ),
        ),
        (
            "UploadError",
            json!({ "type": "object", "required": ["error", "code", "request_id"], "properties": {
                "error": message, "code": code, "request_id": request_id, "hint": hint,
                "message": maybe("With 413: which limit"), "details": maybe("With 503: why"),
                "traceback": maybe("With 500, in development: the errors underneath"),
            }}),
        ),
        (
            "TalkingPhotoError",
            object(&json!({
                "success": flag, "status": { "const": "failed" }, "error": message, "code": code,
                "hint": hint, "request_id": request_id,
            })),
        ),
    ]
}

/// An object with these properties, all of which are there.
fn object(properties: &Value) -> Value {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// What is sent to `webhook_url`.
fn webhooks() -> Value {
    let header = |name: &str, words: &str, required: bool| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": "header", "required": required, "schema": schema, "description": words })
    };
    json!({ "job": { "post": {
        "summary": "A job, or all jobs of a batch, have ended",
        "description": "Sent until it is answered with 2xx, ten times in some twenty minutes. The same delivery may come twice: \
            its id says so.",
        "parameters": [
            header("Viseme-Event", "job.completed, job.failed or job.cancelled", true),
            header("Viseme-Delivery", "The id of the delivery, the same in every try", true),
            header("Viseme-Signature", "t=SECONDS,v1=HEX: the HMAC-SHA256 of SECONDS.BODY, where the server has a key", false),
        ],
        "requestBody": { "content": { "application/json": { "schema": object(&json!({
            "id": { "type": "string", "format": "uuid", "description": "The id of the delivery" },
            "event": { "type": "string", "enum": ["job.completed", "job.failed", "job.cancelled"] },
            "created_at": { "type": "string", "format": "date-time", "description": "When the job ended" },
            "job": { "$ref": "#/components/schemas/Job" },
        })) } } },
        "responses": { "2XX": { "description": "It has arrived" } },
    } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn described() -> Value {
        serde_json::from_str(&openapi().unwrap()).unwrap()
    }

    #[test]
    fn the_description_is_the_one_of_docs() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi.json");
        let text = openapi().unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written == text,
            "docs/openapi.json is not what the server says: UPDATE_DOCS=1 cargo test -p viseme-server openapi"
        );
    }

    #[test]
    fn every_answer_that_is_an_error_has_its_body_and_every_reference_an_end() {
        let description = described();
        assert_eq!(description["openapi"], "3.1.0");
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
                assert!(responses["default"]["content"]["application/json"]["schema"].is_object());
                assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            }
        }
        let text = description.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
    }
}
