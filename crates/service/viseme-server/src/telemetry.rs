//! What is written to the log.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// Begins to write the log to standard error: what `filter` lets through, in the words of `tracing`'s `EnvFilter` (`info`,
/// `viseme_server=debug,warn`). What cannot be understood is `info`. A second call changes nothing.
pub fn log(filter: &str, format: LogFormat) {
    // `LOG_LEVEL` of services before this one is upper case, and knows WARNING.
    let filter = filter.to_ascii_lowercase().replace("warning", "warn");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let _ = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
}
