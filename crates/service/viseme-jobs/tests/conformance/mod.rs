//! What every engine of [`JobStore`] keeps to.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use viseme_jobs::{
    Claim, Clock, Failure, Job, JobFilter, JobKind, JobProgress, JobState, JobStore, Lease, NewJob, Pulse,
    RetryPolicy, StoreOptions,
};

/// A lease of the stores under test.
const LEASE: Duration = Duration::from_secs(30);
/// How long their results stand.
const RESULT_LIFE: Duration = Duration::from_hours(1);
/// Most jobs of [`JobKind::Score`] that run at a time in them.
const MOST_SCORES: u32 = 2;

/// What they are told.
pub(crate) fn options() -> StoreOptions {
    let seconds = Duration::from_secs;
    StoreOptions {
        lease: LEASE,
        retry: RetryPolicy { first: seconds(2), most: seconds(10) },
        result_life: RESULT_LIFE,
        most_running: BTreeMap::from([(JobKind::Score, MOST_SCORES)]),
    }
}

/// A store, and a way to let time pass.
pub(crate) trait Bench {
    /// The store, with [`options`].
    fn store(&self) -> Arc<dyn JobStore>;
    /// Lets time pass for the store.
    fn pass(&self, time: Duration);
    /// The moment for the store.
    fn now(&self) -> Timestamp;
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct StandingClock(AtomicI64);

impl StandingClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_800_000_000_000))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Makes a test of everything below, for an engine whose bench the expression makes; none where the engine is not there.
macro_rules! conforms {
    ($bench:expr) => {
        $crate::conformance::conforms! {
            $bench,
            a_job_comes_to_its_result,
            jobs_are_claimed_in_order,
            what_may_pass_is_tried_again,
            a_lost_worker_is_fenced,
            a_poisonous_job_is_given_up,
            a_job_is_called_off,
            a_job_is_given_back,
            kinds_have_their_limits,
            limits_hold_when_many_claim_at_once,
            the_same_is_made_once,
            the_same_at_once_is_made_once,
            jobs_are_listed_and_deleted,
            jobs_that_ended_expire,
            many_workers_share_the_queue,
        }
    };
    ($bench:expr, $($name:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let bench: Option<_> = $bench;
            if let Some(bench) = bench {
                $crate::conformance::$name(&bench).await;
            }
        })*
    };
}
pub(crate) use conforms;

const ALL: &[JobKind] = &JobKind::ALL;

fn lipsync(number: u64) -> NewJob {
    NewJob::new(JobKind::Lipsync, json!({ "number": number }))
}

fn number(job: &Job) -> u64 {
    job.spec["number"].as_u64().unwrap()
}

fn failure(is_retryable: bool) -> Failure {
    Failure { code: "network".into(), message: "no connection".into(), hint: None, is_retryable }
}

async fn claim(store: &Arc<dyn JobStore>) -> Claim {
    store.claim("worker", ALL).await.unwrap().unwrap()
}

async fn state(store: &Arc<dyn JobStore>, lease: Lease) -> JobState {
    store.get(lease.job).await.unwrap().unwrap().state
}

/// A job goes from the queue to its result, and everything about it can be read at each step.
pub(crate) async fn a_job_comes_to_its_result(bench: &impl Bench) {
    let store = bench.store();
    let new = NewJob { owner: "studio".into(), priority: 3, ..lipsync(1) };
    let queued = store.enqueue(new).await.unwrap();
    assert!(queued.is_new && queued.job.state == JobState::Queued && queued.job.tries == 0);
    assert_eq!((queued.job.max_tries, queued.job.time_limit_ms), (3, 600_000));
    let Claim { job, lease } = claim(&store).await;
    assert_eq!((job.id, job.state, job.tries, number(&job)), (queued.job.id, JobState::Running, 1, 1));
    assert!(job.started_at.is_some() && job.finished_at.is_none());
    assert_eq!(store.claim("other", ALL).await.unwrap(), None, "a job has one worker");
    let progress = JobProgress { stage: "render".into(), done: 7, total: Some(9) };
    assert_eq!(store.heartbeat(lease, Some(progress.clone())).await.unwrap(), Pulse::GoOn);
    assert_eq!(store.heartbeat(lease, None).await.unwrap(), Pulse::GoOn);
    assert_eq!(store.get(job.id).await.unwrap().unwrap().progress, Some(progress));
    assert!(store.complete(lease, json!({ "frames": 9 })).await.unwrap());
    let done = store.get(job.id).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.result, done.error),
        (JobState::Completed, Some(json!({ "frames": 9 })), None)
    );
    assert!(done.finished_at.is_some() && done.owner == "studio");
    assert!(!store.complete(lease, Value::Null).await.unwrap(), "there is one result");
    assert_eq!(store.heartbeat(lease, None).await.unwrap(), Pulse::Lost);
}

