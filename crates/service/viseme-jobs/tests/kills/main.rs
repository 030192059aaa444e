//! Workers and databases that are killed, stopped and started again: nothing is lost, and every job has one result.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod journal;
#[path = "../postgres_server/mod.rs"]
mod postgres_server;
mod worker;

use journal::{Deed, Entry, Journal};
use postgres_server::{PostgresServer, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use viseme_jobs::{Job, JobFilter, JobId, JobKind, JobState, JobStore, NewJob};
use worker::{Orders, RETRY, Task, Then};

/// Where a worker process finds its orders.
const ORDERS: &str = "VISEME_TEST_WORKER";
/// A lease that ends soon, for tests in which one must.
const SHORT: Duration = Duration::from_millis(1500);
/// One that never does.
const LONG: Duration = Duration::from_mins(10);
/// Far more than any of it takes.
const PATIENCE: Duration = Duration::from_mins(3);

/// Not a test: what a worker process does.
#[test]
fn worker_process() {
    if let Ok(orders) = std::env::var(ORDERS) {
        worker::work(&serde_json::from_str(&orders).unwrap());
    }
}

/// A worker process, ended with the test.
struct Worker(Child);

impl Worker {
    #[expect(clippy::disallowed_methods, reason = "the test starts itself anew")]
    fn start(orders: &Orders) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker_process", "--exact", "--nocapture"]);
        command.env(ORDERS, serde_json::to_string(orders).unwrap());
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A store, and the journal of those who work on it.
struct Site {
    folder: tempfile::TempDir,
    orders: Orders,
    store: Arc<dyn JobStore>,
    journal: Journal,
}

impl Site {
    /// In the database of `address`, or a file.
    async fn new(address: Option<&str>, lease: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}", folder.path().join("jobs.db").display());
        let orders = Orders {
            store: address.map_or(file, ToOwned::to_owned),
            lease,
            most_scores: 2,
            journal: folder.path().join("journal"),
            name: String::new(),
            hands: 1,
        };
        let journal = Journal::new(&orders.journal);
        Self { folder, store: orders.open().await, orders, journal }
    }

    fn worker(&self, name: &str, hands: u32) -> Worker {
        Worker::start(&Orders { name: name.to_owned(), hands, ..self.orders.clone() })
    }

    async fn enqueue(&self, kind: JobKind, takes_ms: u64, then: Then) -> JobId {
        let task = Task { takes: Duration::from_millis(takes_ms), then };
        self.store.enqueue(NewJob::new(kind, json!(task))).await.unwrap().job.id
    }

    async fn job(&self, id: JobId) -> Job {
        self.store.get(id).await.unwrap().unwrap()
    }

    async fn jobs(&self) -> Vec<Job> {
        self.store.list(&JobFilter::default(), None, 100).await.unwrap().jobs
    }

    /// Waits until all jobs have ended, and `meanwhile` does what it does. Every result must be that of the one worker whose
    /// answer was recorded.
    async fn ended(&self, mut meanwhile: impl FnMut()) -> Vec<Job> {
        let begun = Instant::now();
        loop {
            let jobs = self.jobs().await;
            if jobs.iter().all(|job| job.state.is_final()) {
                for job in jobs.iter().filter(|job| job.state == JobState::Completed) {
                    self.journal.agrees(&job.id.to_string(), job.result.as_ref().unwrap());
                }
                return jobs;
            }
            let said = self.journal.entries();
            assert!(begun.elapsed() < PATIENCE, "{said:#?} {jobs:#?} in {:?}", self.folder);
            meanwhile();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn wait_for(&self, deed: Deed, times: usize) -> Vec<Entry> {
        wait_until(&format!("{deed:?}, {times} times"), || self.journal.all(deed).len() >= times);
        self.journal.all(deed)
    }
}

macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(None).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let Some(server) = super::PostgresServer::shared() else { return };
                super::$name(Some(&server.database().await)).await;
            })*
        }
    };
}

on_both_engines! {
    the_job_of_a_killed_worker_is_done_by_another,
    a_stopped_worker_comes_back_too_late,
    a_job_that_kills_its_workers_is_given_up,
    two_workers_begin_every_job_once,
    a_limit_holds_over_two_workers,
    a_failing_job_waits_between_its_tries,
}

async fn the_job_of_a_killed_worker_is_done_by_another(address: Option<&str>) {
    let site = Site::new(address, SHORT).await;
    let id = site.enqueue(JobKind::Lipsync, 200, Then::HangFirst).await;
    let others = [
        site.enqueue(JobKind::Faces, 200, Then::Complete).await,
        site.enqueue(JobKind::Faces, 0, Then::Complete).await,
    ];
    let one = site.worker("one", 1);
    site.wait_for(Deed::Begun, 1);
    one.signal(Signal::KILL);
    let _two = site.worker("two", 1);
    let jobs = site.ended(|| {}).await;
    assert!(jobs.len() == 1 + others.len() && jobs.iter().all(|job| job.state == JobState::Completed));
    let job = site.job(id).await;
    assert!(job.tries >= 2 && job.result.unwrap()["worker"] == "two");
}

