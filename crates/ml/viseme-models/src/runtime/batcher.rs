//! One batch for several jobs: a network serves eight faces in less than eight times the time of one.

use super::{InferenceSession, SessionInfo};
use crate::Tensor;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use viseme_core::{Error, Result};

/// Requests that wait at one time; whoever comes with more waits until there is room.
const MAX_WAITING: usize = 64;

/// How a [`Batcher`] gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Most items (extent of the first dimension) in one run. A single request with more is run as it is.
    pub max_items: usize,
    /// How long the first request of a batch waits for others at most. It does not wait when every client has a
    /// request in the batch already: a job that is alone never waits.
    pub max_wait: Duration,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { max_items: 16, max_wait: Duration::from_millis(5) }
    }
}

/// Gathers the requests of several jobs into batches for one session, in the order in which they come, and runs as many
/// at once as the session can. Every job holds a [`client`](Self::client) of its own.
#[derive(Debug)]
pub struct Batcher {
    info: Arc<SessionInfo>,
    requests: Sender<Request>,
    clients: Arc<AtomicUsize>,
}

/// One job's access to a [`Batcher`]: a session like any other. Dropping it says that the job wants no more.
#[derive(Debug)]
pub struct BatchClient {
    info: Arc<SessionInfo>,
    requests: Sender<Request>,
    clients: Arc<AtomicUsize>,
}

/// The answer to a request that has been sent off. Dropping it gives up: the request is not run unless its batch
/// has begun.
#[derive(Debug)]
pub struct Pending {
    answer: Receiver<Result<Vec<Tensor>>>,
    /// While it lives, somebody waits.
    _wanted: Arc<()>,
}

/// One call of `run`, waiting.
struct Request {
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<String>,
    items: usize,
    answer: Sender<Result<Vec<Tensor>>>,
    wanted: Weak<()>,
}

impl Batcher {
    /// Starts a thread for each run that `session` can have under way. They end when the batcher and all clients are gone.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(session: Arc<dyn InferenceSession>, options: BatchOptions) -> Result<Self> {
        let (requests, incoming) = bounded(MAX_WAITING);
        let clients = Arc::new(AtomicUsize::new(0));
        let batcher =
            Self { info: Arc::new(session.info().clone()), requests, clients: Arc::clone(&clients) };
        let lanes = session.lanes().get();
        for session in std::iter::repeat_n(session, lanes) {
            let (incoming, clients) = (incoming.clone(), Arc::clone(&clients));
            let mut gatherer = Gatherer { incoming, clients, options, left: VecDeque::new() };
            std::thread::Builder::new()
                .name(format!("batch {}", batcher.info.name))
                .spawn(move || {
                    while let Some(batch) = gatherer.next_batch() {
                        answer(session.as_ref(), batch);
                    }
                })
                .map_err(|source| Error::io("start a thread", source))?;
        }
        Ok(batcher)
    }

    /// Access for one more job.
    #[must_use]
    pub fn client(&self) -> BatchClient {
        self.clients.fetch_add(1, Ordering::Relaxed);
        BatchClient {
            info: Arc::clone(&self.info),
            requests: self.requests.clone(),
            clients: Arc::clone(&self.clients),
        }
    }
}

