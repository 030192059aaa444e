//! What Prometheus reads.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::time::Duration;
use viseme_jobs::{Job, JobKind, JobState};

/// Counts of what happened since the process began.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    submitted: Family<KindLabel, Counter>,
    ended: Family<EndLabel, Counter>,
    took: Family<KindLabel, Histogram, fn() -> Histogram>,
    requests: Family<RequestLabel, Counter>,
    answered: Family<RouteLabel, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabel {
    kind: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            submitted: Family::default(),
            ended: Family::default(),
            // From a second to more than an hour.
            took: Family::new_with_constructor(|| Histogram::new(exponential_buckets(1.0, 2.0, 13))),
            requests: Family::default(),
            // From a millisecond to more than a minute.
            answered: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 17))),
        }
    }

    /// A job was queued.
    pub(crate) fn submitted(&self, kind: JobKind) {
        self.submitted.get_or_create(&KindLabel { kind: kind.name() }).inc();
    }

    /// A job has ended in a worker of this process.
    pub(crate) fn ended(&self, job: &Job) {
        let kind = job.kind.name();
        self.ended.get_or_create(&EndLabel { kind, state: job.state.name() }).inc();
        if let (Some(started), Some(finished)) = (job.started_at, job.finished_at) {
            let seconds = finished.duration_since(started).as_secs_f64();
            self.took.get_or_create(&KindLabel { kind }).observe(seconds);
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &str, status: u16, after: Duration) {
        self.requests.get_or_create(&RequestLabel { route: route.to_owned(), status }).inc();
        self.answered.get_or_create(&RouteLabel { route: route.to_owned() }).observe(after.as_secs_f64());
    }

    /// Everything in the text format of `OpenMetrics`, with the jobs of the store and the bytes of its files.
    ///
    /// # Errors
    /// When it cannot be written as text.
    pub(crate) fn text(
        &self,
        counts: &BTreeMap<(JobKind, JobState), u64>,
        file_bytes: u64,
    ) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("viseme");
        registry.register("jobs_submitted", "Jobs queued by this process", self.submitted.clone());
        registry.register("jobs_ended", "Jobs ended by this process", self.ended.clone());
        let took = self.took.clone();
        registry.register_with_unit("job_duration", "Time of the last try of a job", Unit::Seconds, took);
        registry.register("http_requests", "Requests answered", self.requests.clone());
        let answered = self.answered.clone();
        registry.register_with_unit("http_request_duration", "Time to the answer", Unit::Seconds, answered);
        let jobs = Family::<EndLabel, Gauge>::default();
        for ((kind, state), count) in counts {
            let label = EndLabel { kind: kind.name(), state: state.name() };
            jobs.get_or_create(&label).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        registry.register("jobs", "Jobs in the store", jobs);
        let files = Gauge::<i64>::default();
        files.set(i64::try_from(file_bytes).unwrap_or(i64::MAX));
        registry.register_with_unit("files", "Size of the files of jobs", Unit::Bytes, files);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}
