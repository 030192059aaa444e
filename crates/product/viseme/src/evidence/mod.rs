//! What is kept of the picture while it is made, for the report that people read and for its offset: a few frames
//! before and after, and how far the mouths opened. All of it is bounded, whatever the length of the video.

mod curve;
mod expected;
mod pick;
mod seen;
mod witness;

pub(crate) use curve::{CurvePoint, SyncCurve};
pub(crate) use expected::{EXPECTED_RATE_HZ, expected_mouth};
pub(crate) use seen::Seen;
pub(crate) use witness::Witness;

use serde::{Deserialize, Serialize};

/// Side of a picture of a face, in pixels. Eight pairs of pure noise would take 2.4 MB as text.
pub(crate) const PICTURE_SIDE: usize = 192;
/// Frames that are shown before and after.
pub(crate) const MOST_PAIRS: usize = 8;
/// Faces whose mouths are measured: those that move longest.
pub(crate) const MOST_CURVES: usize = 6;
/// Frames in which the mouth of a face is measured: a minute of 25 frames a second.
pub(crate) const CURVE_FRAMES: u64 = 1500;

/// What was kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Frames before and after, in the order of the output.
    pub(crate) pairs: Vec<FramePair>,
    /// Mouths, those that move longest first.
    pub(crate) curves: Vec<SyncCurve>,
}

/// A face in a frame, as it was and as it came out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FramePair {
    /// Who it is.
    pub(crate) name: String,
    /// When it is shown, in seconds from the start of the output.
    pub(crate) time_s: f64,
    /// The face in the source, as a PNG of [`PICTURE_SIDE`] squared.
    pub(crate) before: Vec<u8>,
    /// The same part of the frame that went to the encoder.
    pub(crate) after: Vec<u8>,
}
