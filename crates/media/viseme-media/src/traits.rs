//! The two seams of the picture: where frames come from and where they go.

use crate::{Tools, VideoInfo, probe};
use std::path::{Path, PathBuf};
use viseme_core::{Error, Limits, Result};
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
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenVideo {
    /// Where it is.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// When the first of them is shown, in seconds.
    pub start_s: f64,
    /// When the last of them ends, in seconds.
    pub end_s: f64,
    /// The most memory that the encoder had resident, in bytes; 0 where it cannot be told.
    pub peak_memory_bytes: u64,
}

impl WrittenVideo {
    /// Reads back what was written to `path`.
    ///
    /// # Errors
    /// When it cannot be read or holds no frame.
    pub(crate) fn read_back(
        tools: &Tools,
        path: &Path,
        limits: &Limits,
        peak_memory_bytes: u64,
    ) -> Result<Self> {
        let info = probe::count(tools, path, limits)?;
        let video = info.video.ok_or_else(|| Error::internal("the encoder wrote no picture"))?;
        let start_s = video.timebase.seconds(video.start);
        let frames = video.frame_count.ok_or_else(|| Error::internal("the encoder wrote no frame"))?;
        Ok(Self {
            path: path.to_owned(),
            frames,
            start_s,
            end_s: start_s + info.duration_s,
            peak_memory_bytes,
        })
    }
}
