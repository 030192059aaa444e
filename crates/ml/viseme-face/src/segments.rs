//! In which frames the lips of a track can be moved, and why not in the others. Pure functions.

use crate::store::{FaceSummary, Track};
use std::ops::Range;
use viseme_core::FrameIndex;
use viseme_core::geometry::Rect;
use viseme_core::segment::{Segment, SkipReason};

/// A head turned further than this shows half a mouth.
const MAX_YAW_DEGREES: f32 = 45.0;
/// A face narrower than this has lips of a dozen pixels: nothing to be seen of their motion.
const LEAST_WIDTH_PX: f32 = 64.0;
/// Below this the landmark net rather sees no face.
const LEAST_PRESENCE: f32 = 0.5;
/// Below this the mouth net rather sees a hand or a microphone.
const LEAST_MOUTH_VISIBLE: f32 = 0.4;
/// A state that lasts fewer frames than this is noise: a fifth of a second, the length of a blink.
const LEAST_RUN: usize = 5;
/// Frames in which the effect comes and goes where a face can be seen on both sides of the change.
const FADE_FRAMES: usize = 6;

/// What happens to a track in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameState {
    /// Why the mouth cannot be moved; `None` when it can.
    pub skip: Option<SkipReason>,
    /// How much of the effect to apply, 0 to 1: below 1 only near the ends of a run of moved frames; 0 when skipped, and
    /// where the mouth could be moved and is not to be.
    pub strength: f32,
}

impl FrameState {
    /// Whether the mouth is moved.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        self.skip.is_none() && self.strength > 0.0
    }
}

/// The state of `track` in each frame of `range`.
///
/// A state lasts at least five frames, unless the whole track is shorter and fills its shot. The effect fades over six
/// frames at the ends of a run, but not at a cut or at the ends of the range, where nothing is seen to change.
#[must_use]
pub fn frame_states(track: &Track, range: Range<u64>) -> Vec<FrameState> {
    let reasons: Vec<_> = range.clone().map(|frame| reason(track.summary(FrameIndex(frame)))).collect();
    let seen = track.frames();
    let is_hard_start = |i: usize| {
        let frame = range.start + i as u64;
        i == 0 || (frame == seen.start && track.begins_with_shot)
    };
    let is_hard_end = |i: usize| {
        let frame = range.start + i as u64;
        i == reasons.len() || (frame == seen.end && track.ends_with_shot)
    };
    let reasons = without_short_runs(&reasons, |run| is_hard_start(run.start) && is_hard_end(run.end));
    let mut states: Vec<_> = reasons
        .iter()
        .map(|&skip| FrameState { skip, strength: if skip.is_none() { 1.0 } else { 0.0 } })
        .collect();
    for run in runs(&reasons).filter(|run| reasons[run.start].is_none()) {
        let (is_hard_start, is_hard_end) = (is_hard_start(run.start), is_hard_end(run.end));
        for i in run.clone() {
            let after_start = if is_hard_start { 1.0 } else { fade(i - run.start) };
            let before_end = if is_hard_end { 1.0 } else { fade(run.end - 1 - i) };
            states[i].strength = after_start.min(before_end);
        }
    }
    states
}

/// The runs of frames in which the mouth is moved, ascending, apart and not empty. `start` is the frame that `states`
/// begins with.
#[must_use]
pub fn usable_runs(states: &[FrameState], start: FrameIndex) -> Vec<Range<u64>> {
    let reasons: Vec<_> = states.iter().map(|state| state.skip).collect();
    runs(&reasons)
        .filter(|run| reasons[run.start].is_none())
        .map(|run| start.0 + run.start as u64..start.0 + run.end as u64)
        .collect()
}

/// How well a face can be synced, 0 to 1: certain, uncovered, turned to the camera and large enough.
#[must_use]
pub fn sync_quality(face: &FaceSummary) -> f32 {
    // Full marks up to 20 degrees and from 128 pixels on; half at the limit of what is synced at all.
    let turned = 1.0 - 0.5 * ramp(face.euler_degrees[1].abs(), 20.0, MAX_YAW_DEGREES);
    let large = 0.5 + 0.5 * ramp(face.bbox.width, LEAST_WIDTH_PX, 2.0 * LEAST_WIDTH_PX);
    let quality = face.presence * face.mouth_visible * turned * large;
    if quality.is_finite() { quality.clamp(0.0, 1.0) } else { 0.0 }
}

/// One frame on the way to [`segments`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentFrame<'a> {
    /// When it is shown, in milliseconds from the start of the range.
    pub start_ms: u64,
    /// When the next one is.
    pub end_ms: u64,
    /// What happened to the mouth.
    pub state: FrameState,
    /// The face in it, where it was seen.
    pub face: Option<&'a FaceSummary>,
}

/// Joins frames of one state to segments. They cover the frames without gap or overlap, in order.
#[must_use]
pub fn segments<'a>(frames: impl IntoIterator<Item = SegmentFrame<'a>>) -> Vec<Segment> {
    let mut done: Vec<Segment> = Vec::new();
    let mut sums: Option<Sums> = None;
    for frame in frames {
        match &mut sums {
            Some(current) if current.is_of(&frame) => current.add(&frame),
            _ => {
                done.extend(sums.take().map(Sums::segment));
                sums = Some(Sums::new(&frame));
            }
        }
    }
    done.extend(sums.map(Sums::segment));
    done
}

