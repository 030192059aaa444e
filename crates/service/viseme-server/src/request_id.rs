//! The name of a request, in the log, in errors and in the header `X-Request-Id`.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer names of clients are not taken.
const MOST_BYTES: usize = 100;

/// The name of a request: the client's own, where it sent one that can be written into a log.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn of(request: &Request) -> Self {
        let sent = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
        let is_plain = |id: &&str| {
            (1..=MOST_BYTES).contains(&id.len())
                && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
        };
        Self(sent.filter(is_plain).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

/// Gives every request a name and tells it to the client.
pub(crate) async fn name(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
