//! Sends spans to a collector: OTLP as protobuf over HTTP.

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::env::var_os;
use std::time::Duration;
use ureq::Agent;
use viseme_core::{Error, Result};

/// The variables that say where spans go. Without one of them nothing is sent.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// What the service is called unless `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "viseme";
/// How long a collector may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Most bytes that are read of its answer.
const MOST_ANSWER: u64 = 1 << 20;

/// What sends spans where the environment says; none where it says nothing.
///
/// # Errors
/// `InvalidInput` when the variables cannot be understood.
pub(super) fn provider() -> Result<Option<SdkTracerProvider>> {
    let is_set = |name: &str| var_os(name).is_some_and(|value| !value.is_empty());
    if !ENDPOINTS.iter().any(|name| is_set(name)) {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().with_http_client(Client::new()).build();
    let exporter = exporter.map_err(|error| {
        Error::invalid_input(format!("spans cannot be sent: {error}")).with_hint(
            "Look at OTEL_EXPORTER_OTLP_ENDPOINT: http://host:4318. The protocol is http/protobuf.",
        )
    })?;
    let named = is_set("OTEL_SERVICE_NAME") || is_set("OTEL_RESOURCE_ATTRIBUTES");
    let resource = Resource::builder();
    let resource = if named { resource } else { resource.with_service_name(SERVICE) };
    let provider =
        SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
    Ok(Some(provider))
}

/// Speaks to the collector from the exporter's own thread, which may block.
#[derive(Debug)]
struct Client(Agent);

impl Client {
    fn new() -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_TIME))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self(Agent::new_with_config(config))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(head, body.as_ref()))?;
        let (head, mut body) = response.into_parts();
        let read = body.with_config().limit(MOST_ANSWER).read_to_vec()?;
        Ok(Response::from_parts(head, read.into()))
    }
}
