//! The engine of `SQLite`: what every engine keeps to, and what only a file can meet.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod conformance;

use conformance::{Bench, StandingClock, conforms, options};
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use viseme_core::ErrorKind;
use viseme_jobs::{Clock, JobKind, JobState, JobStore, NewJob, SqliteJobStore, StoreOptions};

struct SqliteBench {
    folder: tempfile::TempDir,
    clock: Arc<StandingClock>,
}

impl SqliteBench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(StandingClock::new()) }
    }

    fn open(&self, path: &Path) -> SqliteJobStore {
        let clock: Arc<dyn Clock> = Arc::<StandingClock>::clone(&self.clock);
        SqliteJobStore::with_clock(path, options(), clock).unwrap()
    }
}

impl Bench for SqliteBench {
    fn store(&self) -> Arc<dyn JobStore> {
        Arc::new(self.open(&self.folder.path().join("jobs.db")))
    }

    fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

conforms!(Some(SqliteBench::new()));

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

#[tokio::test]
async fn a_file_of_the_first_version_is_made_new() {
    let bench = SqliteBench::new();
    let path = bench.folder.path().join("jobs.db");
    bench.open(&path).enqueue(NewJob::new(JobKind::Faces, json!(1))).await.unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("DROP INDEX job_ended; PRAGMA user_version = 1").unwrap();
    drop(raw);
    assert!(bench.open(&path).claim("worker", &JobKind::ALL).await.unwrap().is_some());
}