/// Priority first, then who has waited longest; delayed jobs when their time has come.
pub(crate) async fn jobs_are_claimed_in_order(bench: &impl Bench) {
    let store = bench.store();
    for (number, priority, delay_s) in [(1, 0, 0), (2, 5, 0), (3, 0, 0), (4, 9, 60), (5, 5, 0)] {
        let delay = Duration::from_secs(delay_s);
        store.enqueue(NewJob { priority, delay, ..lipsync(number) }).await.unwrap();
        bench.pass(Duration::from_millis(2));
    }
    let mut order = Vec::new();
    while let Some(claim) = store.claim("worker", ALL).await.unwrap() {
        order.push(number(&claim.job));
    }
    assert_eq!(order, [2, 5, 1, 3]);
    bench.pass(Duration::from_secs(61));
    assert_eq!(number(&claim(&store).await.job), 4);
    store.enqueue(lipsync(6)).await.unwrap();
    assert_eq!(store.claim("worker", &[JobKind::Faces]).await.unwrap(), None, "only what a worker can do");
}

/// A failure that may pass is tried again, later each time, and not for ever; another one is the end.
pub(crate) async fn what_may_pass_is_tried_again(bench: &impl Bench) {
    let store = bench.store();
    store.enqueue(lipsync(1)).await.unwrap();
    for tries in 1..=3 {
        let Claim { job, lease } = claim(&store).await;
        assert_eq!(job.tries, tries);
        assert!(store.fail(lease, failure(true)).await.unwrap());
        assert!(!store.fail(lease, failure(true)).await.unwrap(), "a try fails once");
        assert_eq!(store.claim("worker", ALL).await.unwrap(), None, "not at once");
        let job = store.get(job.id).await.unwrap().unwrap();
        assert_eq!(job.error, Some(failure(true)));
        assert_eq!(job.state, if tries < 3 { JobState::Queued } else { JobState::Failed });
        bench.pass(Duration::from_secs(11));
    }
    assert_eq!(store.claim("worker", ALL).await.unwrap(), None);
    store.enqueue(lipsync(2)).await.unwrap();
    let lease = claim(&store).await.lease;
    assert!(store.fail(lease, failure(false)).await.unwrap());
    assert_eq!(state(&store, lease).await, JobState::Failed);
    let again = store.retry(lease.job).await.unwrap().unwrap();
    assert_eq!((again.state, again.tries, again.finished_at), (JobState::Queued, 0, None));
    let Claim { job, lease: second } = claim(&store).await;
    assert!(job.id == lease.job && second != lease);
}

/// A worker that says nothing loses its job, and what it says when it comes back changes nothing.
pub(crate) async fn a_lost_worker_is_fenced(bench: &impl Bench) {
    let store = bench.store();
    store.enqueue(lipsync(1)).await.unwrap();
    let lost = claim(&store).await.lease;
    bench.pass(LEASE / 2);
    assert_eq!(store.heartbeat(lost, None).await.unwrap(), Pulse::GoOn);
    bench.pass(LEASE / 2 + Duration::from_secs(1));
    assert_eq!(store.reap().await.unwrap(), 0, "a heartbeat makes the lease last anew");
    bench.pass(LEASE);
    assert_eq!((store.reap().await.unwrap(), store.reap().await.unwrap()), (1, 0));
    assert_eq!(store.heartbeat(lost, None).await.unwrap(), Pulse::Lost);
    assert!(!store.complete(lost, json!("late")).await.unwrap());
    bench.pass(Duration::from_secs(11));
    let Claim { job, lease } = claim(&store).await;
    assert_eq!((job.id, job.tries, job.error.unwrap().code.as_str()), (lost.job, 2, "worker_lost"));
    assert_eq!(store.heartbeat(lost, None).await.unwrap(), Pulse::Lost, "the job runs, but not for this one");
    let say: [bool; 4] = [
        store.complete(lost, json!("late")).await.unwrap(),
        store.fail(lost, failure(false)).await.unwrap(),
        store.release(lost).await.unwrap(),
        store.cancelled(lost).await.unwrap(),
    ];
    assert_eq!((say, state(&store, lease).await), ([false; 4], JobState::Running));
    assert!(store.complete(lease, json!("in time")).await.unwrap());
    assert_eq!(store.get(lease.job).await.unwrap().unwrap().result, Some(json!("in time")));
}