async fn a_stopped_worker_comes_back_too_late(address: Option<&str>) {
    let site = Site::new(address, SHORT).await;
    let id = site.enqueue(JobKind::Lipsync, 3000, Then::StopFirst).await;
    let one = site.worker("one", 1);
    site.wait_for(Deed::Stopping, 1);
    let _two = site.worker("two", 1);
    site.wait_for(Deed::Begun, 2);
    wait_until("the first worker hears that it is too late", || {
        one.signal(Signal::CONT);
        site.journal.all(Deed::Refused).iter().any(|entry| entry.worker == "one" && entry.attempt == 1)
    });
    site.ended(|| {}).await;
    assert_ne!(site.job(id).await.result.unwrap()["attempt"], 1);
}

async fn a_job_that_kills_its_workers_is_given_up(address: Option<&str>) {
    let site = Site::new(address, SHORT).await;
    let poison = site.enqueue(JobKind::Lipsync, 100, Then::Die).await;
    let good = site.enqueue(JobKind::Lipsync, 100, Then::Complete).await;
    let mut worker = site.worker("one", 1);
    site.ended(|| {
        if worker.0.try_wait().unwrap().is_some() {
            worker = site.worker("next", 1);
        }
    })
    .await;
    let job = site.job(poison).await;
    assert_eq!(
        (job.state, job.tries, job.error.unwrap().code.as_str()),
        (JobState::Failed, 3, "worker_lost")
    );
    let begun = site.journal.all(Deed::Begun);
    assert_eq!(begun.iter().filter(|entry| entry.job == poison.to_string()).count(), 3);
    assert_eq!(site.job(good).await.state, JobState::Completed);
}

async fn two_workers_begin_every_job_once(address: Option<&str>) {
    let site = Site::new(address, LONG).await;
    for _ in 0..40 {
        site.enqueue(JobKind::Lipsync, 30, Then::Complete).await;
    }
    let _workers = [site.worker("one", 3), site.worker("two", 3)];
    let jobs = site.ended(|| {}).await;
    assert!(jobs.iter().all(|job| job.state == JobState::Completed && job.tries == 1));
    let begun = site.journal.all(Deed::Begun);
    let ids: BTreeSet<&str> = begun.iter().map(|entry| entry.job.as_str()).collect();
    assert_eq!((begun.len(), ids.len()), (40, 40));
}

async fn a_limit_holds_over_two_workers(address: Option<&str>) {
    let site = Site::new(address, LONG).await;
    for _ in 0..12 {
        site.enqueue(JobKind::Score, 150, Then::Complete).await;
    }
    let _workers = [site.worker("one", 3), site.worker("two", 3)];
    site.ended(|| {}).await;
    assert_eq!(site.journal.most_at_a_time(), 2, "{:#?}", site.journal.entries());
}

async fn a_failing_job_waits_between_its_tries(address: Option<&str>) {
    let site = Site::new(address, LONG).await;
    let id = site.enqueue(JobKind::Lipsync, 0, Then::Fail).await;
    let _workers = [site.worker("one", 2), site.worker("two", 2)];
    site.ended(|| {}).await;
    let job = site.job(id).await;
    assert_eq!((job.state, job.tries, job.error.unwrap().code.as_str()), (JobState::Failed, 3, "network"));
    let (done, begun) = (site.journal.all(Deed::Done), site.journal.all(Deed::Begun));
    assert_eq!(begun.len(), 3);
    for (tries, longest) in [(1, RETRY.first), (2, 2 * RETRY.first)] {
        let waited = begun[tries].at - done[tries - 1].at;
        assert!(waited >= longest.as_millis() as i64 / 2, "{waited} ms of {longest:?}");
    }
}

/// The engine of a file has no process of its own to kill: there the killed worker is all there is.
#[tokio::test]
async fn jobs_outlive_their_database() {
    let Some(server) = PostgresServer::own() else { return };
    let site = Site::new(Some(&server.database().await), SHORT).await;
    for _ in 0..10 {
        site.enqueue(JobKind::Lipsync, 400, Then::Complete).await;
    }
    let _workers = [site.worker("one", 2), site.worker("two", 2)];
    site.wait_for(Deed::Begun, 3);
    server.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.start();
    let jobs = site.ended(|| {}).await;
    assert!(jobs.len() == 10 && jobs.iter().all(|job| job.state == JobState::Completed), "{jobs:#?}");
}
