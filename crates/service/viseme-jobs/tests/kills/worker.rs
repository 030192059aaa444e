//! A worker that is a process of its own, so that it can be killed.

use crate::journal::{Deed, Journal};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use viseme_core::Result;
use viseme_jobs::{
    Claim, Failure, JobKind, JobStore, PostgresJobStore, RetryPolicy, SqliteJobStore, StoreOptions,
    SystemClock,
};

/// How long jobs wait between tries.
pub(crate) const RETRY: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(400), most: Duration::from_secs(1) };
/// Between two heartbeats, and between two looks for work.
const BEAT: Duration = Duration::from_millis(100);

/// What a worker is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// `sqlite:` and a path, or the address of a database.
    pub(crate) store: String,
    pub(crate) lease: Duration,
    /// Most jobs of [`JobKind::Score`] at a time.
    pub(crate) most_scores: u32,
    pub(crate) journal: PathBuf,
    pub(crate) name: String,
    /// Jobs that it works on at a time.
    pub(crate) hands: u32,
}

/// What a job is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Task {
    /// How long it takes.
    pub(crate) takes: Duration,
    /// What the worker then does.
    pub(crate) then: Then,
}

/// How the work on a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    Complete,
    Fail,
    /// kill -9 of the worker.
    Die,
    /// The first try takes for ever.
    HangFirst,
    /// In the first try the worker stops at once, and when it goes on it is done.
    StopFirst,
}

impl Orders {
    pub(crate) async fn open(&self) -> Arc<dyn JobStore> {
        let options = StoreOptions {
            lease: self.lease,
            retry: RETRY,
            most_running: BTreeMap::from([(JobKind::Score, self.most_scores)]),
            ..StoreOptions::default()
        };
        match self.store.strip_prefix("sqlite:") {
            Some(path) => Arc::new(SqliteJobStore::open(path.as_ref(), options).unwrap()),
            None => Arc::new(
                PostgresJobStore::connect(&self.store, options, Arc::new(SystemClock)).await.unwrap(),
            ),
        }
    }
}

/// Works until the test ends, or ends it.
pub(crate) fn work(orders: &Orders) {
    std::thread::spawn(end_with_the_test);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = orders.open().await;
        let mut hands = tokio::task::JoinSet::new();
        for _ in 0..orders.hands {
            hands.spawn(shift(Arc::clone(&store), orders.clone()));
        }
        hands.join_all().await;
    });
}

#[expect(clippy::disallowed_methods, clippy::exit, reason = "nothing is left to be put in order")]
fn end_with_the_test() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

async fn shift(store: Arc<dyn JobStore>, orders: Orders) {
    let journal = Journal::new(&orders.journal);
    loop {
        // The store may be away for a while.
        let _ = store.reap().await;
        match store.claim(&orders.name, &JobKind::ALL).await {
            Ok(Some(claim)) => work_on(&*store, &journal, &orders.name, &claim).await,
            _ => tokio::time::sleep(BEAT).await,
        }
    }
}

/// Deaf to [`Pulse::Lost`](viseme_jobs::Pulse::Lost), so that only the store can keep a second result out.
async fn work_on(store: &dyn JobStore, journal: &Journal, name: &str, Claim { job, lease }: &Claim) {
    journal.write(Deed::Begun, *lease, name);
    let task: Task = serde_json::from_value(job.spec.clone()).unwrap();
    let is_first = lease.attempt == 1;
    if task.then == Then::StopFirst && is_first {
        journal.write(Deed::Stopping, *lease, name);
        kill_process(getpid(), Signal::STOP).unwrap();
        // The stop may come a moment later, and must not find it in the middle of a call.
        tokio::time::sleep(Duration::from_millis(300)).await;
    } else {
        let begun = Instant::now();
        while begun.elapsed() < task.takes || task.then == Then::HangFirst && is_first {
            tokio::time::sleep(BEAT.min(task.takes)).await;
            let _ = store.heartbeat(*lease, None).await;
        }
    }
    if task.then == Then::Die {
        kill_process(getpid(), Signal::KILL).unwrap();
    }
    journal.write(Deed::Done, *lease, name);
    let is_recorded = loop {
        match answer(store, task, name, *lease).await {
            Ok(is_recorded) => break is_recorded,
            Err(error) => assert!(error.kind().is_retryable(), "{error}"),
        }
        tokio::time::sleep(BEAT).await;
    };
    journal.write(if is_recorded { Deed::Recorded } else { Deed::Refused }, *lease, name);
}

async fn answer(store: &dyn JobStore, task: Task, name: &str, lease: viseme_jobs::Lease) -> Result<bool> {
    if task.then == Then::Fail {
        let (code, message) = ("network".to_owned(), "no connection".to_owned());
        return store.fail(lease, Failure { code, message, hint: None, is_retryable: true }).await;
    }
    store.complete(lease, json!({ "worker": name, "attempt": lease.attempt })).await
}
