//! Which source frame each output frame shows, and when: a formula, so that a long output costs no memory.

use crate::spec::LoopMode;
use crate::times::FrameTimes;

/// Two moments closer than this are one: a microsecond, far below any frame.
const TOLERANCE_S: f64 = 1e-6;

/// The endless sequence of source frames that a loop mode gives, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    times: FrameTimes,
    is_pingpong: bool,
    /// Output frames.
    count: usize,
}

impl Order {
    /// Covers the clip and the speech: the longer of the two, or the shorter for [`LoopMode::None`]. The last frame
    /// is the last one that starts before that moment; there is always one frame unless the clip has none.
    pub(crate) fn new(times: FrameTimes, speech_s: f64, mode: LoopMode) -> Self {
        let clip_s = times.seconds(times.end());
        let wanted_s = if mode == LoopMode::None { clip_s.min(speech_s) } else { clip_s.max(speech_s) };
        let mut order = Self { times, is_pingpong: mode == LoopMode::Pingpong, count: 0 };
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

    /// Frames until the sequence repeats.
    pub(crate) fn period(&self) -> usize {
        let frames = self.times.len();
        if self.is_pingpong && frames > 2 { 2 * frames - 2 } else { frames }
    }

    /// Ticks until the sequence repeats.
    fn period_ticks(&self) -> i64 {
        let frames = self.times.len();
        let forward = self.times.end();
        if self.is_pingpong && frames > 2 {
            forward + self.times.start(frames - 1) - self.times.start(1)
        } else {
            forward
        }
    }

    /// The source frame that output frame `output` shows.
    pub(crate) fn source(&self, output: usize) -> usize {
        let step = output % self.period();
        if step < self.times.len() { step } else { self.period() - step }
    }

    /// When output frame `output` is shown, in ticks from the start of the output. Each frame is shown as long as
    /// it is in the source.
    pub(crate) fn start(&self, output: usize) -> i64 {
        let rounds = (output / self.period()) as i64;
        let step = output % self.period();
        let within = if step < self.times.len() {
            self.times.start(step)
        } else {
            // On the way back, all frames between this one and the last have been shown a second time.
            self.times.end() + self.times.start(self.times.len() - 1)
                - self.times.start(self.source(step) + 1)
        };
        rounds * self.period_ticks() + within
    }

    /// How many frames of the sequence start before `seconds`.
    fn frames_before(&self, seconds: f64) -> usize {
        let period_s = self.times.seconds(self.period_ticks());
        let is_before = |output: usize| self.times.seconds(self.start(output)) < seconds - TOLERANCE_S;
        // Starts rise strictly, so the first frame that is too late is found by halving.
        let (mut low, mut high) =
            (0, ((seconds / period_s).max(0.0) as usize + 1).saturating_mul(self.period()));
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
