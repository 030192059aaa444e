//! The source frames in the order in which the output shows them.

use crate::analyse::Analysis;
use crate::clip::{Clip, ClipReader};
use crate::loops::blender::Blender;
use crate::loops::faces::pairs;
use crate::plan::{Plan, PlannedFrame};
use std::ops::Range;
use std::sync::Arc;
use viseme_core::{Error, FrameIndex, Pts, Result};
use viseme_engines::FrameInterpolator;
use viseme_imaging::Frame;

/// Most bytes of frames that are held to be shown backwards. Each such stretch is decoded from the key frame before
/// it, so a longer one costs less time.
const BACKWARD_BYTES: usize = 40 << 20;

/// So many frames are decoded and dropped rather than looked for anew.
const MOST_SKIPPED: u64 = 100;

/// Reads the source frames of a plan, and blends them where it says so.
pub(crate) struct PlannedFrames<'a> {
    analysis: &'a Analysis,
    plan: &'a Plan,
    /// The output frames to come.
    left: Range<u64>,
    cursor: Cursor<'a>,
    /// The round that ends, while it is blended into the one that begins.
    leaving: Option<Cursor<'a>>,
    blender: Blender<'a>,
}

impl<'a> PlannedFrames<'a> {
    /// Reads what the output frames `frames` show. `interpolator` makes what lies between two; our own flow where there is none.
    pub(crate) fn new(
        clip: &'a dyn Clip,
        analysis: &'a Analysis,
        plan: &'a Plan,
        interpolator: Option<&'a dyn FrameInterpolator>,
        frames: Range<u64>,
    ) -> Self {
        let cursor = Cursor::new(clip, analysis);
        Self { analysis, plan, left: frames, cursor, leaving: None, blender: Blender::new(interpolator) }
    }

    /// The next output frame and the picture that it shows, before lips are made; `None` after the last.
    ///
    /// # Errors
    /// When the clip cannot be decoded, or gives fewer frames than it did the first time.
    pub(crate) fn next_frame(&mut self) -> Result<Option<(PlannedFrame, Arc<Frame>)>> {
        let Some(next) = self.left.next() else { return Ok(None) };
        let planned = self.plan.frame(next);
        let followed = |output: u64| self.plan.frame(output).followed().0;
        let wanted = planned.followed().0;
        let way = Way {
            is_back: next > 0 && followed(next - 1) == wanted + 1,
            stays: next + 1 < self.plan.len() && followed(next + 1) == wanted,
        };
        let Some(blend) = planned.blend else {
            self.leaving = None;
            return Ok(Some((planned, self.cursor.frame(wanted, way)?)));
        };
        if let Some(made) = self.blender.made(&blend) {
            return Ok(Some((planned, made)));
        }
        let another = self.cursor.another();
        let ending = self.leaving.get_or_insert_with(|| std::mem::replace(&mut self.cursor, another));
        let (leaving, arriving) = (ending.forward(blend.leaving.0)?, self.cursor.frame(wanted, way)?);
        let faces = pairs(&self.analysis.tracks, &blend)?;
        let colour = &self.cursor.clip.info().colour;
        let frame = self.blender.make(&blend, colour, [&leaving, &arriving], &faces)?;
        Ok(Some((planned, frame)))
    }
}

/// How the frames before and after one lie.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// The frame before was the next one of the clip.
    is_back: bool,
    /// The frame after is the same.
    stays: bool,
}

/// One place in a clip from which frames are read.
pub(crate) struct Cursor<'a> {
    clip: &'a dyn Clip,
    analysis: &'a Analysis,
    backward_bytes: usize,
    reading: Reading,
    /// A frame that is wanted again, with its number.
    kept: Option<(Arc<Frame>, u64)>,
}

/// Where the next frame comes from.
enum Reading {
    /// Nowhere yet.
    Start,
    /// A reader whose next frame has this number.
    Forward(Box<dyn ClipReader>, u64),
    /// Frames to be shown from the last to the first; the last one has the number given.
    Backward(Vec<Arc<Frame>>, u64),
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(clip: &'a dyn Clip, analysis: &'a Analysis) -> Self {
        Self { clip, analysis, backward_bytes: BACKWARD_BYTES, reading: Reading::Start, kept: None }
    }

    /// Another one in the same clip.
    fn another(&self) -> Self {
        Self { backward_bytes: self.backward_bytes, ..Self::new(self.clip, self.analysis) }
    }

    /// Frame `wanted` of the range, on the way forwards.
    ///
    /// # Errors
    /// As [`PlannedFrames::next_frame`].
    pub(crate) fn forward(&mut self, wanted: u64) -> Result<Arc<Frame>> {
        self.frame(wanted, Way::default())
    }

    fn frame(&mut self, wanted: u64, way: Way) -> Result<Arc<Frame>> {
        let frame = match self.kept.take() {
            Some((frame, number)) if number == wanted => frame,
            _ => self.read(wanted, way.is_back)?,
        };
        if way.stays {
            self.kept = Some((Arc::clone(&frame), wanted));
        }
        Ok(frame)
    }