/// A job that kills its workers is given up after its tries.
pub(crate) async fn a_poisonous_job_is_given_up(bench: &impl Bench) {
    let store = bench.store();
    store.enqueue(lipsync(1)).await.unwrap();
    for _ in 0..3 {
        claim(&store).await;
        bench.pass(LEASE + Duration::from_secs(1));
        assert_eq!(store.reap().await.unwrap(), 1);
        bench.pass(Duration::from_secs(11));
    }
    assert_eq!(store.claim("worker", ALL).await.unwrap(), None);
    let page = store.list(&JobFilter::default(), None, 9).await.unwrap();
    assert_eq!((page.jobs[0].state, page.jobs[0].tries), (JobState::Failed, 3));
}

/// A waiting job is called off at once, a running one by way of its worker, and one that has ended not at all.
pub(crate) async fn a_job_is_called_off(bench: &impl Bench) {
    let store = bench.store();
    let waiting = store.enqueue(lipsync(1)).await.unwrap().job.id;
    assert_eq!(store.cancel(waiting).await.unwrap().unwrap().state, JobState::Cancelled);
    assert_eq!(store.claim("worker", ALL).await.unwrap(), None);
    for way in 0..4 {
        store.enqueue(lipsync(2 + way)).await.unwrap();
        let lease = claim(&store).await.lease;
        assert!(!store.cancelled(lease).await.unwrap(), "nobody has asked");
        let running = store.cancel(lease.job).await.unwrap().unwrap();
        assert!(running.state == JobState::Running && running.cancel_requested);
        assert_eq!(store.heartbeat(lease, None).await.unwrap(), Pulse::Cancel);
        let ended = match way {
            0 => store.cancelled(lease).await.unwrap(),
            // Stopped on its way out, failed while it was stopping, never heard of again.
            1 => store.release(lease).await.unwrap(),
            2 => store.fail(lease, failure(true)).await.unwrap(),
            _ => {
                bench.pass(LEASE + Duration::from_secs(1));
                store.reap().await.unwrap() == 1
            }
        };
        assert!(ended && state(&store, lease).await == JobState::Cancelled, "{way}");
    }
    store.enqueue(lipsync(9)).await.unwrap();
    let lease = claim(&store).await.lease;
    store.cancel(lease.job).await.unwrap();
    assert!(store.complete(lease, json!(1)).await.unwrap(), "done before it heard of it");
    assert_eq!(store.cancel(lease.job).await.unwrap().unwrap().state, JobState::Completed);
}

/// A worker that ends gives its job back, which costs no try.
pub(crate) async fn a_job_is_given_back(bench: &impl Bench) {
    let store = bench.store();
    store.enqueue(lipsync(1)).await.unwrap();
    let first = claim(&store).await.lease;
    assert!(store.release(first).await.unwrap());
    let Claim { job, lease } = claim(&store).await;
    assert_eq!((job.tries, lease.attempt), (1, first.attempt + 1));
    assert!(!store.complete(first, Value::Null).await.unwrap());
}

/// No more jobs of a kind run than may, over all workers.
pub(crate) async fn kinds_have_their_limits(bench: &impl Bench) {
    let store = bench.store();
    for number in 0..4 {
        store.enqueue(NewJob { kind: JobKind::Score, priority: 5, ..lipsync(number) }).await.unwrap();
    }
    store.enqueue(lipsync(9)).await.unwrap();
    let mut leases = Vec::new();
    while let Some(claim) = store.claim(&format!("worker {}", leases.len()), ALL).await.unwrap() {
        leases.push((claim.job.kind, claim.lease));
    }
    let scores = leases.iter().filter(|(kind, _)| *kind == JobKind::Score).count();
    assert_eq!((scores, leases.len()), (MOST_SCORES as usize, MOST_SCORES as usize + 1));
    assert!(store.complete(leases[0].1, Value::Null).await.unwrap());
    assert_eq!(claim(&store).await.job.kind, JobKind::Score);
}