/// Sums over the frames of a segment.
struct Sums {
    start_ms: u64,
    end_ms: u64,
    skip: Option<SkipReason>,
    synced: bool,
    seen: u32,
    quality: f64,
    bbox: [f64; 4],
    pose: [f64; 3],
}

impl Sums {
    fn new(frame: &SegmentFrame<'_>) -> Self {
        let (skip, synced) = (frame.state.skip, frame.state.is_moved());
        let (start_ms, end_ms, seen, quality) = (frame.start_ms, frame.end_ms, 0, 0.0);
        let mut sums = Self { start_ms, end_ms, skip, synced, seen, quality, bbox: [0.0; 4], pose: [0.0; 3] };
        sums.add(frame);
        sums
    }

    /// Whether a frame is in the same state.
    fn is_of(&self, frame: &SegmentFrame<'_>) -> bool {
        (self.skip, self.synced) == (frame.state.skip, frame.state.is_moved())
    }

    fn add(&mut self, frame: &SegmentFrame<'_>) {
        self.end_ms = frame.end_ms;
        let Some(face) = frame.face else { return };
        self.seen += 1;
        self.quality += f64::from(sync_quality(face));
        let bbox = [face.bbox.x, face.bbox.y, face.bbox.width, face.bbox.height];
        for (sum, value) in self.bbox.iter_mut().zip(bbox).chain(self.pose.iter_mut().zip(face.euler_degrees))
        {
            *sum += f64::from(value);
        }
    }

    fn segment(self) -> Segment {
        let mean = |sum: f64| (sum / f64::from(self.seen.max(1))) as f32;
        let [x, y, width, height] = self.bbox.map(mean);
        let is_seen = self.seen > 0;
        Segment {
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            synced: self.synced,
            skip_reason: self.skip,
            avg_quality: (is_seen && self.skip.is_none()).then(|| mean(self.quality)),
            avg_bbox: is_seen.then_some(Rect { x, y, width, height }),
            avg_head_pose: is_seen.then(|| self.pose.map(mean)),
        }
    }
}

/// Why a face cannot be synced in one frame, looked at alone. Values that are not numbers are refused.
fn reason(face: Option<&FaceSummary>) -> Option<SkipReason> {
    let Some(face) = face else { return Some(SkipReason::NotVisible) };
    let is_at_least = |value: f32, least: f32| value >= least;
    if !is_at_least(MAX_YAW_DEGREES, face.euler_degrees[1].abs()) {
        Some(SkipReason::ProfileView)
    } else if !is_at_least(face.bbox.width, LEAST_WIDTH_PX) {
        Some(SkipReason::FaceTooSmall)
    } else if !is_at_least(face.presence, LEAST_PRESENCE) {
        Some(SkipReason::LowDetectionQuality)
    } else if !is_at_least(face.mouth_visible, LEAST_MOUTH_VISIBLE) {
        Some(SkipReason::Occluded)
    } else {
        None
    }
}

/// Takes out runs that are too short to be true. What is not visible cannot become visible; all else can change.
fn without_short_runs(
    reasons: &[Option<SkipReason>],
    is_whole_shot: impl Fn(&Range<usize>) -> bool,
) -> Vec<Option<SkipReason>> {
    let is_long = |run: &Range<usize>| run.len() >= LEAST_RUN;
    let mut result = reasons.to_vec();
    let all: Vec<_> = runs(reasons).collect();
    for [before, run, after] in all.array_windows() {
        let is_between_usable = reasons[before.start].is_none() && reasons[after.start].is_none();
        let is_visible = reasons[run.start] != Some(SkipReason::NotVisible);
        if is_between_usable && is_visible && !is_long(run) && is_long(before) && is_long(after) {
            result[run.clone()].fill(None);
        }
    }
    let usable: Vec<_> = runs(&result).filter(|run| result[run.start].is_none()).collect();
    for run in usable {
        if !is_long(&run) && !is_whole_shot(&run) {
            let why = neighbour(&result, &run).unwrap_or(SkipReason::LowDetectionQuality);
            result[run].fill(Some(why));
        }
    }
    let skipped: Vec<_> = runs(&result).filter(|run| result[run.start].is_some()).collect();
    for run in skipped {
        let is_noise = !is_long(&run) && result[run.start] != Some(SkipReason::NotVisible);
        if let (true, Some(why)) = (is_noise, neighbour(&result, &run)) {
            result[run].fill(Some(why));
        }
    }
    result
}

/// The reason given just before or just after a run, if the face is visible there.
fn neighbour(reasons: &[Option<SkipReason>], run: &Range<usize>) -> Option<SkipReason> {
    let before = run.start.checked_sub(1).and_then(|i| reasons[i]);
    let after = reasons.get(run.end).copied().flatten();
    before.into_iter().chain(after).find(|&why| why != SkipReason::NotVisible)
}

/// Maximal runs of one state.
fn runs(reasons: &[Option<SkipReason>]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    reasons.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

/// Strength of the effect `distance` frames from the end of a run of moved frames: a smooth step over six frames, 1 from
/// there on.
#[must_use]
pub fn fade(distance: usize) -> f32 {
    let t = ((distance + 1) as f32 / (FADE_FRAMES + 1) as f32).min(1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 0 up to `low`, 1 from `high` on, straight between.
fn ramp(value: f32, low: f32, high: f32) -> f32 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
