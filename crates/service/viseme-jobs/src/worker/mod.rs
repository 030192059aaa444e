//! Takes jobs out of a store and has them done.

mod handle;
#[cfg(test)]
mod tests;

pub use handle::{JobHandle, StopReason};

use crate::job::{Failure, Job, JobKind};
use crate::store::{Claim, JobStore, Lease, Pulse};
use async_trait::async_trait;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span, warn};
use viseme_core::{Error, Result};

/// Heartbeats in the time of a lease: five may be lost before a job is.
const BEATS_PER_LEASE: u32 = 6;
/// Longest time between two heartbeats: they carry progress one way and the wish to cancel the other.
const LONGEST_BEAT: Duration = Duration::from_secs(1);

/// Does jobs.
#[async_trait]
pub trait JobHandler: Debug + Send + Sync + 'static {
    /// Does a job and says what it made. Called once for each try, so that what an earlier try has left may be there.
    /// Looks at `handle` often, and ends with whatever error when that says to stop.
    ///
    /// # Errors
    /// Whatever makes the job impossible; the kind decides whether it is tried again.
    async fn run(&self, job: &Job, handle: &JobHandle) -> Result<Value>;

    /// The words of an error that may leave the machine.
    fn failure(&self, job: &Job, error: &Error) -> Failure;

    /// Called after a try, when the store knows how it ended; `job` is as it is now. For cleaning up and telling others.
    async fn ended(&self, job: Job);
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Its name in the store, for people: which machine, which process.
    pub name: String,
    /// Jobs that it does at a time.
    pub slots: usize,
    /// What it takes.
    pub kinds: Vec<JobKind>,
    /// The lease of the store.
    pub lease: Duration,
    /// How long it waits before it asks again for a job when there was none, unless it is woken.
    pub poll: Duration,
    /// How long jobs may go on when the worker is to end, before they are given back.
    pub grace: Duration,
}

/// Takes jobs out of a store and has them done, several at a time.
#[derive(Debug, Clone)]
pub struct Worker {
    store: Arc<dyn JobStore>,
    handler: Arc<dyn JobHandler>,
    options: WorkerOptions,
    wake: Arc<Notify>,
}

