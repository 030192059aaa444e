//! Frames in memory in place of files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Error, ErrorKind, Pts, Result, Timebase};
use viseme_imaging::{ColourInfo, ColourMatrix, ColourRange, Frame, PixelFormat};
use viseme_media::{ColourTags, FrameSink, FrameSource, Ratio, VideoInfo, WrittenVideo};

/// What a reader would say of an 8-bit 4:2:0 video of this size with 25 frames per second, in ticks of a millisecond.
#[must_use]
pub fn video_info(width: u32, height: u32) -> VideoInfo {
    let timebase = Timebase::new(1, 1000).unwrap_or(Timebase::MICROSECOND);
    let (range, matrix) = (ColourRange::Limited, ColourMatrix::Bt601);
    VideoInfo {
        stream_index: 0,
        codec: "rawvideo".to_owned(),
        width,
        height,
        rotation_degrees: 0,
        sample_aspect_ratio: None,
        format: PixelFormat::YUV420P,
        pixel_format_name: "yuv420p".to_owned(),
        colour: ColourInfo::new(range, matrix),
        colour_tags: ColourTags::default(),
        timebase,
        average_frame_rate: Ratio { numerator: 25, denominator: 1 },
        frame_count: None,
        duration_s: 0.0,
        start: Pts(0),
        origin: Pts(0),
    }
}

/// Frames for [`video_info`], 40 ms apart; all samples of frame `n` have the value `n` (modulo 256).
#[must_use]
pub fn numbered_frames(width: u32, height: u32, count: usize) -> Vec<Frame> {
    let bytes = PixelFormat::YUV420P.frame_bytes(width, height);
    let frame = |number: usize| {
        let (pts, samples) = (Pts(number as i64 * 40), vec![number as u8; bytes]);
        Frame::from_bytes(pts, PixelFormat::YUV420P, width, height, &samples).expect("the right length")
    };
    (0..count).map(frame).collect()
}

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
            return Err(Error::new(ErrorKind::DiskFull, "the fake disk is full"));
        }
        frames.push(frame.clone());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<WrittenVideo> {
        let frames = self.frames().len() as u64;
        Ok(WrittenVideo { path: PathBuf::new(), frames, start_s: 0.0, end_s: 0.0, peak_memory_bytes: 0 })
    }
}
