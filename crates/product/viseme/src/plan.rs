//! What happens to each frame of the output. Pure: no media is touched here.
//!
//! Source frames are chosen first and mouths are made afterwards, so that the second round of a loop speaks its own
//! words. The plan is a formula over the source: the times of its frames and what happens to each face in them. Nothing
//! in it grows with the output.

use crate::loops::{LoopFacts, LoopMode, LoopShape};
use crate::order::Order;
use crate::times::FrameTimes;
use crate::turns::{self, Turn, WHOLE};
use std::ops::Range;
use viseme_core::segment::SkipReason;
use viseme_core::{FrameIndex, Pts, Timebase};
use viseme_engines::{MouthPlan, PlannedMouth, VoiceId};
use viseme_face::TrackId;
use viseme_face::segments::FrameState;

/// What a plan is made of.
#[derive(Debug, Clone)]
pub struct PlanInput {
    /// Times of the source frames of the chosen range.
    pub times: FrameTimes,
    /// When the first frame is shown, in ticks from the start of the output: later than 0 where the picture of the
    /// source starts later than its clock.
    pub lead: Pts,
    /// When the last voice ends, in seconds from the start of the output.
    pub speech_s: f64,
    /// What is shown when the speech is longer than the clip.
    pub loop_mode: LoopMode,
    /// The part of the clip that is looped, in the modes that blend.
    pub loop_shape: LoopShape,
    /// The faces whose lips move.
    pub faces: Vec<FacePlan>,
}

/// Where and how strongly the lips of one face are moved, and what they speak.
#[derive(Debug, Clone, PartialEq)]
pub struct FacePlan {
    /// The face.
    pub track: TrackId,
    /// The voice that it speaks.
    pub voice: VoiceId,
    /// When it speaks, in seconds from the start of the output.
    spans: Vec<Range<f64>>,
    /// The same in output frames, when they are planned.
    turns: Vec<Turn>,
    /// The first source frame in which it is visible.
    first: u64,
    /// What happens in each frame from there to the last one in which it is visible.
    states: Vec<FrameState>,
}

/// The state of a face in a frame where it is not.
const ABSENT: FrameState = FrameState { skip: Some(SkipReason::NotVisible), strength: 0.0 };

impl FacePlan {
    /// The plan of a face that speaks [`VoiceId::MAIN`] all the time, from what happens to it in each source frame of the
    /// range.
    #[must_use]
    pub fn new(track: TrackId, states: &[FrameState]) -> Self {
        let is_visible = |state: &FrameState| state.skip != ABSENT.skip;
        let first = states.iter().position(is_visible).unwrap_or(states.len());
        let end = states.iter().rposition(is_visible).map_or(first, |last| last + 1);
        let (voice, spans, turns) = (VoiceId::MAIN, vec![WHOLE], Vec::new());
        Self { track, voice, spans, turns, first: first as u64, states: states[first..end].to_vec() }
    }

    /// The same, but it speaks `voice`, and only in `spans` of the output, in seconds. They may come in any order and
    /// touch; an end may be infinite. The effect fades at the ends of a span, unless the face comes or goes there.
    #[must_use]
    pub fn speaking(self, voice: VoiceId, spans: impl IntoIterator<Item = Range<f64>>) -> Self {
        Self { voice, spans: spans.into_iter().collect(), ..self }
    }

    /// What happens to a face in a frame where it is not.
    #[must_use]
    pub fn absent() -> FrameState {
        ABSENT
    }

    /// What could happen to the face in a source frame, if it spoke all the time.
    #[must_use]
    pub fn source_state(&self, source: FrameIndex) -> FrameState {
        let position = source.0.checked_sub(self.first);
        position.and_then(|position| self.states.get(position as usize)).copied().unwrap_or(ABSENT)
    }

    /// Whether it is its turn to speak in a frame of the plan that it belongs to, seen or not.
    pub(crate) fn speaks(&self, frame: &PlannedFrame) -> bool {
        turns::strength(&self.turns, frame.output.0) > 0.0
    }

    /// What happens to the face in a frame of the plan that it belongs to. Where it does not speak its strength is 0.
    #[must_use]
    pub fn state(&self, frame: &PlannedFrame) -> FrameState {
        let state = self.source_state(frame.source);
        FrameState { strength: state.strength.min(turns::strength(&self.turns, frame.output.0)), ..state }
    }
}

