//! Many jobs at once: each ends as it would alone, and none stops the others.

mod list;
mod report;

pub use list::read_list;
pub use report::{BatchReport, BatchResult, BatchStatus, BatchSummary, Failure, JobStatus};

use crate::runners::RunnerPool;
use crate::spec::{JobSpec, resolved};
use crate::threads::{join, spawn};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use viseme_core::{Error, ErrorKind, Observer, Progress, Result, Warning};

/// Runners that are kept while no job uses them: jobs of a batch take turns with an engine or two.
const MOST_IDLE: usize = 2;

/// Receives what happens to the jobs of a batch, each by its position from 0. Called from several threads.
pub trait BatchObserver: Send + Sync {
    /// A job begins.
    fn started(&self, job: usize, spec: &JobSpec);
    /// A stage of a job moved on.
    fn progress(&self, job: usize, progress: Progress);
    /// Something worth telling happened to a job, which goes on.
    fn warn(&self, job: usize, warning: &Warning);
    /// A job has ended, one way or another. Jobs that a cancelled batch never began are not told.
    fn ended(&self, job: usize, result: &BatchResult);
    /// Asked between frames; `true` ends the jobs that run and begins no more.
    fn is_cancelled(&self) -> bool;
}

/// Runs every job, `at_a_time` of them together: 1 is best for most, since a job uses all cores by itself, and holds
/// models and frames of its own in memory. Jobs that want the same models share one copy of them.
///
/// The report has one result per job, in their order, whatever became of it.
///
/// # Errors
/// `InvalidInput`, before anything is started, when there is no job, or two write the same file, or one writes what
/// another reads. What makes a single job impossible is an error of that job alone.
pub fn run_batch(jobs: &[JobSpec], at_a_time: usize, observer: &dyn BatchObserver) -> Result<BatchReport> {
    check_files(jobs)?;
    let batch = Batch {
        jobs,
        observer,
        runners: RunnerPool::new(MOST_IDLE),
        next: AtomicUsize::new(0),
        results: Mutex::new(vec![None; jobs.len()]),
    };
    std::thread::scope(|scope| {
        let workers = (0..at_a_time.clamp(1, jobs.len()))
            .map(|_| spawn(scope, "batch", || batch.work()))
            .collect::<Result<Vec<_>>>()?;
        workers.into_iter().try_for_each(|worker| join("batch", worker))
    })?;
    let results = batch.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let never_began = |(result, job): (Option<BatchResult>, &JobSpec)| {
        result.unwrap_or_else(|| BatchResult::of(job, Err(Error::cancelled())))
    };
    Ok(BatchReport::of(results.into_iter().zip(jobs).map(never_began).collect()))
}

/// A batch on its way.
struct Batch<'a> {
    jobs: &'a [JobSpec],
    observer: &'a dyn BatchObserver,
    runners: RunnerPool,
    next: AtomicUsize,
    results: Mutex<Vec<Option<BatchResult>>>,
}

impl Batch<'_> {
    /// Runs jobs until none is left. What befalls a job is in its result.
    #[expect(clippy::unnecessary_wraps, reason = "a thread has a result")]
    fn work(&self) -> Result<()> {
        while !self.observer.is_cancelled() {
            let job = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(spec) = self.jobs.get(job) else { break };
            self.observer.started(job, spec);
            let one = OneJob { job, observer: self.observer };
            let done =
                spec.validate().and_then(|()| self.runners.with(spec, |runner| runner.run(spec, &one)));
            let result = BatchResult::of(spec, done);
            self.observer.ended(job, &result);
            self.results.lock().unwrap_or_else(PoisonError::into_inner)[job] = Some(result);
        }
        Ok(())
    }
}

/// The observer of one job of a batch.
pub(crate) struct OneJob<'a> {
    pub(crate) job: usize,
    pub(crate) observer: &'a dyn BatchObserver,
}

impl Observer for OneJob<'_> {
    fn progress(&self, progress: Progress) {
        self.observer.progress(self.job, progress);
    }

    fn warn(&self, warning: &Warning) {
        self.observer.warn(self.job, warning);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// Checks that no job writes what another one writes or reads.
pub(crate) fn check_files(jobs: &[JobSpec]) -> Result<()> {
    if jobs.is_empty() {
        return Err(Error::invalid_input("there is no job in the batch"));
    }
    let mut writers: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (job, spec) in jobs.iter().enumerate() {
        for output in std::iter::once(&spec.output).chain(&spec.mask_output) {
            if let Some(other) = writers.insert(identity(output), job) {
                return Err(clash(other, job, &format!("both write {}", output.display())));
            }
        }
    }
    for (job, spec) in jobs.iter().enumerate() {
        for input in std::iter::once(&spec.video).chain(spec.sounds()) {
            if let Some(&writer) = writers.get(&identity(input)) {
                let reads = format!("write and read {}", input.display());
                return Err(clash(writer, job, &reads));
            }
        }
    }
    Ok(())
}

/// Which file a path names, whether it is there yet or not.
fn identity(path: &Path) -> PathBuf {
    resolved(path).or_else(|| std::path::absolute(path).ok()).unwrap_or_else(|| path.to_owned())
}

fn clash(one: usize, other: usize, what: &str) -> Error {
    let (one, other) = (one + 1, other + 1);
    Error::new(ErrorKind::InvalidInput, format!("jobs {one} and {other} {what}"))
        .with_hint("Jobs are counted from 1. Give every job an output of its own; nothing was started.")
}

#[cfg(test)]
mod tests;
