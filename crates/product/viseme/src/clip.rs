//! The frames of the video, from wherever they are needed and as often as they are needed.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use viseme_core::{FrameIndex, Limits, Pts, Result, Warning};
use viseme_imaging::Frame;
use viseme_media::{FrameSource, MediaInfo, ReadOptions, ReadStart, Tools, VideoInfo, VideoReader};

/// A video that can be read more than once.
pub(crate) trait Clip: Debug + Send + Sync {
    /// What the frames have in common.
    fn info(&self) -> &VideoInfo;

    /// Whether it is a single picture.
    fn is_still(&self) -> bool;

    /// Opens it at its first frame.
    ///
    /// # Errors
    /// When it cannot be decoded.
    fn open(&self) -> Result<Box<dyn ClipReader>>;

    /// Opens it at frame `first`, counted from 0, whose time `pts` an earlier pass has seen.
    ///
    /// # Errors
    /// When it cannot be decoded.
    fn open_at(&self, first: FrameIndex, pts: Pts) -> Result<Box<dyn ClipReader>>;
}

/// One pass over a [`Clip`].
pub(crate) trait ClipReader: FrameSource {
    /// What went less well than it should have. Complete after the last frame.
    fn warnings(&self) -> Vec<Warning>;
}

impl ClipReader for VideoReader {
    fn warnings(&self) -> Vec<Warning> {
        Self::warnings(self)
    }
}

/// The video of a media file.
#[derive(Debug)]
pub(crate) struct FileClip<'a> {
    tools: &'a Tools,
    path: PathBuf,
    video: VideoInfo,
    is_still: bool,
    limits: &'a Limits,
    /// Opened ahead of time.
    opened: Mutex<Option<VideoReader>>,
}

impl<'a> FileClip<'a> {
    /// The picture `video` of the file `path`, both out of its probe `info`.
    pub(crate) fn new(
        tools: &'a Tools,
        path: &Path,
        info: &MediaInfo,
        video: &VideoInfo,
        limits: &'a Limits,
    ) -> Self {
        let (path, video, is_still) = (path.to_owned(), video.clone(), info.is_still);
        Self { tools, path, video, is_still, limits, opened: Mutex::default() }
    }

    /// Starts the decoder that the next [`open`](Clip::open) will take: it is a program that takes a while to come up. What goes wrong
    /// will go wrong again then.
    pub(crate) fn open_soon(&self) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_none() {
            *opened = self.read(ReadStart::Beginning).ok();
        }
    }

    fn take_opened(&self) -> Option<VideoReader> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn read(&self, start: ReadStart) -> Result<VideoReader> {
        let options = ReadOptions { start, frame_count: None };
        VideoReader::open(self.tools, &self.path, &self.video, options, self.limits)
    }
}

impl Clip for FileClip<'_> {
    fn info(&self) -> &VideoInfo {
        &self.video
    }

    fn is_still(&self) -> bool {
        self.is_still
    }

    fn open(&self) -> Result<Box<dyn ClipReader>> {
        Ok(Box::new(self.take_opened().map_or_else(|| self.read(ReadStart::Beginning), Ok)?))
    }

    fn open_at(&self, first: FrameIndex, pts: Pts) -> Result<Box<dyn ClipReader>> {
        if first.0 == 0 {
            return self.open();
        }
        // A decoder that stands at the beginning would wait there to the end of the job.
        drop(self.take_opened());
        Ok(Box::new(self.read(ReadStart::Known(first, pts))?))
    }
}

/// The part of a clip that a job uses, by time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TimeRange {
    /// First moment, in seconds; none is the start.
    pub(crate) start_s: Option<f64>,
    /// Moment after the last, in seconds; none is the end.
    pub(crate) end_s: Option<f64>,
}

/// Times closer to an end of the range than this belong to the frame there: a microsecond, as ffmpeg's options round.
const TOLERANCE_S: f64 = 1e-6;

/// Reads the frames of a clip that lie in a range of time.
pub(crate) struct RangeReader {
    reader: Box<dyn ClipReader>,
    range: TimeRange,
    /// The number of the next frame in the clip.
    next: u64,
}

impl RangeReader {
    /// Opens `clip`.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub(crate) fn open(clip: &dyn Clip, range: TimeRange) -> Result<Self> {
        Ok(Self { reader: clip.open()?, range, next: 0 })
    }

    /// The next frame in the range, with its number in the clip; `None` after the last.
    ///
    /// # Errors
    /// When the clip cannot be decoded.
    pub(crate) fn next_frame(&mut self) -> Result<Option<(FrameIndex, Frame)>> {
        loop {
            let Some(frame) = self.reader.next_frame()? else { return Ok(None) };
            let index = FrameIndex(self.next);
            self.next += 1;
            let time_s = self.reader.info().timebase.seconds(frame.pts) + TOLERANCE_S;
            if self.range.end_s.is_some_and(|end| time_s >= end) {
                return Ok(None);
            }
            if self.range.start_s.is_none_or(|start| time_s >= start) {
                return Ok(Some((index, frame)));
            }
        }
    }

    /// What went less well than it should have.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.reader.warnings()
    }
}