impl Worker {
    /// A worker on `store`. Who puts jobs there in the same process may `wake` it.
    #[must_use]
    pub fn new(
        store: Arc<dyn JobStore>,
        handler: Arc<dyn JobHandler>,
        options: WorkerOptions,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, handler, options, wake }
    }

    /// Works until `shutdown`, then lets its jobs end or gives them back.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        for slot in 0..self.options.slots {
            let (worker, shutdown) = (self.clone(), shutdown.clone());
            tasks.spawn(async move { worker.work(slot, &shutdown).await });
        }
        let reaper = self.clone();
        tasks.spawn(async move { reaper.reap(&shutdown).await });
        while tasks.join_next().await.is_some() {}
    }

    /// One slot: job after job.
    async fn work(&self, slot: usize, shutdown: &CancellationToken) {
        let name = format!("{}/{slot}", self.options.name);
        while !shutdown.is_cancelled() {
            match self.store.claim(&name, &self.options.kinds).await {
                Ok(Some(claim)) => {
                    // There may be more: another slot looks.
                    self.wake.notify_one();
                    let span = info_span!("job", job_id = %claim.job.id, kind = claim.job.kind.name(), try = claim.job.tries);
                    self.work_on(claim, shutdown).instrument(span).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => warn!(%error, "cannot ask for a job"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.wake.notified() => {}
                () = sleep(self.options.poll) => {}
            }
        }
    }

    /// Takes jobs from workers that are not heard of.
    async fn reap(&self, shutdown: &CancellationToken) {
        let mut ticks = interval(self.beat());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.store.reap().await {
                Ok(0) => {}
                Ok(jobs) => warn!(jobs, "jobs were taken from workers that are not heard of"),
                Err(error) => warn!(%error, "cannot look for lost workers"),
            }
        }
    }

    fn beat(&self) -> Duration {
        (self.options.lease / BEATS_PER_LEASE).min(LONGEST_BEAT)
    }

    /// One job from its claim to its end.
    async fn work_on(&self, Claim { job, lease }: Claim, shutdown: &CancellationToken) {
        let started = Instant::now();
        let handle = JobHandle::default();
        let (handler, of_job, of_handle) = (Arc::clone(&self.handler), job.clone(), handle.clone());
        let work = async move { handler.run(&of_job, &of_handle).await };
        let mut work = tokio::spawn(work.in_current_span());
        let end = started + Duration::from_millis(job.time_limit_ms);
        let given_up = async {
            shutdown.cancelled().await;
            sleep(self.options.grace).await;
        };
        tokio::pin!(given_up);
        let mut heart = interval(self.beat());
        heart.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_heard = Instant::now();
        let result = loop {
            tokio::select! {
                done = &mut work => break done.unwrap_or_else(|error| Err(panicked(error))),
                _ = heart.tick() => self.beat_once(lease, &handle, &mut last_heard).await,
                () = sleep_until(end), if handle.stop_reason().is_none() => handle.stop(StopReason::TimedOut),
                () = &mut given_up, if handle.stop_reason().is_none() => handle.stop(StopReason::ShuttingDown),
            }
        };
        self.settle(&job, lease, result, handle.stop_reason()).await;
        let now = timeout(self.options.lease, self.store.get(job.id)).await;
        match now {
            Ok(Ok(Some(job))) => {
                tracing::info!(
                    state = job.state.name(),
                    seconds = started.elapsed().as_secs_f64(),
                    "try ended"
                );
                self.handler.ended(job).await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => warn!(%error, "cannot read how the job ended"),
            Err(_) => warn!("cannot read how the job ended: the store does not answer"),
        }
    }

    /// One heartbeat. A store that cannot be reached for the length of a lease has given the job to somebody else.
    async fn beat_once(&self, lease: Lease, handle: &JobHandle, last_heard: &mut Instant) {
        let beat = self.store.heartbeat(lease, handle.progress());
        // Longer than the time between two: over a long way a new connection takes a second.
        match timeout(self.options.lease / BEATS_PER_LEASE, beat).await {
            Ok(Ok(pulse)) => {
                *last_heard = Instant::now();
                match pulse {
                    Pulse::GoOn => {}
                    Pulse::Cancel => handle.stop(StopReason::Cancelled),
                    Pulse::Lost => handle.stop(StopReason::Lost),
                }
            }
            failed => {
                let error = failed.map_or_else(
                    |_| "it does not answer".to_owned(),
                    |beat| beat.err().map_or_else(String::new, |error| error.to_string()),
                );
                warn!(error, "a heartbeat did not reach the job store");
                if last_heard.elapsed() > self.options.lease {
                    handle.stop(StopReason::Lost);
                }
            }
        }
    }

    /// Tells the store how a try ended, again and again while it cannot be reached and the lease may still hold.
    async fn settle(&self, job: &Job, lease: Lease, result: Result<Value>, stop: Option<StopReason>) {
        let started = Instant::now();
        loop {
            let told = match (&result, stop) {
                (_, Some(StopReason::Lost)) => Ok(false),
                (Ok(value), _) => self.store.complete(lease, value.clone()).await,
                (Err(_), Some(StopReason::Cancelled)) => self.store.cancelled(lease).await,
                (Err(_), Some(StopReason::ShuttingDown)) => self.store.release(lease).await,
                (Err(_), Some(StopReason::TimedOut)) => self.store.fail(lease, timed_out(job)).await,
                (Err(error), None) => {
                    warn!(%error, "try failed");
                    self.store.fail(lease, self.handler.failure(job, error)).await
                }
            };
            match told {
                Ok(true) => return,
                Ok(false) => return warn!("the job is somebody else's now: nothing was recorded"),
                Err(error) if started.elapsed() < self.options.lease => {
                    warn!(%error, "cannot record how the try ended; trying again");
                    sleep(self.options.poll).await;
                }
                Err(error) => return warn!(%error, "could not record how the try ended"),
            }
        }
    }
}

fn timed_out(job: &Job) -> Failure {
    let seconds = job.time_limit_ms.div_ceil(1000);
    Failure {
        code: "timed_out".to_owned(),
        message: format!("the job took longer than the {seconds} s that it may"),
        hint: Some("Give it a higher time limit, or a shorter video.".to_owned()),
        is_retryable: false,
    }
}

fn panicked(error: tokio::task::JoinError) -> Error {
    Error::internal("the work on the job panicked").with_source(error)
}
