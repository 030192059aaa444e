//! Ends a blocking transfer when the observer wants the job to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use viseme_core::Observer;

/// How often the observer is asked: what a person feels as at once.
const INTERVAL: Duration = Duration::from_millis(100);

/// Does `work`, and calls `stop` from another thread when the observer cancels meanwhile.
pub(super) fn while_watched<T>(
    observer: &dyn Observer,
    stop: impl Fn() + Send + Sync,
    work: impl FnOnce() -> T,
) -> T {
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !finished.load(Ordering::Acquire) {
                if observer.is_cancelled() {
                    return stop();
                }
                std::thread::park_timeout(INTERVAL);
            }
        });
        // The watcher must end even when the work panics.
        let guard = Finish { finished: &finished, watcher: watcher.thread().clone() };
        let result = work();
        drop(guard);
        result
    })
}

struct Finish<'a> {
    finished: &'a AtomicBool,
    watcher: std::thread::Thread,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.watcher.unpark();
    }
}
