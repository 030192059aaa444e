//! What a call gives back.

use super::remote::RemoteLipsync;
use crate::batch::JobStatus;
use crate::report::Report;
use crate::spec::JobSpec;
use serde::Serialize;
use std::path::PathBuf;
use viseme_core::Warning;

/// A result of [`generate_lipsync`](crate::LipsyncService::generate_lipsync).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lipsynced {
    /// Always [`Success`](JobStatus::Success): a call without a result is an error.
    pub status: JobStatus,
    /// Where the result is.
    pub output_path: PathBuf,
    /// What made it: `heygen`, or an engine of this machine.
    pub method_used: String,
    /// Its length in seconds.
    pub duration: f64,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// What went less well than asked for, other engines that could not do it included.
    pub warnings: Vec<Warning>,
    /// All that there is to say of it; none of a remote engine.
    #[serde(skip)]
    pub report: Option<Report>,
}

impl Lipsynced {
    pub(super) fn remote(remote: &dyn RemoteLipsync, spec: &JobSpec, duration_s: f64) -> Self {
        Self {
            status: JobStatus::Success,
            output_path: spec.output.clone(),
            method_used: remote.name().to_owned(),
            duration: duration_s,
            cost_usd: duration_s * remote.usd_per_second(),
            warnings: Vec::new(),
            report: None,
        }
    }

    pub(super) fn local(engine: &str, report: Report, usd_per_hour: f64) -> Self {
        const HOUR_MS: f64 = 3_600_000.0;
        Self {
            status: JobStatus::Success,
            output_path: report.output.path.clone(),
            method_used: engine.to_owned(),
            duration: report.output.duration_ms as f64 / 1000.0,
            cost_usd: report.total_ms as f64 / HOUR_MS * usd_per_hour,
            warnings: report.warnings.clone(),
            report: Some(report),
        }
    }

    /// The same, with what went before it.
    pub(super) fn after(mut self, before: Vec<Warning>) -> Self {
        if let Some(report) = &mut self.report {
            report.warnings.splice(0..0, before.iter().cloned());
        }
        self.warnings.splice(0..0, before);
        self
    }
}
