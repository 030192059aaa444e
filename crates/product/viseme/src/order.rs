//! Which source frame each output frame shows, and when: a formula, so that a long output costs no memory.

use crate::loops::{LoopMode, LoopShape};
use crate::plan::Blend;
use crate::times::FrameTimes;
use viseme_core::FrameIndex;

/// Two moments closer than this are one: a microsecond, far below any frame.
const TOLERANCE_S: f64 = 1e-6;

/// The endless sequence of source frames that a loop mode gives, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    times: FrameTimes,
    sequence: Sequence,
    /// Output frames.
    count: usize,
}

/// How source frames follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sequence {
    /// Up to the end of the loop, then in rounds.
    Rounds { first: usize, end: usize, blended: usize },
    /// Forwards and backwards in turn.
    Pingpong,
    /// Forwards once, then the last frame.
    Held,
    /// Forwards once, at the speed at which all output frames are filled.
    Remapped,
}

/// What an output frame shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shown {
    /// The source frame; of two that are blended the nearer one.
    pub(crate) source: usize,
    pub(crate) blend: Option<Blend>,
}

impl Order {
    /// Covers the clip and the speech: the longer of the two, or the shorter for [`LoopMode::None`], or the speech for
    /// [`LoopMode::Remap`]. The last frame is the last one that starts before that moment; there is always one frame
    /// unless the clip has none. `shape` is the part of the clip that is looped in the modes that blend.
    pub(crate) fn new(times: FrameTimes, speech_s: f64, mode: LoopMode, shape: LoopShape) -> Self {
        let clip_s = times.seconds(times.end());
        let wanted_s = match mode {
            LoopMode::None => clip_s.min(speech_s),
            LoopMode::Remap => speech_s,
            _ => clip_s.max(speech_s),
        };
        let frames = times.len() as u64;
        let is_looped = speech_s > clip_s + TOLERANCE_S;
        let shape = if mode.is_blended() && is_looped { shape } else { LoopShape::whole(frames) };
        let mut order = Self { sequence: Sequence::of(mode, shape.within(frames)), times, count: 0 };
        if !order.times.is_empty() {
            order.count = order.frames_before(wanted_s).max(1);
        }
        order
    }

    /// Times of the source frames.
    pub(crate) fn times(&self) -> &FrameTimes {
        &self.times
    }

    /// Number of output frames.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The loop, when a round begins anew.
    pub(crate) fn shape(&self) -> Option<LoopShape> {
        let frames = self.times.len();
        let shape = match self.sequence {
            Sequence::Rounds { first, end, blended } => {
                LoopShape { first: first as u64, end: end as u64, blended: blended as u64 }
            }
            Sequence::Pingpong => LoopShape::whole(frames as u64),
            Sequence::Held | Sequence::Remapped => return None,
        };
        (self.count > frames).then_some(shape)
    }

    /// Frames until the sequence repeats, where it does.
    pub(crate) fn period(&self) -> Option<usize> {
        match self.sequence {
            Sequence::Rounds { first, end, blended } => Some(end - first - blended),
            Sequence::Pingpong => Some(self.pingpong_period()),
            Sequence::Held | Sequence::Remapped => None,
        }
    }

    /// What output frame `output` shows. The clip must have frames.
    pub(crate) fn shown(&self, output: usize) -> Shown {
        let last = self.times.len() - 1;
        let source = match self.sequence {
            Sequence::Rounds { first, end, blended } => return in_rounds(output, first, end, blended),
            Sequence::Pingpong => self.pingpong_source(output),
            Sequence::Held => output.min(last),
            Sequence::Remapped => {
                // Where the middle of the output frame lies in the clip.
                let middle = (2 * output as i128 + 1) * i128::from(self.times.end());
                self.times.frame_at((middle / (2 * self.count.max(1) as i128)) as i64)
            }
        };
        Shown { source, blend: None }
    }

    /// When output frame `output` is shown, in ticks from the start of the output. Each frame is shown as long as
    /// it is in the source, a blended one as long as the one that it leads to; where frames are held or remapped, all
    /// as long as those of the source are on average.
    pub(crate) fn start(&self, output: usize) -> i64 {
        let times = &self.times;
        match self.sequence {
            Sequence::Rounds { first, end, blended } => {
                let Some(after) = output.checked_sub(end - blended) else { return times.start(output) };
                let period = end - first - blended;
                let round = times.start(end - blended) - times.start(first);
                times.start(end - blended)
                    + (after / period) as i64 * round
                    + times.start(first + after % period)
                    - times.start(first)
            }
            Sequence::Pingpong => self.pingpong_start(output),
            Sequence::Held if output < times.len() => times.start(output),
            Sequence::Held => times.end() + times.mean_ticks(output - times.len()),
            Sequence::Remapped => times.mean_ticks(output),
        }
    }

    fn pingpong_period(&self) -> usize {
        let frames = self.times.len();
        if frames > 2 { 2 * frames - 2 } else { frames }
    }

    fn pingpong_source(&self, output: usize) -> usize {
        let period = self.pingpong_period();
        let step = output % period;
        if step < self.times.len() { step } else { period - step }
    }

    fn pingpong_start(&self, output: usize) -> i64 {
        let (times, frames) = (&self.times, self.times.len());
        let back = if frames > 2 { times.start(frames - 1) - times.start(1) } else { 0 };
        let rounds = (output / self.pingpong_period()) as i64;
        let step = output % self.pingpong_period();
        let within = if step < frames {
            times.start(step)
        } else {
            // On the way back, all frames between this one and the last have been shown a second time.
            times.end() + times.start(frames - 1) - times.start(self.pingpong_source(step) + 1)
        };
        rounds * (times.end() + back) + within
    }

    /// How many frames of the sequence start before `seconds`.
    fn frames_before(&self, seconds: f64) -> usize {
        let is_before = |output: usize| self.times.seconds(self.start(output)) < seconds - TOLERANCE_S;
        // Starts rise strictly, so the first frame that is too late is found by halving.
        let (mut low, mut high) = (0, 1);
        while is_before(high) {
            high *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

impl Sequence {
    fn of(mode: LoopMode, shape: LoopShape) -> Self {
        match mode {
            LoopMode::Pingpong => Self::Pingpong,
            LoopMode::Hold => Self::Held,
            LoopMode::Remap => Self::Remapped,
            LoopMode::None | LoopMode::Repeat | LoopMode::Crossfade | LoopMode::Smart => Self::Rounds {
                first: shape.first as usize,
                end: shape.end as usize,
                blended: shape.blended as usize,
            },
        }
    }
}

/// What an output frame shows that goes in rounds.
fn in_rounds(output: usize, first: usize, end: usize, blended: usize) -> Shown {
    let Some(after) = output.checked_sub(end - blended) else { return Shown { source: output, blend: None } };
    let step = after % (end - first - blended);
    let arriving = first + step;
    if step >= blended {
        return Shown { source: arriving, blend: None };
    }
    let leaving = end - blended + step;
    let share = (step + 1) as f32 / (blended + 1) as f32;
    let blend = Blend { leaving: FrameIndex(leaving as u64), arriving: FrameIndex(arriving as u64), share };
    Shown { source: if share < 0.5 { leaving } else { arriving }, blend: Some(blend) }
}
