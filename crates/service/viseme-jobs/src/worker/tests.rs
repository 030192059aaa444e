//! A worker on a real store, with jobs that do what their specs say.

use super::*;
use crate::clock::Clock;
use crate::job::{JobId, JobProgress, JobState, NewJob};
use crate::retry::RetryPolicy;
use crate::sqlite::SqliteJobStore;
use crate::store::StoreOptions;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use viseme_core::ErrorKind;

/// Six heartbeats: one every 100 ms.
const LEASE: Duration = Duration::from_millis(600);
/// What a test waits for at most; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does what a spec says; remembers what happened.
#[derive(Debug, Default)]
struct Obedient {
    begun: Mutex<Vec<(JobId, Instant)>>,
    stopped: Mutex<Vec<StopReason>>,
    ended: Mutex<Vec<(JobId, JobState)>>,
}

#[async_trait]
impl JobHandler for Obedient {
    async fn run(&self, job: &Job, handle: &JobHandle) -> Result<Value> {
        let tries = {
            let mut begun = lock(&self.begun);
            begun.push((job.id, Instant::now()));
            begun.iter().filter(|(id, _)| *id == job.id).count()
        };
        let is_first = tries == 1;
        match job.spec["do"].as_str().unwrap_or_default() {
            "fail once" if is_first => return Err(Error::new(ErrorKind::Network, "the line was cut")),
            "fail" => return Err(Error::invalid_input("no face")),
            "panic" => panic!("as asked"),
            "hang once" if is_first => return self.hang(handle).await,
            "hang" => return self.hang(handle).await,
            "take a moment" => sleep(Duration::from_millis(200)).await,
            "report" => {
                handle.set_progress(JobProgress { stage: "render".to_owned(), done: 7, total: Some(9) });
                return self.hang(handle).await;
            }
            _ => {}
        }
        Ok(json!({ "try": tries }))
    }

    fn failure(&self, _: &Job, error: &Error) -> Failure {
        Failure::new(error, error.to_string())
    }

    async fn ended(&self, job: Job) {
        lock(&self.ended).push((job.id, job.state));
    }
}

impl Obedient {
    async fn hang(&self, handle: &JobHandle) -> Result<Value> {
        let reason = handle.stopped().await;
        lock(&self.stopped).push(reason);
        Err(Error::cancelled())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An hour ahead: for it every lease has ended.
#[derive(Debug)]
struct Later;

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(1)
    }
}

struct Bench {
    folder: TempDir,
    store: Arc<SqliteJobStore>,
    handler: Arc<Obedient>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteJobStore::open(&folder.path().join("jobs.db"), options()).unwrap());
        Self { folder, store, handler: Arc::default() }
    }

    /// Queues a job with one slot's worth of work.
    async fn job(&self, what: &str) -> JobId {
        self.job_within(what, Duration::from_mins(1)).await
    }

    async fn job_within(&self, what: &str, time_limit: Duration) -> JobId {
        let job = NewJob { time_limit, ..NewJob::new(JobKind::Score, json!({ "do": what })) };
        self.store.enqueue(job).await.unwrap().job.id
    }

    /// Starts a worker of one slot.
    fn worker(&self, grace: Duration) -> (CancellationToken, JoinHandle<()>) {
        let options = WorkerOptions {
            name: "test".to_owned(),
            slots: 1,
            kinds: JobKind::ALL.to_vec(),
            lease: LEASE,
            poll: Duration::from_millis(20),
            grace,
        };
        let store: Arc<dyn JobStore> = Arc::<SqliteJobStore>::clone(&self.store);
        let handler: Arc<dyn JobHandler> = Arc::<Obedient>::clone(&self.handler);
        let shutdown = CancellationToken::new();
        let worker = Worker::new(store, handler, options, Arc::default()).run(shutdown.clone());
        (shutdown, tokio::spawn(worker))
    }

    /// The job, when it is as `is_so` wants it.
    async fn when(&self, id: JobId, is_so: impl Fn(&Job) -> bool) -> Job {
        let seen = async {
            loop {
                let job = self.store.get(id).await.unwrap().unwrap();
                if is_so(&job) {
                    return job;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, seen).await.unwrap()
    }

    async fn when_ended(&self, id: JobId) -> Job {
        self.when(id, |job| job.state.is_final()).await
    }

    async fn when_begun(&self, id: JobId) {
        self.when(id, |_| lock(&self.handler.begun).iter().any(|(begun, _)| *begun == id)).await;
    }
}

fn options() -> StoreOptions {
    let retry = RetryPolicy { first: Duration::from_millis(200), most: Duration::from_secs(1) };
    StoreOptions { lease: LEASE, retry, ..StoreOptions::default() }
}

async fn end((shutdown, worker): (CancellationToken, JoinHandle<()>)) {
    shutdown.cancel();
    timeout(PATIENCE, worker).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_job_is_done_and_who_did_it_is_told() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("").await;
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.result, job.tries), (JobState::Completed, Some(json!({ "try": 1 })), 1));
    end(worker).await;
    assert_eq!(*lock(&bench.handler.ended), [(id, JobState::Completed)]);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_after_a_while() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("fail once").await;
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.result, job.tries), (JobState::Completed, Some(json!({ "try": 2 })), 2));
    assert_eq!(job.error, None, "what was overcome is not told");
    let begun = lock(&bench.handler.begun).clone();
    // Half of the longest first wait at least.
    assert!(begun[1].1 - begun[0].1 >= Duration::from_millis(99), "{begun:?}");
    end(worker).await;
    let ended = lock(&bench.handler.ended).clone();
    assert_eq!(ended.last(), Some(&(id, JobState::Completed)));
}

