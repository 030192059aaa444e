//! The source frames in the order in which the output shows them.

use crate::analyse::Analysis;
use crate::clip::{Clip, ClipReader};
use crate::plan::{Plan, PlannedFrame};
use std::sync::Arc;
use viseme_core::{Error, FrameIndex, Pts, Result};
use viseme_imaging::Frame;

/// Most bytes of frames that are held to be shown backwards. Each such stretch is decoded from the key frame before
/// it, so a longer one costs less time.
const BACKWARD_BYTES: usize = 40 << 20;

/// Reads the source frames of a plan.
pub(crate) struct PlannedFrames<'a> {
    clip: &'a dyn Clip,
    analysis: &'a Analysis,
    plan: &'a Plan,
    backward_bytes: usize,
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
        Self { clip, analysis, plan, backward_bytes: BACKWARD_BYTES, next: 0, reading: Reading::Start }
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
        let count =
            (self.backward_bytes / info.format.frame_bytes(info.width, info.height).max(1)).max(1) as u64;
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::plan::{PlanInput, plan};
    use crate::spec::LoopMode;
    use crate::times::FrameTimes;
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use viseme_core::{FrameIndex, Warning};
    use viseme_face::TrackRecorder;
    use viseme_media::VideoInfo;
    use viseme_testing::FakeSource;
    use viseme_testing::fake_media::{numbered_frames, video_info};

    /// A clip in memory that remembers where it was opened.
    #[derive(Debug)]
    pub(crate) struct MemoryClip {
        pub(crate) info: VideoInfo,
        pub(crate) frames: Vec<Frame>,
        pub(crate) opened: Mutex<Vec<u64>>,
    }

    impl MemoryClip {
        pub(crate) fn new(count: usize) -> Self {
            Self {
                info: video_info(16, 16),
                frames: numbered_frames(16, 16, count),
                opened: Mutex::default(),
            }
        }

        /// What the first pass finds in it: times and no face.
        pub(crate) fn analysis(&self) -> Analysis {
            let folder = tempfile::tempdir().unwrap();
            let mut times = FrameTimes::new(self.info.timebase);
            self.frames.iter().for_each(|frame| times.push(frame.pts));
            let tracks = TrackRecorder::create(folder.path()).unwrap().finish().unwrap();
            let (first, studied) = (FrameIndex(0), BTreeSet::new());
            Analysis { first, times, tracks, studied, warnings: Vec::new() }
        }
    }

    impl ClipReader for FakeSource {
        fn warnings(&self) -> Vec<Warning> {
            Vec::new()
        }
    }

    impl Clip for MemoryClip {
        fn info(&self) -> &VideoInfo {
            &self.info
        }

        fn is_still(&self) -> bool {
            false
        }

        fn open(&self) -> Result<Box<dyn ClipReader>> {
            self.open_at(FrameIndex(0), Pts(0))
        }

        fn open_at(&self, first: FrameIndex, pts: Pts) -> Result<Box<dyn ClipReader>> {
            assert_eq!(pts.0, first.0 as i64 * 40);
            self.opened.lock().unwrap().push(first.0);
            let frames = self.frames[first.0 as usize..].to_vec();
            Ok(Box::new(FakeSource::new(self.info.clone(), frames)))
        }
    }

    /// Plans `output` frames of a clip.
    pub(crate) fn planned(analysis: &Analysis, output: u64, loop_mode: LoopMode) -> Plan {
        let speech_s = output as f64 * 0.04;
        let (times, lead) = (analysis.times.clone(), Pts(0));
        plan(PlanInput { times, lead, speech_s, loop_mode, faces: Vec::new() })
    }

    fn shown(frames: &mut PlannedFrames<'_>) -> Vec<(u64, f32)> {
        let next = || frames.next_frame().unwrap();
        std::iter::from_fn(next)
            .map(|(planned, frame)| (planned.source.0, frame.planes[0].value(0, 0)))
            .collect()
    }

    #[test]
    fn backward_frames_come_in_stretches_of_bounded_size() {
        let clip = MemoryClip::new(10);
        let analysis = clip.analysis();
        let plan = planned(&analysis, 30, LoopMode::Pingpong);
        let mut frames = PlannedFrames::new(&clip, &analysis, &plan);
        frames.backward_bytes = 4 * clip.frames[0].byte_size();
        let shown = shown(&mut frames);
        assert_eq!(shown.len(), 30);
        assert!(shown.iter().all(|&(source, value)| (source as f32 - value).abs() < 0.5), "{shown:?}");
        // Forward from 0; back from 8 in stretches of four, the last one down to 0; forward from 1; back from 8.
        assert_eq!(*clip.opened.lock().unwrap(), [0, 5, 1, 0, 1, 5]);
    }

    #[test]
    fn a_loop_opens_the_clip_once_a_round_and_a_single_frame_only_once() {
        let clip = MemoryClip::new(4);
        let analysis = clip.analysis();
        let plan = planned(&analysis, 10, LoopMode::Repeat);
        assert_eq!(shown(&mut PlannedFrames::new(&clip, &analysis, &plan)).len(), 10);
        assert_eq!(*clip.opened.lock().unwrap(), [0, 0, 0]);
        let lone = MemoryClip::new(1);
        let analysis = lone.analysis();
        let plan = planned(&analysis, 10, LoopMode::Pingpong);
        assert_eq!(shown(&mut PlannedFrames::new(&lone, &analysis, &plan)).len(), 10);
        assert_eq!(*lone.opened.lock().unwrap(), [0]);
    }

    #[test]
    fn a_clip_that_has_become_shorter_is_an_error() {
        let mut clip = MemoryClip::new(6);
        let analysis = clip.analysis();
        clip.frames.truncate(5);
        let plan = planned(&analysis, 6, LoopMode::Repeat);
        let mut frames = PlannedFrames::new(&clip, &analysis, &plan);
        let results: Vec<_> = (0..6).map(|_| frames.next_frame().map(|_| ())).collect();
        assert!(results[..5].iter().all(Result::is_ok) && results[5].is_err());
    }
}
