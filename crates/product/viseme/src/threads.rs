//! Threads whose panics become errors, and channels that are bounded by bytes.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::any::Any;
use std::thread::{Scope, ScopedJoinHandle};
use viseme_core::{Error, Result};

/// Most bytes of frames that wait in one channel.
const WAITING_BYTES: usize = 8 << 20;

/// A channel for messages of about `message_bytes`: at least one of them, at most `most`, and no more than 8 MiB.
pub(crate) fn channel<T>(message_bytes: usize, most: usize) -> (Sender<T>, Receiver<T>) {
    bounded((WAITING_BYTES / message_bytes.max(1)).min(most).max(1))
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
    fn large_messages_wait_one_by_one() {
        assert_eq!(channel::<()>(64 << 20, 8).0.capacity(), Some(1));
        assert_eq!(channel::<()>(3 << 20, 8).0.capacity(), Some(2));
        assert_eq!(channel::<()>(0, 8).0.capacity(), Some(8));
        assert_eq!(channel::<()>(0, 0).0.capacity(), Some(1));
    }
}