impl Drop for BatchClient {
    fn drop(&mut self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl BatchClient {
    /// Sends a request off without waiting for the answer. All inputs and outputs have items along their first
    /// dimension, as many in each.
    ///
    /// # Errors
    /// When an input does not fit the model or has another number of items than the first.
    pub fn submit(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Pending> {
        let inputs = self.info.fit(inputs)?;
        for name in outputs {
            self.info.output(name)?;
        }
        let mut extents = inputs.iter().map(|(_, tensor)| tensor.shape().first().copied());
        let items = extents.next().flatten().filter(|&items| extents.all(|other| other == Some(items)));
        let items = items.ok_or_else(|| self.info.failed("the inputs of a batch differ in their items"))?;
        let (answer, receiver) = bounded(1);
        let wanted = Arc::new(());
        let request = Request {
            inputs: inputs.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect(),
            outputs: outputs.iter().map(|&name| name.to_owned()).collect(),
            items,
            answer,
            wanted: Arc::downgrade(&wanted),
        };
        self.requests.send(request).map_err(|_| self.info.failed("its thread has ended"))?;
        Ok(Pending { answer: receiver, _wanted: wanted })
    }
}

impl Pending {
    /// Waits for the answer.
    ///
    /// # Errors
    /// Whatever the run of this request ended with.
    pub fn wait(self) -> Result<Vec<Tensor>> {
        self.answer.recv().map_err(|_| Error::internal("a batch ended without an answer"))?
    }
}

impl InferenceSession for BatchClient {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>> {
        self.submit(inputs, outputs)?.wait()
    }
}

impl Request {
    /// Whether both can be in one run: the same tensors, alike but for the number of items.
    fn goes_with(&self, other: &Self) -> bool {
        self.outputs == other.outputs
            && self.inputs.len() == other.inputs.len()
            && self.inputs.iter().zip(&other.inputs).all(|((a, x), (b, y))| a == b && x.is_stackable_on(y))
    }

    fn is_wanted(&self) -> bool {
        self.wanted.strong_count() > 0
    }
}

/// Puts requests into batches.
struct Gatherer {
    incoming: Receiver<Request>,
    clients: Arc<AtomicUsize>,
    options: BatchOptions,
    /// Taken from the channel, but not for the batch that was being gathered.
    left: VecDeque<Request>,
}

impl Gatherer {
    /// The next requests to be run together; `None` when nobody can send any more.
    fn next_batch(&mut self) -> Option<Vec<Request>> {
        let first = match self.left.pop_front() {
            Some(request) => request,
            None => self.incoming.recv().ok()?,
        };
        let deadline = Instant::now() + self.options.max_wait;
        let mut items = first.items;
        let mut batch = vec![first];
        while items < self.options.max_items {
            // As soon as nobody is left who could send one, waiting gains nothing.
            let is_complete = batch.len() >= self.clients.load(Ordering::Relaxed);
            let wait =
                if is_complete { Duration::ZERO } else { deadline.saturating_duration_since(Instant::now()) };
            let request = match self.incoming.recv_timeout(wait) {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            };
            if request.items + items <= self.options.max_items && batch[0].goes_with(&request) {
                items += request.items;
                batch.push(request);
            } else {
                // It begins the next batch: nothing overtakes it.
                self.left.push_back(request);
                break;
            }
        }
        Some(batch)
    }
}

/// Runs a batch and answers each request.
fn answer(session: &dyn InferenceSession, batch: Vec<Request>) {
    let mut batch: Vec<Request> = batch.into_iter().filter(Request::is_wanted).collect();
    if batch.len() > 1 {
        match run_together(session, &batch) {
            Ok(answers) => {
                for (request, answer) in batch.into_iter().zip(answers) {
                    // Whoever has given up does not take it.
                    let _ = request.answer.send(Ok(answer));
                }
                return;
            }
            // One of them may be at fault: alone, the others go through.
            Err(_) => batch.retain(Request::is_wanted),
        }
    }
    for Request { inputs, outputs, answer, .. } in batch {
        let inputs = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
        let _ = answer.send(run_guarded(session, inputs, &outputs));
    }
}

/// Runs the requests as one; the answers are in their order.
fn run_together(session: &dyn InferenceSession, batch: &[Request]) -> Result<Vec<Vec<Tensor>>> {
    let inputs = (0..batch[0].inputs.len())
        .map(|index| {
            let parts = batch.iter().map(|request| request.inputs[index].1.clone()).collect();
            Ok((batch[0].inputs[index].0.as_str(), Tensor::concatenate(parts)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let made = run_guarded(session, inputs, &batch[0].outputs)?;
    let total: usize = batch.iter().map(|request| request.items).sum();
    if made.iter().any(|tensor| tensor.shape().first() != Some(&total)) {
        return Err(Error::internal("an output without an item for each of the batch"));
    }
    let mut start = 0;
    batch
        .iter()
        .map(|request| {
            let parts = made.iter().map(|tensor| tensor.items(start, request.items)).collect();
            start += request.items;
            parts
        })
        .collect()
}

/// A run whose panic is an error: it must not end the thread that all jobs wait for.
fn run_guarded(
    session: &dyn InferenceSession,
    inputs: Vec<(&str, Tensor)>,
    outputs: &[String],
) -> Result<Vec<Tensor>> {
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    catch_unwind(AssertUnwindSafe(|| session.run(inputs, &outputs)))
        .unwrap_or_else(|_| Err(session.info().failed("the runtime panicked")))
}
