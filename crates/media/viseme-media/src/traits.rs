//! The two seams of the picture: where frames come from and where they go.

use crate::VideoInfo;
use std::path::PathBuf;
use viseme_core::Result;
use viseme_imaging::Frame;

/// Gives the frames of a video one by one, in order.
pub trait FrameSource: Send {
    /// What the frames have in common.
    fn info(&self) -> &VideoInfo;

    /// The next frame; `None` after the last. Times rise strictly from frame to frame.
    ///
    /// # Errors
    /// When the source cannot be decoded.
    fn next_frame(&mut self) -> Result<Option<Frame>>;
}

/// Takes the frames of a video one by one, in order.
pub trait FrameSink: Send {
    /// Adds a frame.
    ///
    /// # Errors
    /// When the frame does not fit the sink, or it cannot be written.
    fn write(&mut self, frame: &Frame) -> Result<()>;

    /// Ends the video and counts what was written.
    ///
    /// # Errors
    /// When it cannot be written, or holds another number of frames than it was given.
    fn finish(self: Box<Self>) -> Result<WrittenVideo>;
}

/// A finished video file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenVideo {
    /// Where it is.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// The most memory that the encoder had resident, in bytes; 0 where it cannot be told.
    pub peak_memory_bytes: u64,
}
