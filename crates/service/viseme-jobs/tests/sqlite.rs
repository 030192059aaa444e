//! The engine of `SQLite`: what every engine keeps to, and what only a file can meet.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod conformance;

use conformance::{Bench, LEASE, MOST_SCORES, RESULT_LIFE};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use viseme_core::ErrorKind;
use viseme_jobs::{Clock, JobKind, JobState, JobStore, NewJob, RetryPolicy, SqliteJobStore, StoreOptions};

/// A clock that stands until it is moved.
#[derive(Debug)]
struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct SqliteBench {
    folder: tempfile::TempDir,
    clock: Arc<StandingClock>,
}

impl SqliteBench {
    fn new() -> Self {
        let clock = Arc::new(StandingClock(AtomicI64::new(1_800_000_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    fn open(&self, path: &Path) -> SqliteJobStore {
        let seconds = Duration::from_secs;
        let options = StoreOptions {
            lease: LEASE,
            retry: RetryPolicy { first: seconds(2), most: seconds(10) },
            result_life: RESULT_LIFE,
            most_running: BTreeMap::from([(JobKind::Score, MOST_SCORES)]),
        };
        let clock: Arc<dyn Clock> = Arc::<StandingClock>::clone(&self.clock);
        SqliteJobStore::with_clock(path, options, clock).unwrap()
    }
}

impl Bench for SqliteBench {
    fn store(&self) -> Arc<dyn JobStore> {
        Arc::new(self.open(&self.folder.path().join("jobs.db")))
    }

    fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }
}

macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            conformance::$name(&SqliteBench::new()).await;
        })*
    };
}

conforms! {
    a_job_comes_to_its_result,
    jobs_are_claimed_in_order,
    what_may_pass_is_tried_again,
    a_lost_worker_is_fenced,
    a_poisonous_job_is_given_up,
    a_job_is_called_off,
    a_job_is_given_back,
    kinds_have_their_limits,
    the_same_is_made_once,
    jobs_are_listed_and_deleted,
    many_workers_share_the_queue,
}

#[tokio::test]
async fn what_was_said_is_there_when_the_file_is_opened_again() {
    let bench = SqliteBench::new();
    let path = bench.folder.path().join("jobs.db");
    let id =
        bench.open(&path).enqueue(NewJob::new(JobKind::Faces, json!({"a": [1, "ü"]}))).await.unwrap().job.id;
    let (one, other) = (bench.open(&path), bench.open(&path));
    let lease = one.claim("one", &JobKind::ALL).await.unwrap().unwrap().lease;
    assert_eq!(other.claim("other", &JobKind::ALL).await.unwrap(), None);
    assert!(other.complete(lease, json!("by the other")).await.unwrap(), "the lease counts, not the process");
    let job = one.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.spec), (JobState::Completed, json!({"a": [1, "ü"]})));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let bench = SqliteBench::new();
    let path = bench.folder.path().join("jobs.db");
    let _store = bench.open(&path);
    for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn a_file_that_is_no_store_or_a_later_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| SqliteJobStore::open(&folder.path().join(name), StoreOptions::default());
    std::fs::write(folder.path().join("talk.mp4"), vec![7; 5000]).unwrap();
    assert_eq!(open("talk.mp4").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(std::fs::read(folder.path().join("talk.mp4")).unwrap(), vec![7; 5000]);
    assert!(open("no/such/folder.db").is_err());
    drop(open("later.db").unwrap());
    let raw = rusqlite::Connection::open(folder.path().join("later.db")).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    let error = open("later.db").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
