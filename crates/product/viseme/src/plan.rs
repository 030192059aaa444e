//! What happens to each frame of the output. Pure: no media is touched here.
//!
//! Source frames are chosen first and mouths are made afterwards, so that the second round of a loop speaks its own
//! words. The plan is a formula over the times of the source frames and the usable runs of each face: nothing in it
//! grows with the output.

use crate::order::Order;
use crate::spec::LoopMode;
use crate::times::FrameTimes;
use std::ops::Range;
use viseme_core::{FrameIndex, Pts, Timebase};
use viseme_face::TrackId;

/// How long the effect takes to come and go at the ends of a usable run, in seconds: three frames at 25 per second,
/// the time in which real lips start to move.
const FADE_S: f64 = 0.12;

/// What a plan is made of.
#[derive(Debug, Clone)]
pub struct PlanInput {
    /// Times of the source frames of the chosen range.
    pub times: FrameTimes,
    /// Length of the speech in seconds.
    pub speech_s: f64,
    /// What is shown when the speech is longer than the clip.
    pub loop_mode: LoopMode,
    /// The faces whose lips move.
    pub faces: Vec<FacePlan>,
}

/// Where the lips of one face can be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacePlan {
    /// The face.
    pub track: TrackId,
    /// Runs of source frames in which its mouth can be changed: ascending, apart, not empty.
    pub usable: Vec<Range<u64>>,
}

/// One frame of the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedFrame {
    /// Its number in the output.
    pub output: FrameIndex,
    /// The source frame that it shows, counted from the start of the chosen range.
    pub source: FrameIndex,
    /// When it is shown: ticks from the start of the output.
    pub pts: Pts,
    /// The same moment in seconds, which is the moment of the speech that the lips speak.
    pub speech_s: f64,
}

/// What happens to each frame of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    order: Order,
    faces: Vec<FacePlan>,
}

/// Plans a job.
///
/// The output covers the whole clip when the speech is shorter, and the whole speech when it is longer; with
/// [`LoopMode::None`] it ends with the shorter of the two. No frames come of a clip without frames.
#[must_use]
pub fn plan(input: PlanInput) -> Plan {
    Plan { order: Order::new(input.times, input.speech_s, input.loop_mode), faces: input.faces }
}

impl Plan {
    /// Number of output frames.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.order.len() as u64
    }

    /// Whether there is no frame at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.len() == 0
    }

    /// The ticks of all times.
    #[must_use]
    pub fn timebase(&self) -> Timebase {
        self.order.times().timebase()
    }

    /// Number of source frames.
    #[must_use]
    pub fn source_frames(&self) -> u64 {
        self.order.times().len() as u64
    }

    /// Length of the output in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.start_s(self.len()) }
    }

    /// Whether source frames are shown more than once.
    #[must_use]
    pub fn is_looped(&self) -> bool {
        self.len() > self.source_frames()
    }

    /// When output frame `output` starts, in seconds; the end of the output for its length.
    #[must_use]
    pub fn start_s(&self, output: u64) -> f64 {
        self.order.times().seconds(self.order.start(output as usize))
    }

    /// Output frame `output`, which must be less than [`len`](Self::len).
    #[must_use]
    pub fn frame(&self, output: u64) -> PlannedFrame {
        let ticks = self.order.start(output as usize);
        PlannedFrame {
            output: FrameIndex(output),
            source: FrameIndex(self.order.source(output as usize) as u64),
            pts: Pts(ticks),
            speech_s: self.order.times().seconds(ticks),
        }
    }

    /// All output frames in order.
    pub fn frames(&self) -> impl Iterator<Item = PlannedFrame> + '_ {
        (0..self.len()).map(|output| self.frame(output))
    }

    /// The faces whose lips move.
    #[must_use]
    pub fn faces(&self) -> &[FacePlan] {
        &self.faces
    }

    /// How much of the effect a face gets in a source frame, 0 to 1: none outside its usable runs, and rising over
    /// 0.12 s from each end of a run that is not an end of the clip.
    #[must_use]
    pub fn strength(&self, face: &FacePlan, source: FrameIndex) -> f32 {
        let after = face.usable.partition_point(|run| run.start <= source.0);
        let Some(run) = after.checked_sub(1).map(|index| &face.usable[index]).filter(|run| source.0 < run.end) else {
            return 0.0;
        };
        let times = self.order.times();
        let middle = times.start(source.0 as usize).midpoint(times.start(source.0 as usize + 1));
        let since_start = times.seconds(middle - times.start(run.start as usize));
        let until_end = times.seconds(times.start(run.end as usize) - middle);
        let is_clip_start = run.start == 0;
        let is_clip_end = run.end >= self.source_frames();
        let nearest = match (is_clip_start, is_clip_end) {
            (true, true) => return 1.0,
            (true, false) => until_end,
            (false, true) => since_start,
            (false, false) => since_start.min(until_end),
        };
        (nearest / FADE_S).clamp(0.0, 1.0) as f32
    }
}