/// Two source frames that are blended, at the boundary of a loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend {
    /// The frame of the round that ends.
    pub leaving: FrameIndex,
    /// The frame of the round that begins.
    pub arriving: FrameIndex,
    /// How far the way has gone from the one to the other: above 0, below 1.
    pub share: f32,
}

/// One frame of the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedFrame {
    /// Its number in the output.
    pub output: FrameIndex,
    /// The source frame that it shows, counted from the start of the chosen range. Of a [`blend`](Self::blend) the
    /// nearer of the two: what is known of its faces holds for the blend.
    pub source: FrameIndex,
    /// The two source frames that it is made of, where one round of a loop passes over into the next.
    pub blend: Option<Blend>,
    /// When it is shown: ticks from the start of the output.
    pub pts: Pts,
    /// The same moment in seconds, which is the moment of the speech that the lips speak.
    pub speech_s: f64,
}

impl PlannedFrame {
    /// The source frame that the reading goes on with after this one.
    pub(crate) fn followed(&self) -> FrameIndex {
        self.blend.map_or(self.source, |blend| blend.arriving)
    }

    /// The same for the engine.
    pub(crate) fn mouth(&self) -> PlannedMouth {
        PlannedMouth { output: self.output, source: self.source, speech_s: self.speech_s }
    }
}

/// What happens to each frame of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    order: Order,
    lead: i64,
    loop_mode: LoopMode,
    faces: Vec<FacePlan>,
}

/// Plans a job.
///
/// The output covers the whole clip when the speech is shorter, and the whole speech when it is longer; with
/// [`LoopMode::None`] it ends with the shorter of the two, with [`LoopMode::Remap`] always with the speech. No frames
/// come of a clip without frames.
#[must_use]
pub fn plan(input: PlanInput) -> Plan {
    let lead = input.lead.0.max(0);
    let speech_s = input.speech_s - input.times.seconds(lead);
    let order = Order::new(input.times, speech_s, input.loop_mode, input.loop_shape);
    let mut plan = Plan { order, lead, loop_mode: input.loop_mode, faces: Vec::new() };
    plan.faces = input.faces.into_iter().map(|face| plan.with_turns(face)).collect();
    plan
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

    /// What is shown where clip and speech are not of one length.
    #[must_use]
    pub fn loop_facts(&self) -> LoopFacts {
        let shape = self.order.shape();
        LoopFacts {
            mode: self.loop_mode,
            shape,
            period_frames: shape.and(self.order.period()).map(|period| period as u64),
            frames_blended: self.frames().filter(|frame| frame.blend.is_some()).count() as u64,
            interpolator: None,
        }
    }

    /// When output frame `output` starts, in seconds; the end of the output for its length.
    #[must_use]
    pub fn start_s(&self, output: u64) -> f64 {
        self.order.times().seconds(self.lead + self.order.start(output as usize))
    }

    /// Output frame `output`, which must be less than [`len`](Self::len).
    #[must_use]
    pub fn frame(&self, output: u64) -> PlannedFrame {
        let ticks = self.lead + self.order.start(output as usize);
        let shown = self.order.shown(output as usize);
        PlannedFrame {
            output: FrameIndex(output),
            source: FrameIndex(shown.source as u64),
            blend: shown.blend,
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

    /// Whether any lips move in any frame.
    #[must_use]
    pub fn moves_lips(&self) -> bool {
        self.faces.iter().any(|face| self.moved(face).next().is_some())
    }

    /// The frames in which lips move, for the engine: one plan for each face that has any.
    #[must_use]
    pub fn mouths(&self) -> Vec<MouthPlan> {
        let plan = |face: &FacePlan| {
            let mouths: Vec<PlannedMouth> = self.moved(face).map(|frame| frame.mouth()).collect();
            (!mouths.is_empty()).then_some(MouthPlan { track: face.track, voice: face.voice, mouths })
        };
        self.faces.iter().filter_map(plan).collect()
    }

    /// The frames in which the lips of `face` move.
    fn moved(&self, face: &FacePlan) -> impl Iterator<Item = PlannedFrame> {
        self.frames().filter(|frame| face.state(frame).is_moved())
    }

    fn with_turns(&self, face: FacePlan) -> FacePlan {
        let is_seen = |output: u64| face.source_state(self.frame(output).source).skip != ABSENT.skip;
        let turns = turns::turns(&face.spans, self.len(), |output| self.start_s(output), is_seen);
        FacePlan { turns, ..face }
    }
}
