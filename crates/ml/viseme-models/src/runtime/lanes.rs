//! Runs that are under way side by side.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::num::NonZeroUsize;
use viseme_core::{Error, Result};

/// What each of several runs needs for itself. Whoever comes while all are in use waits.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    count: NonZeroUsize,
    idle: Receiver<T>,
    back: Sender<T>,
}

/// A value on its way back to its lane: also when whoever used it panicked.
struct Borrowed<'a, T> {
    value: Option<T>,
    back: &'a Sender<T>,
}

impl<T> Lanes<T> {
    /// As many as are told, each with what `make` makes.
    ///
    /// # Errors
    /// The first that `make` fails with.
    pub(crate) fn new<E>(count: NonZeroUsize, mut make: impl FnMut() -> Result<T, E>) -> Result<Self, E> {
        let (back, idle) = bounded(count.get());
        for _ in 0..count.get() {
            // There is room for all of them.
            let _ = back.send(make()?);
        }
        Ok(Self { count, idle, back })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> NonZeroUsize {
        self.count
    }

    /// Does `work` in the first lane that is free.
    ///
    /// # Errors
    /// Whatever `work` fails with.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut borrowed = Borrowed { value: self.idle.recv().ok(), back: &self.back };
        match &mut borrowed.value {
            Some(value) => work(value),
            // This value holds both ends of the channel.
            None => Err(Error::internal("the lanes of a model are closed")),
        }
    }
}

impl<T> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            let _ = self.back.send(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn as_many_run_at_once_as_there_are_lanes() {
        let lanes = Lanes::new(NonZeroUsize::new(2).unwrap(), || Ok::<_, Error>(())).unwrap();
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    lanes.with(|()| {
                        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(5));
                        inside.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    })
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_lane_outlives_a_failure_and_a_panic() {
        let lanes = Lanes::new(NonZeroUsize::MIN, || Ok::<_, Error>(7)).unwrap();
        assert!(lanes.with(|_| Err::<(), _>(Error::internal("no"))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| lanes.with(|_| -> Result<()> { panic!("no") }))).is_err());
        assert_eq!(lanes.with(|value| Ok(*value)).unwrap(), 7);
    }
}
