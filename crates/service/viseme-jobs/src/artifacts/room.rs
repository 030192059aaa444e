//! How much lies in a place, and how much may.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use viseme_core::{Error, ErrorKind, Result};

/// How long a count stands. Other processes may use the same place: theirs is seen when it is counted anew.
const COUNT_LIFE: Duration = Duration::from_secs(30);

/// The quota, and the used bytes as far as they are known. A file that takes the place of another counts besides it until
/// all is counted anew.
#[derive(Debug)]
pub(super) struct Room {
    quota: Option<u64>,
    count: Mutex<Option<Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    bytes: u64,
    at: Instant,
}

impl Room {
    pub(super) fn new(quota: Option<u64>) -> Self {
        Self { quota, count: Mutex::new(None) }
    }

    pub(super) fn is_limited(&self) -> bool {
        self.quota.is_some()
    }

    /// The used bytes, unless they are to be counted.
    pub(super) fn known(&self) -> Option<u64> {
        self.lock().filter(|count| count.at.elapsed() < COUNT_LIFE).map(|count| count.bytes)
    }

    /// Notes what was counted.
    pub(super) fn counted(&self, bytes: u64) {
        *self.lock() = Some(Count { bytes, at: Instant::now() });
    }

    /// `DiskFull` when the quota has no room for `more` bytes.
    pub(super) fn check(&self, more: u64) -> Result<()> {
        check(self.quota, *self.lock(), more)
    }

    /// Takes `more` bytes of the room. They are given back when the answer is dropped, unless it is [kept](Reserved::keep).
    pub(super) fn reserve(&self, more: u64) -> Result<Reserved<'_>> {
        let mut count = self.lock();
        check(self.quota, *count, more)?;
        if let Some(count) = count.as_mut() {
            count.bytes = count.bytes.saturating_add(more);
        }
        Ok(Reserved { room: self, bytes: more })
    }

    /// Notes that so many bytes are gone.
    pub(super) fn give_back(&self, bytes: u64) {
        if let Some(count) = self.lock().as_mut() {
            count.bytes = count.bytes.saturating_sub(bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Count>> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(quota: Option<u64>, count: Option<Count>, more: u64) -> Result<()> {
    let used = count.map_or(0, |count| count.bytes);
    match quota {
        Some(quota) if used.saturating_add(more) > quota => Err(no_room(more, quota.saturating_sub(used))
            .with_hint("Delete jobs that are not needed any more, or raise the quota of the service.")),
        _ => Ok(()),
    }
}

/// The error where `more` bytes do not fit into what is `left`.
pub(super) fn no_room(more: u64, left: u64) -> Error {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (more, left) = (megabytes(more), megabytes(left));
    Error::new(ErrorKind::DiskFull, format!("no room for a file of {more:.1} MB: {left:.1} MB are left"))
}

/// Bytes of the room for a file that is on its way.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Reserved<'_> {
    /// The file has come: its bytes are used.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.room.give_back(self.bytes);
    }
}
