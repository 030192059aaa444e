//! Threads whose panics become errors, and how much may wait between them.

use std::any::Any;
use std::num::NonZeroUsize;
use std::thread::{Scope, ScopedJoinHandle};
use viseme_core::{Error, Result};

/// Most bytes of frames that wait in one place.
const WAITING_BYTES: usize = 8 << 20;

/// Items of [`in_parallel`] that are worked on at once: each may be a program with memory of its own.
const AT_ONCE: usize = 4;

/// How much a thread that [gives way](give_way) lets others go first: half of what there is (`nice` takes as much when nothing
/// is said).
#[cfg(target_os = "linux")]
const WAY: i32 = 10;

/// Makes the work of this thread, and of the threads and processes that it starts from now on, wait for others that want the same
/// core.
#[cfg(target_os = "linux")]
pub fn give_way() {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux a thread has a niceness of its own. Where that is not allowed, others take a little longer.
    let thread = Some(rustix::thread::gettid());
    let _ = getpriority_process(thread).and_then(|now| setpriority_process(thread, now + WAY));
}

/// Makes the work of this thread wait for others, where a thread has a priority of its own.
#[cfg(not(target_os = "linux"))]
pub fn give_way() {}

/// How many messages of about `message_bytes` may wait: at least one, at most `most`, and no more than 8 MiB.
pub(crate) fn room(message_bytes: usize, most: usize) -> usize {
    (WAITING_BYTES / message_bytes.max(1)).min(most).max(1)
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Runs `work` on a thread of its own and waits for it.
///
/// # Errors
/// The error of `work`, or `Internal` when it panicked.
pub(crate) fn guarded<T: Send>(name: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| join(name, spawn(scope, name, work)?))
}

/// Starts `work` on a thread that bears `name`.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, Result<T>>> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn_scoped(scope, work).map_err(|source| Error::io("start a thread", source))
}

/// Waits for a thread.
///
/// # Errors
/// The error of its work, or `Internal` when it panicked.
pub(crate) fn join<T>(name: &str, thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| {
        Err(Error::internal(format!("the {name} thread panicked: {}", message(panic.as_ref()))))
    })
}

/// Does `work` for every item, a few at once, and gives the results in the order of the items.
///
/// # Errors
/// The first in that order, or `Internal` when one panicked.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    name: &str,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let work = &work;
    let mut made = Vec::with_capacity(items.len());
    for some in items.chunks(AT_ONCE) {
        let joined: Vec<Result<R>> = std::thread::scope(|scope| {
            let start = |item| spawn(scope, name, move || work(item));
            let started = some.iter().map(start).collect::<Result<Vec<_>>>()?;
            Ok(started.into_iter().map(|thread| join(name, thread)).collect())
        })?;
        made.extend(joined.into_iter().collect::<Result<Vec<R>>>()?);
    }
    Ok(made)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::ErrorKind;

    #[test]
    fn a_panic_becomes_an_error_that_says_where_and_why() {
        let error = guarded("maker", || -> Result<()> { panic!("at frame {}", 7) }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(error.to_string(), "the maker thread panicked: at frame 7");
        assert_eq!(
            guarded("maker", || Err::<(), _>(Error::cancelled())).unwrap_err().kind(),
            ErrorKind::Cancelled
        );
        assert_eq!(guarded("maker", || Ok(3)).unwrap(), 3);
    }

    #[test]
    fn results_come_in_order_and_the_first_error_is_told() {
        let items: Vec<u64> = (0..9).collect();
        let late = |&item: &u64| {
            std::thread::sleep(std::time::Duration::from_millis(9 - item));
            Ok(item * 2)
        };
        assert_eq!(in_parallel("doubler", &items, late).unwrap(), [0, 2, 4, 6, 8, 10, 12, 14, 16]);
        let failing = |&item: &u64| match item {
            2 => panic!("at {item}"),
            3 => Err(Error::cancelled()),
            _ => Ok(()),
        };
        let error = in_parallel("doubler", &items, failing).unwrap_err();
        assert_eq!(error.to_string(), "the doubler thread panicked: at 2");
    }

    #[test]
    fn large_messages_wait_one_by_one() {
        assert_eq!([64 << 20, 3 << 20, 0].map(|bytes| room(bytes, 8)), [1, 2, 8]);
        assert_eq!(room(0, 0), 1);
    }
}
