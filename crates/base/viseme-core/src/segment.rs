//! Which stretches of a video were synced, and why others were not.

use crate::geometry::Rect;
use serde::{Deserialize, Serialize};

/// Why a face was left as it was in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// No face of this track in the frame.
    NotVisible,
    /// Turned away by more than 45 degrees.
    ProfileView,
    /// Less than 64 pixels wide.
    FaceTooSmall,
    /// The tracker is not sure of what it sees.
    LowDetectionQuality,
    /// Something covers the mouth.
    Occluded,
}

/// A maximal run of frames in one state. The segments of a track cover the planned range without gap or overlap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Time of the first frame, in milliseconds from the start of the range.
    pub start_ms: u64,
    /// Time at which the last frame ends.
    pub end_ms: u64,
    /// Whether the mouth was changed.
    pub synced: bool,
    /// Why it could not be; none when it was, and when it was not asked for.
    pub skip_reason: Option<SkipReason>,
    /// Mean tracking quality from 0 to 1; none when skipped.
    pub avg_quality: Option<f32>,
    /// Mean box of the face; none where it is not visible.
    pub avg_bbox: Option<Rect>,
    /// Mean `[pitch, yaw, roll]` in degrees; none where it is not visible.
    pub avg_head_pose: Option<[f32; 3]>,
}
