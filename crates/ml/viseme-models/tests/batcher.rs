//! Requests of several jobs in one batch: in order, each with its own answer, whatever the others do.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use viseme_core::{Error, Result};
use viseme_models::{BatchClient, BatchOptions, Batcher, InferenceSession, Tensor};
use viseme_testing::FakeSession;

const PATIENT: BatchOptions = BatchOptions { max_items: 8, max_wait: Duration::from_secs(30) };

fn items(values: &[f32]) -> Tensor {
    Tensor::new(vec![values.len(), 1], values.to_vec()).unwrap()
}

fn doubled(x: &Tensor) -> Result<Tensor> {
    Tensor::new(x.shape().to_vec(), x.floats()?.iter().map(|value| 2.0 * value).collect::<Vec<f32>>())
}

/// A batcher over a session that doubles, and the batches that it ran.
fn batcher(options: BatchOptions) -> (Batcher, Arc<Mutex<Vec<Vec<f32>>>>) {
    let batches = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&batches);
    let session = FakeSession::new(move |x| {
        seen.lock().unwrap().push(x.floats()?.to_vec());
        doubled(x)
    });
    (Batcher::new(Arc::new(session), options).unwrap(), batches)
}

fn run(client: &BatchClient, values: &[f32]) -> Result<Vec<f32>> {
    client.run(vec![("x", items(values))], &["y"]).map(|mut made| made.remove(0).into_floats().unwrap())
}

#[test]
fn a_job_that_is_alone_does_not_wait() {
    let (batcher, batches) = batcher(PATIENT);
    let client = batcher.client();
    let start = Instant::now();
    for i in 0_u8..5 {
        assert_eq!(run(&client, &[f32::from(i)]).unwrap(), [2.0 * f32::from(i)]);
    }
    assert!(start.elapsed() < PATIENT.max_wait, "it waited for others that there are not");
    assert_eq!(batches.lock().unwrap().len(), 5);
}

#[test]
fn jobs_share_batches_and_each_gets_its_own_answers() {
    let (batcher, batches) = batcher(PATIENT);
    let clients: Vec<BatchClient> = (0..4).map(|_| batcher.client()).collect();
    // Nobody starts before all are counted.
    let together = Barrier::new(clients.len());
    std::thread::scope(|scope| {
        for (number, client) in (0_u8..).zip(clients) {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                for round in 0_u8..50 {
                    let value = f32::from(number) * 100.0 + f32::from(round);
                    let count = usize::from(1 + number % 2);
                    let wanted = vec![2.0 * value; count];
                    assert_eq!(run(&client, &vec![value; count]).unwrap(), wanted);
                }
            });
        }
    });
    let batches = batches.lock().unwrap();
    assert!(batches.iter().all(|batch| batch.len() <= 8));
    assert!(batches.len() < 200, "{} runs for 200 requests", batches.len());
    for number in 0_u8..4 {
        let own: Vec<f32> =
            batches.iter().flatten().copied().filter(|v| (*v / 100.0) as u8 == number).collect();
        assert!(own.is_sorted(), "the requests of a job keep their order");
    }
}

#[test]
fn a_batch_keeps_its_bounds_and_its_order() {
    let options = BatchOptions { max_items: 4, max_wait: Duration::from_millis(50) };
    let gate = Arc::new(Barrier::new(2));
    let (seen, batches) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&gate));
    let shapes = Arc::clone(&seen);
    let first = AtomicBool::new(true);
    let session = FakeSession::new(move |x| {
        if first.swap(false, Ordering::SeqCst) {
            batches.wait();
        }
        shapes.lock().unwrap().push(x.shape().to_vec());
        doubled(x)
    });
    let batcher = Batcher::new(Arc::new(session), options).unwrap();
    let (client, _other) = (batcher.client(), batcher.client());
    // While the first runs, the others pile up.
    let submit = |tensor: Tensor| client.submit(vec![("x", tensor)], &["y"]).unwrap();
    let wide = |count: usize| Tensor::new(vec![count, 3], vec![1.0_f32; 3 * count]).unwrap();
    let mut pending = vec![submit(items(&[0.0]))];
    std::thread::sleep(Duration::from_millis(200));
    pending.push(submit(items(&[1.0, 2.0])));
    pending.push(submit(items(&[3.0, 4.0])));
    pending.push(submit(items(&[5.0])));
    pending.push(submit(wide(1)));
    pending.push(submit(wide(6)));
    gate.wait();
    let answers: Vec<Vec<f32>> =
        pending.into_iter().map(|p| p.wait().unwrap().remove(0).into_floats().unwrap()).collect();
    assert_eq!(answers[..4], [vec![0.0], vec![2.0, 4.0], vec![6.0, 8.0], vec![10.0]]);
    assert_eq!(answers[5].len(), 18);
    assert_eq!(*seen.lock().unwrap(), [vec![1, 1], vec![4, 1], vec![1, 1], vec![1, 3], vec![6, 3]]);
}