/// Not even for a moment, however many workers ask together.
pub(crate) async fn limits_hold_when_many_claim_at_once(bench: &impl Bench) {
    let store = bench.store();
    for number in 0..20 {
        let kind = if number < 10 { JobKind::Score } else { JobKind::Lipsync };
        store.enqueue(NewJob { kind, ..lipsync(number) }).await.unwrap();
    }
    let claim = |name: String| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut kinds = Vec::new();
            while let Some(claim) = store.claim(&name, ALL).await.unwrap() {
                kinds.push(claim.job.kind);
            }
            kinds
        })
    };
    let workers: Vec<_> = (0..6).map(|worker| claim(format!("worker {worker}"))).collect();
    let mut kinds = Vec::new();
    for worker in workers {
        kinds.extend(worker.await.unwrap());
    }
    let count = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
    assert_eq!((count(JobKind::Score), count(JobKind::Lipsync)), (MOST_SCORES as usize, 10));
}

/// The same request is one job, and so is the same content; another owner has jobs of its own.
pub(crate) async fn the_same_is_made_once(bench: &impl Bench) {
    let store = bench.store();
    let request = NewJob { idempotency_key: Some("a".into()), ..lipsync(1) };
    let first = store.enqueue(request.clone()).await.unwrap();
    let again = store.enqueue(request.clone()).await.unwrap();
    assert!(!again.is_new && again.job == first.job);
    let other = NewJob { spec: json!({ "number": 2 }), ..request.clone() };
    assert!(store.enqueue(other).await.unwrap_err().to_string().contains("idempotency key"));
    let foreign = store.enqueue(NewJob { owner: "other".into(), ..request.clone() }).await.unwrap();
    assert!(foreign.is_new);

    let sent = |number, hash: &str| NewJob {
        idempotency_key: Some("upload".into()),
        content_key: Some(hash.into()),
        ..lipsync(number)
    };
    let first = store.enqueue(sent(4, "files")).await.unwrap().job.id;
    assert!(store.cancel(first).await.unwrap().is_some());
    let again = store.enqueue(sent(5, "files")).await.unwrap();
    assert_eq!((again.is_new, again.job.id), (false, first), "files that are sent again lie elsewhere");
    assert!(store.enqueue(sent(5, "other files")).await.is_err());

    let content = NewJob { content_key: Some("hash".into()), ..lipsync(3) };
    let waiting = store.enqueue(content.clone()).await.unwrap().job.id;
    assert_eq!(store.enqueue(content.clone()).await.unwrap().job.id, waiting);
    assert!(store.enqueue(NewJob { owner: "other".into(), ..content.clone() }).await.unwrap().is_new);
    while let Some(claim) = store.claim("worker", ALL).await.unwrap() {
        if claim.job.id == waiting {
            assert!(store.complete(claim.lease, json!("made")).await.unwrap());
        }
    }
    let known = store.enqueue(content.clone()).await.unwrap();
    assert_eq!((known.is_new, known.job.result), (false, Some(json!("made"))));
    bench.pass(RESULT_LIFE + Duration::from_secs(1));
    assert!(store.enqueue(content.clone()).await.unwrap().is_new, "a result stands for so long");
    assert!(store.enqueue(request).await.unwrap().is_new, "and so does a request");
    let failed = claim(&store).await.lease;
    assert!(store.fail(failed, failure(false)).await.unwrap());
    assert!(store.enqueue(content).await.unwrap().is_new, "what failed stands for nothing");
}

/// And so are those that come together.
pub(crate) async fn the_same_at_once_is_made_once(bench: &impl Bench) {
    let store = bench.store();
    for round in 0..8 {
        let request = NewJob { idempotency_key: Some(format!("a {round}")), ..lipsync(round) };
        let content = NewJob { content_key: Some(format!("hash {round}")), ..lipsync(round) };
        for job in [request, content] {
            let ask = |job: NewJob| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.enqueue(job).await.unwrap() })
            };
            let answers: Vec<_> = vec![job; 6].into_iter().map(ask).collect();
            let mut ids = BTreeSet::new();
            let mut new = 0;
            for answer in answers {
                let answer = answer.await.unwrap();
                ids.insert(answer.job.id);
                new += u32::from(answer.is_new);
            }
            assert_eq!((ids.len(), new), (1, 1));
        }
    }
}

