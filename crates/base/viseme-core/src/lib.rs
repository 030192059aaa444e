//! Units, geometry, errors, warnings, reports and progress that every layer of Viseme shares. No I/O.

pub mod error;
pub mod geometry;
pub mod limits;
pub mod observer;
pub mod segment;
pub mod units;
pub mod warning;

pub use error::{Error, ErrorKind, Result};
pub use limits::Limits;
pub use observer::{Observer, Progress, Silent, Stage};
pub use units::{FrameIndex, Pts, Timebase};
pub use warning::{Warning, WarningCode};
