//! What the span of a job says of it. No addresses, and of errors the code alone: messages may name files and hosts.

use crate::work::LipsyncResult;
use opentelemetry::trace::Status;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use viseme_jobs::Job;

/// Notes what a lipsync job made and how long its stages took.
pub(crate) fn note_lipsync(result: &LipsyncResult) {
    let (span, timing) = (Span::current(), &result.timing);
    span.set_attribute("engine", result.method_used.clone());
    span.set_attribute("cost_usd", result.cost_usd);
    span.set_attribute("output_ms", result.output.duration_ms as i64);
    let stages = [
        ("total_ms", timing.total_ms),
        ("download_ms", timing.download_ms),
        ("detection_ms", timing.detection_ms),
        ("lipsync_ms", timing.lipsync_ms),
        ("encoding_ms", timing.encoding_ms),
        ("upload_ms", timing.upload_ms),
    ];
    for (name, ms) in stages {
        span.set_attribute(name, ms as i64);
    }
}

/// Notes how a try ended.
pub(crate) fn note_end(job: &Job) {
    let span = Span::current();
    span.set_attribute("state", job.state.name());
    if let Some(failure) = &job.error {
        span.set_attribute("error.type", failure.code.clone());
        span.set_status(Status::error(failure.code.clone()));
    }
}