#[tokio::test]
async fn a_failure_that_will_not_pass_is_not_tried_again() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("fail").await;
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.tries), (JobState::Failed, 1));
    let failure = job.error.unwrap();
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("invalid_input", "no face"));
    end(worker).await;
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_stopped_and_has_failed() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job_within("hang", Duration::from_millis(150)).await;
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.tries), (JobState::Failed, 1));
    assert_eq!(job.error.unwrap().code, "timed_out");
    assert_eq!(*lock(&bench.handler.stopped), [StopReason::TimedOut]);
    end(worker).await;
}

#[tokio::test]
async fn a_job_that_is_called_off_while_it_runs_is_cancelled() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("hang").await;
    bench.when_begun(id).await;
    bench.store.cancel(id).await.unwrap();
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.result), (JobState::Cancelled, None));
    assert_eq!(*lock(&bench.handler.stopped), [StopReason::Cancelled]);
    end(worker).await;
}

#[tokio::test]
async fn a_worker_that_ends_gives_its_job_to_the_next() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::from_millis(50));
    let id = bench.job("hang once").await;
    bench.when_begun(id).await;
    end(worker).await;
    let job = bench.store.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.tries), (JobState::Queued, 0), "it does not count as a try");
    assert_eq!(*lock(&bench.handler.stopped), [StopReason::ShuttingDown]);
    let next = bench.worker(Duration::ZERO);
    let job = bench.when_ended(id).await;
    assert_eq!((job.state, job.tries), (JobState::Completed, 1));
    end(next).await;
}

#[tokio::test]
async fn what_ends_within_the_grace_is_finished() {
    let bench = Bench::new();
    let worker = bench.worker(PATIENCE);
    let id = bench.job("take a moment").await;
    bench.when_begun(id).await;
    end(worker).await;
    assert_eq!(bench.store.get(id).await.unwrap().unwrap().state, JobState::Completed);
}

#[tokio::test]
async fn a_panic_is_a_failure_and_the_slot_goes_on() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let (one, other) = (bench.job("panic").await, bench.job("").await);
    let job = bench.when_ended(one).await;
    assert_eq!((job.state, job.error.unwrap().code.as_str()), (JobState::Failed, "internal"));
    assert_eq!(bench.when_ended(other).await.state, JobState::Completed);
    end(worker).await;
}

#[tokio::test]
async fn who_has_lost_the_lease_stops_and_records_nothing() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("hang").await;
    bench.when_begun(id).await;
    let path = bench.folder.path().join("jobs.db");
    let later = SqliteJobStore::with_clock(&path, options(), Arc::new(Later)).unwrap();
    // Between its heartbeats the worker may say that it is alive; to the other all of them lie in the past.
    let lease = timeout(PATIENCE, async {
        loop {
            later.reap().await.unwrap();
            if let Some(claim) = later.claim("other", &JobKind::ALL).await.unwrap() {
                return claim.lease;
            }
            sleep(Duration::from_millis(300)).await;
        }
    });
    let lease = lease.await.unwrap();
    assert!(later.complete(lease, json!("by the other")).await.unwrap());
    bench.when(id, |_| !lock(&bench.handler.stopped).is_empty()).await;
    assert_eq!(*lock(&bench.handler.stopped), [StopReason::Lost]);
    end(worker).await;
    let job = bench.store.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.result), (JobState::Completed, Some(json!("by the other"))));
}

#[tokio::test]
async fn progress_arrives() {
    let bench = Bench::new();
    let worker = bench.worker(Duration::ZERO);
    let id = bench.job("report").await;
    let job = bench.when(id, |job| job.progress.is_some()).await;
    assert_eq!(job.progress.unwrap(), JobProgress { stage: "render".to_owned(), done: 7, total: Some(9) });
    bench.store.cancel(id).await.unwrap();
    bench.when_ended(id).await;
    end(worker).await;
}
