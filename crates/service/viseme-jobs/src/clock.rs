//! Where a store has the time from.

use jiff::Timestamp;
use std::fmt::Debug;

/// Tells the time; tests have one of their own.
pub trait Clock: Debug + Send + Sync {
    /// The present moment, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A row keeps milliseconds: what is written is what is read.
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
