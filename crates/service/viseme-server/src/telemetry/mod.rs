//! What is told of the work: lines of a log, and spans for whoever collects them.

mod export;
mod note;

pub(crate) use note::{note_end, note_lipsync};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use viseme_core::Result;

/// How long the last spans may take to arrive when the process is to end.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// Spans that are on their way: dropped, it waits a little until they have arrived.
#[derive(Debug)]
#[must_use = "spans are sent until it is dropped"]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Begins to write the log to standard error: what `filter` lets through, in the words of `tracing`'s `EnvFilter` (`info`,
/// `viseme_server=debug,warn`). What cannot be understood is `info`. A second call changes nothing.
///
/// Where `OTEL_EXPORTER_OTLP_ENDPOINT` is set, or the same for traces alone, the spans of requests and jobs are sent there as
/// OTLP over HTTP, whatever the filter: see docs/OPERATIONS.md.
///
/// # Errors
/// `InvalidInput` when these variables cannot be understood.
pub fn log(filter: &str, format: LogFormat) -> Result<Telemetry> {
    // `LOG_LEVEL` of services before this one is upper case, and knows WARNING.
    let filter = filter.to_ascii_lowercase().replace("warning", "warn");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let provider = export::provider()?;
    let spans = provider.as_ref().map(|provider| {
        let ours = ["viseme_server", "viseme_jobs"].map(|target| (target, LevelFilter::INFO));
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("viseme"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_targets(ours))
    });
    let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
    Ok(Telemetry(provider))
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown_with_timeout(LAST_SPANS)
        {
            tracing::warn!(%error, "the last spans did not arrive");
        }
    }
}
