//! The source frames in the order in which the output shows them.

use crate::analyse::Analysis;
use crate::clip::{Clip, ClipReader};
use crate::plan::{Plan, PlannedFrame};
use std::sync::Arc;
use viseme_core::{Error, FrameIndex, Pts, Result};
use viseme_imaging::Frame;

/// Most bytes of frames that are held to be shown backwards. Each such stretch is decoded from the key frame before
/// it, so a longer one costs less time.
const BACKWARD_BYTES: usize = 128 << 20;

/// Reads the source frames of a plan.
pub(crate) struct PlannedFrames<'a> {
    clip: &'a dyn Clip,
    analysis: &'a Analysis,
    plan: &'a Plan,
    /// The next output frame.
    next: u64,
    reading: Reading,
}

/// Where the next frame comes from.
enum Reading {
    /// Nowhere yet.
    Start,
    /// The only frame there is.
    Single(Arc<Frame>),
    /// A reader whose next frame has this number.
    Forward(Box<dyn ClipReader>, u64),
    /// Frames to be shown from the last to the first; the last one has the number given.
    Backward(Vec<Arc<Frame>>, u64),
}

impl<'a> PlannedFrames<'a> {
    pub(crate) fn new(clip: &'a dyn Clip, analysis: &'a Analysis, plan: &'a Plan) -> Self {
        Self { clip, analysis, plan, next: 0, reading: Reading::Start }
    }

    /// The next output frame and the source frame that it shows; `None` after the last.
    ///
    /// # Errors
    /// When the clip cannot be decoded, or gives fewer frames than it did the first time.
    pub(crate) fn next_frame(&mut self) -> Result<Option<(PlannedFrame, Arc<Frame>)>> {
        if self.next == self.plan.len() {
            return Ok(None);
        }
        let planned = self.plan.frame(self.next);
        let is_step_back = self.next > 0 && self.plan.frame(self.next - 1).source.0 == planned.source.0 + 1;
        self.next += 1;
        let frame = self.source(planned.source.0, is_step_back)?;
        Ok(Some((planned, frame)))
    }

    fn source(&mut self, wanted: u64, is_step_back: bool) -> Result<Arc<Frame>> {
        match &mut self.reading {
            Reading::Single(frame) => return Ok(Arc::clone(frame)),
            Reading::Forward(reader, next) if *next == wanted => {
                *next += 1;
                return decoded(reader.as_mut()).map(Arc::new);
            }
            Reading::Backward(frames, last) if *last == wanted => {
                if let Some(frame) = frames.pop() {
                    *last = last.saturating_sub(1);
                    return Ok(frame);
                }
            }
            _ => {}
        }
        // The old reader's decoder ends before a new one starts.
        self.reading = Reading::Start;
        if self.plan.source_frames() == 1 {
            let frame = Arc::new(decoded(self.open(0)?.as_mut())?);
            self.reading = Reading::Single(Arc::clone(&frame));
            return Ok(frame);
        }
        if is_step_back {
            return self.read_back_from(wanted);
        }
        let mut reader = self.open(wanted)?;
        let frame = decoded(reader.as_mut())?;
        self.reading = Reading::Forward(reader, wanted + 1);
        Ok(Arc::new(frame))
    }

    /// Decodes the stretch that ends with `wanted` and gives that frame.
    fn read_back_from(&mut self, wanted: u64) -> Result<Arc<Frame>> {
        let info = self.clip.info();
        let count = (BACKWARD_BYTES / info.format.frame_bytes(info.width, info.height).max(1)).max(1) as u64;
        let first = (wanted + 1).saturating_sub(count);
        let mut reader = self.open(first)?;
        let mut frames = Vec::with_capacity((wanted + 1 - first) as usize);
        for _ in first..wanted {
            frames.push(Arc::new(decoded(reader.as_mut())?));
        }
        let frame = Arc::new(decoded(reader.as_mut())?);
        self.reading = Reading::Backward(frames, wanted.saturating_sub(1));
        Ok(frame)
    }

    /// Opens the clip at a frame of the range.
    fn open(&self, source: u64) -> Result<Box<dyn ClipReader>> {
        let times = &self.analysis.times;
        let pts = Pts(times.origin().0 + times.start(source as usize));
        self.clip.open_at(FrameIndex(self.analysis.first.0 + source), pts)
    }
}

fn decoded(reader: &mut dyn ClipReader) -> Result<Frame> {
    let frame = reader.next_frame()?;
    frame.ok_or_else(|| Error::internal("the video gave fewer frames the second time than the first"))
}
