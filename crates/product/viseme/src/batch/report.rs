//! What a batch did, in the words of the service call `batch_generate_lipsync`.

use crate::report::Report;
use crate::spec::JobSpec;
use serde::Serialize;
use std::path::PathBuf;
use viseme_core::{Error, ErrorKind, Result};

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Every job has ended, well or not.
    Completed,
    /// It was interrupted: some jobs have not been done.
    Cancelled,
}

/// How a job of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// The result is there.
    Success,
    /// There is no result.
    Failed,
    /// It was interrupted, or never began.
    Cancelled,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchReport {
    /// How it ended.
    pub status: BatchStatus,
    /// One for each job, in their order.
    pub results: Vec<BatchResult>,
    /// Sums over them.
    pub summary: BatchSummary,
}

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchResult {
    /// How it ended.
    pub status: JobStatus,
    /// The video that went in.
    pub video_path: PathBuf,
    /// The speech that went in. None where all of it is in lines.
    pub audio_path: Option<PathBuf>,
    /// Where the result is; without success, where it would have been: nothing of it was left there.
    pub output_path: PathBuf,
    /// The engine.
    pub method_used: String,
    /// Length of the result in seconds; 0 without one.
    pub duration: f64,
    /// What it cost in US dollars: nothing on this machine.
    pub cost_usd: f64,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// All that there is to say about the result. Memory is that of the whole process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// For machines.
    pub kind: ErrorKind,
    /// One line for people.
    pub message: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Sums over the results of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BatchSummary {
    /// Jobs in the list.
    pub total: u64,
    /// Of these, with a result.
    pub success: u64,
    /// Of these, without one: interrupted jobs too.
    pub failed: u64,
    /// Length of all results in seconds.
    pub total_duration: f64,
    /// What they cost in US dollars.
    pub total_cost_usd: f64,
}

impl BatchReport {
    pub(crate) fn of(results: Vec<BatchResult>) -> Self {
        let success = results.iter().filter(|result| result.status == JobStatus::Success).count() as u64;
        let total = results.len() as u64;
        let summary = BatchSummary {
            total,
            success,
            failed: total - success,
            total_duration: results.iter().map(|result| result.duration).sum(),
            total_cost_usd: results.iter().map(|result| result.cost_usd).sum(),
        };
        let is_cancelled = results.iter().any(|result| result.status == JobStatus::Cancelled);
        let status = if is_cancelled { BatchStatus::Cancelled } else { BatchStatus::Completed };
        Self { status, results, summary }
    }

    /// The exit code of the command line: 0 when every job has a result, otherwise that of the gravest failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failures = self.results.iter().filter_map(|result| result.error.as_ref());
        failures.map(|failure| failure.kind.exit_code()).max().unwrap_or(0)
    }
}

impl BatchResult {
    pub(crate) fn of(job: &JobSpec, done: Result<Report>) -> Self {
        let (report, error) = match done {
            Ok(report) => (Some(report), None),
            Err(error) => (None, Some(Failure::of(&error))),
        };
        let status = match &error {
            None => JobStatus::Success,
            Some(failure) if failure.kind == ErrorKind::Cancelled => JobStatus::Cancelled,
            Some(_) => JobStatus::Failed,
        };
        Self {
            status,
            video_path: job.video.clone(),
            audio_path: job.audio.clone(),
            output_path: job.output.clone(),
            method_used: job.engine.name.clone(),
            duration: report.as_ref().map_or(0.0, |report| report.output.duration_ms as f64 / 1000.0),
            cost_usd: 0.0,
            error,
            report,
        }
    }
}

impl Failure {
    pub(super) fn of(error: &Error) -> Self {
        Self { kind: error.kind(), message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}
