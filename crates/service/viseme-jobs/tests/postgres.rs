//! The engine of `PostgreSQL`: what every engine keeps to, and what only a server can meet.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod conformance;
mod postgres_server;

use conformance::{Bench, StandingClock, conforms, options};
use jiff::Timestamp;
use postgres_server::PostgresServer;
use rustix::process::Signal;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use viseme_core::ErrorKind;
use viseme_jobs::{Clock, JobKind, JobState, JobStore, NewJob, PostgresJobStore, SystemClock};

struct PostgresBench {
    store: Arc<PostgresJobStore>,
    clock: Arc<StandingClock>,
}

impl PostgresBench {
    async fn new() -> Option<Self> {
        let url = PostgresServer::shared()?.database().await;
        let clock = Arc::new(StandingClock::new());
        let store =
            PostgresJobStore::connect(&url, options(), Arc::<StandingClock>::clone(&clock)).await.unwrap();
        Some(Self { store: Arc::new(store), clock })
    }
}

impl Bench for PostgresBench {
    fn store(&self) -> Arc<dyn JobStore> {
        Arc::<PostgresJobStore>::clone(&self.store)
    }

    fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

conforms!(PostgresBench::new().await);

async fn open(url: &str) -> PostgresJobStore {
    PostgresJobStore::connect(url, options(), Arc::new(SystemClock)).await.unwrap()
}

#[tokio::test]
async fn what_was_said_is_there_when_the_database_is_opened_again() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().await;
    let spec = json!({"b": [1.0, 1, "ü\u{0}"], "a": 1e300, "c": u64::MAX});
    let id = open(&url).await.enqueue(NewJob::new(JobKind::Faces, spec.clone())).await.unwrap().job.id;
    let (one, other) = (open(&url).await, open(&url).await);
    let lease = one.claim("one", &JobKind::ALL).await.unwrap().unwrap().lease;
    assert_eq!(other.claim("other", &JobKind::ALL).await.unwrap(), None);
    assert!(other.complete(lease, json!("by the other")).await.unwrap(), "the lease counts, not the process");
    let job = one.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.spec), (JobState::Completed, spec));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_a_new_database_at_once() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().await;
    let openers: Vec<_> = (0..6)
        .map(|_| {
            tokio::spawn({
                let url = url.clone();
                async move { open(&url).await }
            })
        })
        .collect();
    for opener in openers {
        assert!(opener.await.unwrap().counts().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn tables_of_a_later_version_are_refused() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().await;
    drop(open(&url).await);
    let mut sql = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("UPDATE viseme.schema_version SET version = 99").execute(&mut sql).await.unwrap();
    let error = PostgresJobStore::connect(&url, options(), Arc::new(SystemClock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[tokio::test]
async fn the_address_is_kept_secret() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.database().await;
    assert!(url.contains("hush"));
    let store = open(&url).await;
    let nul = NewJob { owner: "a\0b".into(), ..NewJob::new(JobKind::Faces, json!(1)) };
    let refused = store.enqueue(nul).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    let nowhere = url.replace("/test_", "/no_");
    let missing = PostgresJobStore::connect(&nowhere, options(), Arc::new(SystemClock)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::InvalidInput, "{missing}");
    for said in [format!("{store:?}"), format!("{refused:?} {refused}"), format!("{missing:?} {missing}")] {
        assert!(!said.contains("hush"), "{said}");
    }
}

/// What fails while the database is away may be tried again, and a lease outlives its restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_outlives_its_database() {
    let Some(server) = PostgresServer::own() else { return };
    let store = open(&server.database().await).await;
    store.enqueue(NewJob::new(JobKind::Lipsync, json!(1))).await.unwrap();
    let lease = store.claim("worker", &JobKind::ALL).await.unwrap().unwrap().lease;
    server.kill();
    let error = store.complete(lease, json!("while it was away")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Network && error.kind().is_retryable(), "{error}");
    server.start();
    assert!(store.complete(lease, json!("when it was back")).await.unwrap());
    server.signal(Signal::STOP);
    let error = store.get(lease.job).await.unwrap_err();
    assert!(error.kind().is_retryable(), "{error}");
    server.signal(Signal::CONT);
    let job = store.get(lease.job).await.unwrap().unwrap();
    assert_eq!(job.result, Some(json!("when it was back")));
}