#[test]
fn an_error_reaches_its_caller_alone() {
    let session = FakeSession::new(|x| {
        if x.floats()?.contains(&13.0) {
            return Err(Error::invalid_input("thirteen").with_hint("Take another."));
        }
        assert!(!x.floats()?.contains(&666.0), "the runtime panics");
        doubled(x)
    });
    let batcher = Batcher::new(Arc::new(session), PATIENT).unwrap();
    let clients: Vec<BatchClient> = (0..4).map(|_| batcher.client()).collect();
    std::thread::scope(|scope| {
        let values = [1.0, 13.0, 666.0, 4.0];
        let runs: Vec<_> =
            clients.iter().zip(values).map(|(client, v)| scope.spawn(move || run(client, &[v]))).collect();
        let answers: Vec<Result<Vec<f32>>> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        assert_eq!(answers[0].as_ref().unwrap(), &[2.0]);
        assert_eq!(answers[1].as_ref().unwrap_err().hint(), Some("Take another."));
        assert!(answers[2].as_ref().unwrap_err().to_string().contains("panicked"));
        assert_eq!(answers[3].as_ref().unwrap(), &[8.0]);
    });
    drop(clients);
    assert_eq!(run(&batcher.client(), &[5.0]).unwrap(), [10.0], "it goes on");
}

#[test]
fn whoever_gives_up_holds_nobody_up() {
    let runs = Arc::new(AtomicUsize::new(0));
    let (counter, gate) = (Arc::clone(&runs), Arc::new(Barrier::new(2)));
    let inside = Arc::clone(&gate);
    let session = FakeSession::new(move |x| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            inside.wait();
        }
        doubled(x)
    });
    let batcher = Batcher::new(Arc::new(session), BatchOptions { max_items: 1, ..PATIENT }).unwrap();
    let (impatient, other) = (batcher.client(), batcher.client());
    let submit = |client: &BatchClient, v: f32| client.submit(vec![("x", items(&[v]))], &["y"]).unwrap();
    let running = submit(&impatient, 1.0);
    std::thread::sleep(Duration::from_millis(100));
    let waiting = submit(&impatient, 2.0);
    let kept = submit(&other, 3.0);
    drop((running, waiting, impatient));
    gate.wait();
    assert_eq!(kept.wait().unwrap()[0], items(&[6.0]));
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the request that was given up did not run");
}

#[test]
fn the_thread_ends_with_its_last_client() {
    let session = Arc::new(FakeSession::new(doubled));
    let weak = Arc::downgrade(&session);
    let batcher = Batcher::new(session, PATIENT).unwrap();
    let client = batcher.client();
    drop(batcher);
    assert_eq!(run(&client, &[1.0]).unwrap(), [2.0]);
    drop(client);
    let deadline = Instant::now() + Duration::from_secs(10);
    while weak.strong_count() > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn an_output_without_items_is_an_error_for_no_one_alone() {
    // A mean over the batch cannot be taken apart again: each request runs by itself.
    let session = FakeSession::new(|x| {
        let values = x.floats()?;
        Tensor::new(vec![1, 1], vec![values.iter().sum::<f32>() / values.len() as f32])
    });
    let batcher = Batcher::new(Arc::new(session), PATIENT).unwrap();
    let (a, b) = (batcher.client(), batcher.client());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(&b, &[5.0]).unwrap());
        assert_eq!(run(&a, &[3.0]).unwrap(), [3.0]);
        assert_eq!(other.join().unwrap(), [5.0]);
    });
}