    fn read(&mut self, wanted: u64, is_back: bool) -> Result<Arc<Frame>> {
        match &mut self.reading {
            Reading::Forward(reader, next) if (*next..*next + MOST_SKIPPED).contains(&wanted) => {
                for _ in *next..wanted {
                    decoded(reader.as_mut())?;
                }
                *next = wanted + 1;
                let frame = decoded(reader.as_mut())?;
                self.close_at_end(wanted);
                return Ok(Arc::new(frame));
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
        if is_back {
            return self.read_back_from(wanted);
        }
        let mut reader = self.open(wanted)?;
        let frame = decoded(reader.as_mut())?;
        self.reading = Reading::Forward(reader, wanted + 1);
        self.close_at_end(wanted);
        Ok(Arc::new(frame))
    }

    /// Ends the decoder after the last frame: it may be shown for long.
    fn close_at_end(&mut self, read: u64) {
        if read + 1 == self.analysis.times.len() as u64 {
            self.reading = Reading::Start;
        }
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
    use crate::loops::{LoopMode, LoopShape};
    use crate::plan::{PlanInput, plan};
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
            let likenesses = crate::people::Likenesses::default();
            Analysis { first, times, tracks, likenesses, studied, warnings: Vec::new() }
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
        let loop_shape = LoopShape { blended: 3, ..LoopShape::whole(times.len() as u64) };
        plan(PlanInput { times, lead, speech_s, loop_mode, loop_shape, faces: Vec::new() })
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
        let mut frames = PlannedFrames::new(&clip, &analysis, &plan, None, 0..plan.len());
        frames.cursor.backward_bytes = 4 * clip.frames[0].byte_size();
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
        assert_eq!(shown(&mut PlannedFrames::new(&clip, &analysis, &plan, None, 0..plan.len())).len(), 10);
        assert_eq!(*clip.opened.lock().unwrap(), [0, 0, 0]);
        let lone = MemoryClip::new(1);
        let analysis = lone.analysis();
        let plan = planned(&analysis, 10, LoopMode::Pingpong);
        assert_eq!(shown(&mut PlannedFrames::new(&lone, &analysis, &plan, None, 0..plan.len())).len(), 10);
        assert_eq!(*lone.opened.lock().unwrap(), [0]);
    }

    #[test]
    fn the_end_of_a_round_is_blended_into_the_start_of_the_next() {
        let clip = MemoryClip::new(10);
        let analysis = clip.analysis();
        let plan = planned(&analysis, 17, LoopMode::Crossfade);
        let mut frames = PlannedFrames::new(&clip, &analysis, &plan, None, 0..plan.len());
        let next = || frames.next_frame().unwrap();
        let values: Vec<_> =
            std::iter::from_fn(next).map(|(_, frame)| frame.planes[0].value(3, 5) as u32).collect();
        // 7 and 0, 8 and 1, 9 and 2, by quarters: 5.25, 4.5, 3.75.
        assert_eq!(values, [0, 1, 2, 3, 4, 5, 6, 5, 5, 4, 3, 4, 5, 6, 5, 5, 4]);
        // From the start, and for the round that begins. The second boundary is that of the first again.
        assert_eq!(*clip.opened.lock().unwrap(), [0, 0]);
    }

    #[test]
    fn a_frame_that_stays_is_read_once() {
        let clip = MemoryClip::new(5);
        let analysis = clip.analysis();
        let plan = planned(&analysis, 300, LoopMode::Hold);
        let held = shown(&mut PlannedFrames::new(&clip, &analysis, &plan, None, 0..plan.len()));
        assert!(held[4..].iter().all(|&shown| shown == (4, 4.0)));
        let slow = planned(&analysis, 15, LoopMode::Remap);
        let slow = shown(&mut PlannedFrames::new(&clip, &analysis, &slow, None, 0..slow.len()));
        assert!(
            slow.iter().enumerate().all(|(output, &(source, _))| source == output as u64 / 3),
            "{slow:?}"
        );
        let fast = planned(&analysis, 2, LoopMode::Remap);
        let fast = shown(&mut PlannedFrames::new(&clip, &analysis, &fast, None, 0..fast.len()));
        assert_eq!(fast, [(1, 1.0), (3, 3.0)]);
        assert_eq!(*clip.opened.lock().unwrap(), [0, 0, 1]);
    }

    #[test]
    fn a_clip_that_has_become_shorter_is_an_error() {
        let mut clip = MemoryClip::new(6);
        let analysis = clip.analysis();
        clip.frames.truncate(5);
        let plan = planned(&analysis, 6, LoopMode::Repeat);
        let mut frames = PlannedFrames::new(&clip, &analysis, &plan, None, 0..plan.len());
        let results: Vec<_> = (0..6).map(|_| frames.next_frame().map(|_| ())).collect();
        assert!(results[..5].iter().all(Result::is_ok) && results[5].is_err());
    }
}