/// Jobs are listed by owner, state and kind, page by page, and deleted when they have ended.
pub(crate) async fn jobs_are_listed_and_deleted(bench: &impl Bench) {
    let store = bench.store();
    for number in 0..5 {
        let owner = if number < 3 { "a" } else { "b" };
        store.enqueue(NewJob { owner: owner.into(), ..lipsync(number) }).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(&JobFilter::default(), after, 2).await.unwrap();
        assert_eq!(page.total, 5);
        seen.extend(page.jobs.iter().map(number));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1, 0]);
    let Claim { lease, .. } = claim(&store).await;
    assert!(!store.delete(lease.job).await.unwrap(), "it runs");
    assert!(store.complete(lease, Value::Null).await.unwrap());
    let filter =
        JobFilter { owner: Some("a".into()), states: vec![JobState::Completed], ..JobFilter::default() };
    assert_eq!(store.list(&filter, None, 9).await.unwrap().total, 1);
    let none = JobFilter { kinds: vec![JobKind::Batch], ..JobFilter::default() };
    assert_eq!(store.list(&none, None, 9).await.unwrap().total, 0);
    let counts = store.counts().await.unwrap();
    assert_eq!(counts[&(JobKind::Lipsync, JobState::Queued)], 4);
    assert_eq!(counts[&(JobKind::Lipsync, JobState::Completed)], 1);
    assert!(store.delete(lease.job).await.unwrap() && !store.delete(lease.job).await.unwrap());
    assert_eq!(store.get(lease.job).await.unwrap(), None);
    assert_eq!(store.cancel(lease.job).await.unwrap(), None);
}

/// What has ended long ago is found, the oldest first, and jobs are listed by when they came.
pub(crate) async fn jobs_that_ended_expire(bench: &impl Bench) {
    let store = bench.store();
    let mut ended = Vec::new();
    let mut half_way = bench.now();
    for number in 0..4 {
        store.enqueue(lipsync(number)).await.unwrap();
        let lease = claim(&store).await.lease;
        bench.pass(Duration::from_secs(10));
        match number {
            0 => assert!(store.complete(lease, Value::Null).await.unwrap()),
            1 => assert!(store.fail(lease, failure(false)).await.unwrap()),
            2 => assert!(
                store.cancel(lease.job).await.unwrap().is_some() && store.cancelled(lease).await.unwrap()
            ),
            _ => {}
        }
        ended.push(lease.job);
        if number == 1 {
            half_way = bench.now();
        }
    }
    store.enqueue(lipsync(4)).await.unwrap();
    let later = bench.now() + Duration::from_hours(1);
    assert_eq!(store.expired(later, 9).await.unwrap(), ended[..3], "neither what runs nor what waits");
    assert_eq!(store.expired(later, 2).await.unwrap(), ended[..2]);
    assert_eq!(store.expired(half_way, 9).await.unwrap(), ended[..1], "the second ended at that moment");
    let before = JobFilter { created_before: Some(half_way), ..JobFilter::default() };
    let after = JobFilter { created_after: Some(half_way), ..JobFilter::default() };
    let numbers = |page: viseme_jobs::JobPage| page.jobs.iter().map(number).collect::<Vec<_>>();
    assert_eq!(numbers(store.list(&before, None, 9).await.unwrap()), [1, 0]);
    assert_eq!(numbers(store.list(&after, None, 9).await.unwrap()), [4, 3, 2]);
    assert_eq!(store.list(&after, None, 1).await.unwrap().total, 3);
}

/// Many workers at once: every job is done, and done once.
pub(crate) async fn many_workers_share_the_queue(bench: &impl Bench) {
    let store = bench.store();
    for number in 0..60 {
        store.enqueue(lipsync(number)).await.unwrap();
    }
    let work = |name: String| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut done = Vec::new();
            while let Some(Claim { job, lease }) = store.claim(&name, ALL).await.unwrap() {
                assert!(store.complete(lease, json!(name)).await.unwrap());
                done.push(number(&job));
            }
            done
        })
    };
    let workers: Vec<_> = (0..6).map(|worker| work(format!("worker {worker}"))).collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    assert_eq!(done.len(), 60);
    assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), (0..60).collect());
}
