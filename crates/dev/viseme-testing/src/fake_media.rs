//! Frames in memory in place of files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Error, Result};
use viseme_imaging::Frame;
use viseme_media::{FrameSink, FrameSource, VideoInfo, WrittenVideo};

/// Gives frames that it holds.
#[derive(Debug, Clone)]
pub struct FakeSource {
    info: VideoInfo,
    frames: std::vec::IntoIter<Frame>,
}

impl FakeSource {
    /// A source of these frames, which `info` describes.
    #[must_use]
    pub fn new(info: VideoInfo, frames: Vec<Frame>) -> Self {
        Self { info, frames: frames.into_iter() }
    }
}

impl FrameSource for FakeSource {
    fn info(&self) -> &VideoInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>> {
        Ok(self.frames.next())
    }
}

/// Keeps the frames that it is given. Its clones keep them together.
#[derive(Debug, Clone, Default)]
pub struct FakeSink {
    frames: Arc<Mutex<Vec<Frame>>>,
    fails_at: Option<usize>,
}

impl FakeSink {
    /// A sink that refuses the frame with this number, counted from 0, as a full disk would.
    #[must_use]
    pub fn failing_at(frame: usize) -> Self {
        Self { fails_at: Some(frame), ..Self::default() }
    }

    /// The frames so far.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FrameSink for FakeSink {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fails_at == Some(frames.len()) {
            return Err(Error::new(viseme_core::ErrorKind::DiskFull, "the fake disk is full"));
        }
        frames.push(frame.clone());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<WrittenVideo> {
        let frames = self.frames().len() as u64;
        Ok(WrittenVideo { path: PathBuf::new(), frames, peak_memory_bytes: 0 })
    }
}
