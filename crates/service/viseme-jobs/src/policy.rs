//! What every engine decides alike: until when, and how a try ends.

use crate::job::{Failure, Job, JobState, NewJob};
use crate::store::{Enqueued, StoreOptions};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use viseme_core::{Error, Result};

/// The moment of a change, and what its store was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// The moment.
    pub(crate) now: Timestamp,
    /// How the store deals with jobs.
    pub(crate) options: &'a StoreOptions,
}

/// How a try ends. Times are milliseconds since 1970, values JSON.
#[derive(Debug)]
pub(crate) struct Ending {
    /// The job's new state.
    pub(crate) state: JobState,
    /// When the job ended, if it did.
    pub(crate) finished_at: Option<i64>,
    /// When the job may be claimed again.
    pub(crate) again_at: Option<i64>,
    /// Whether it does not count as a try.
    pub(crate) is_given_back: bool,
    /// What the job made.
    pub(crate) result: Option<String>,
    /// Why the try failed.
    pub(crate) error: Option<String>,
}

impl Moment<'_> {
    /// It, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The moment so much later.
    pub(crate) fn after(&self, wait: Duration) -> i64 {
        self.now().saturating_add(milliseconds(wait))
    }

    /// When a lease ends that begins now.
    pub(crate) fn lease_end(&self) -> i64 {
        self.after(self.options.lease)
    }

    /// The moment from which on results and requests are remembered.
    pub(crate) fn life_ago(&self) -> i64 {
        self.now().saturating_sub(milliseconds(self.options.result_life))
    }

    fn ending(&self, state: JobState) -> Ending {
        let finished_at = state.is_final().then(|| self.now());
        Ending { state, finished_at, again_at: None, is_given_back: false, result: None, error: None }
    }

    /// The end of a job with a result.
    pub(crate) fn completed(&self, result: &Value) -> Result<Ending> {
        Ok(Ending { result: Some(json(result)?), ..self.ending(JobState::Completed) })
    }

    /// The end of a job that was called off.
    pub(crate) fn cancelled(&self) -> Ending {
        self.ending(JobState::Cancelled)
    }

    /// The end of a try that its worker gives back.
    pub(crate) fn given_back(&self, job: &Job) -> Ending {
        if job.cancel_requested {
            return self.cancelled();
        }
        Ending { again_at: Some(self.now()), is_given_back: true, ..self.ending(JobState::Queued) }
    }

    /// The end of a try that failed.
    pub(crate) fn failed(&self, job: &Job, failure: &Failure) -> Result<Ending> {
        let error = Some(json(failure)?);
        let ending = if job.cancel_requested {
            self.cancelled()
        } else if failure.is_retryable && job.tries < job.max_tries {
            let again_at = Some(self.after(self.options.retry.wait(job.tries)));
            Ending { again_at, ..self.ending(JobState::Queued) }
        } else {
            self.ending(JobState::Failed)
        };
        Ok(Ending { error, ..ending })
    }
}

/// What the owner of an idempotency key hears who uses it again. Where `is_same_content`, the same files have been sent again
/// and lie elsewhere.
pub(crate) fn asked_again(known: Job, is_same_content: bool, job: &NewJob) -> Result<Enqueued> {
    if known.kind == job.kind && (is_same_content || known.spec == job.spec) {
        return Ok(Enqueued { job: known, is_new: false });
    }
    Err(Error::invalid_input("the idempotency key was used for another request")
        .with_hint("Each request has a key of its own; the same key only repeats the same request."))
}

/// A duration as a store keeps it.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    // The calendar of `jiff` ends before an i64 of milliseconds does.
    let most = Timestamp::MAX.as_millisecond() / 2;
    i64::try_from(duration.as_millis()).unwrap_or(most).min(most)
}

/// A value as a store keeps it.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::internal("a job cannot be written as JSON").with_source(error))
}
