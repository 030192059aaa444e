//! `viseme faces`: what the tracker sees, frame by frame.

use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use viseme_core::segment::SkipReason;
use viseme_core::{Error, Limits, Observer, Result};

/// What to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct FacesSpec {
    /// The video, or a picture.
    pub video: PathBuf,
    /// Use the video from this time on, in seconds. None is its start.
    pub start_s: Option<f64>,
    /// Use the video up to this time, in seconds. None is its end.
    pub end_s: Option<f64>,
    /// Where to write the video with boxes and landmarks drawn on it. None writes none.
    pub preview: Option<PathBuf>,
    /// Whether the landmarks are written.
    pub landmarks: bool,
    /// What the video may at most be.
    pub limits: Limits,
}

/// One line of the output of [`faces`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FacesLine {
    /// The frame, counted from the start of the range.
    pub frame: u64,
    /// Its time from the start of the range, in milliseconds.
    pub timestamp_ms: u64,
    /// The faces in it.
    pub faces: Vec<FaceLine>,
}

/// One face of a [`FacesLine`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaceLine {
    /// Its number in order of appearance, from 1: what [`FaceChoice::Nth`](crate::FaceChoice::Nth) takes.
    pub number: u32,
    /// `[x, y, width, height]` in pixels.
    pub bbox: [f32; 4],
    /// How sure the tracker is, 0 to 1.
    pub confidence: f32,
    /// How sure it is that nothing covers the lips, 0 to 1.
    pub mouth_visible: f32,
    /// `[pitch, yaw, roll]` in degrees.
    pub head_pose: [f32; 3],
    /// Whether its lips could be moved.
    pub syncable: bool,
    /// Why not.
    pub skip_reason: Option<SkipReason>,
    /// `[x, y, z]` of each landmark in pixels, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<Vec<[f32; 3]>>,
}

/// What [`faces`] saw in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FacesSummary {
    /// Frames looked at.
    pub frames: u64,
    /// Different faces.
    pub faces: u64,
    /// Frames with at least one face.
    pub frames_with_face: u64,
}

/// Follows the faces of a video and writes one JSON line per frame to `output`, as each frame is done.
///
/// # Errors
/// When the video cannot be read, or `output` or the preview cannot be written; `Cancelled` when the observer said
/// so.
pub fn faces(spec: &FacesSpec, output: &mut dyn Write, observer: &dyn Observer) -> Result<FacesSummary> {
    crate::spec::check_range(spec.start_s, spec.end_s)?;
    crate::spec::check_is_file(&spec.video)?;
    output.flush().map_err(|source| Error::io("write the faces", source))?;
    if observer.is_cancelled() {
        return Err(Error::cancelled());
    }
    Err(Error::internal("media are not connected"))
}
