//! Makes the times of frames rise strictly, changing no more of them than it must.

use crate::VideoInfo;
use viseme_core::Pts;

/// What the reader gives for a frame without a time; never a real one.
pub(super) const MISSING: Pts = Pts(i64::MIN);

/// Shifts times to our clock and repairs the ones that are missing or do not rise.
#[derive(Debug)]
pub(super) struct Timestamps {
    origin: i64,
    step: i64,
    previous: Option<i64>,
}

impl Timestamps {
    pub(super) fn new(info: &VideoInfo) -> Self {
        Self { origin: info.origin.0, step: info.average_frame_ticks(), previous: None }
    }

    /// The time of the next frame. A missing one is an average frame after the last; one that does not rise comes one
    /// tick after the last, so that the frames that follow keep theirs.
    pub(super) fn repaired(&mut self, raw: Pts) -> Pts {
        let pts = match (raw, self.previous) {
            (MISSING, None) => 0,
            (MISSING, Some(previous)) => previous + self.step,
            (raw, None) => (raw.0 - self.origin).max(0),
            (raw, Some(previous)) => (raw.0 - self.origin).max(previous + 1),
        };
        self.previous = Some(pts);
        Pts(pts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faulty_times_change() {
        let mut times = Timestamps { origin: 100, step: 40, previous: None };
        let raw = [Pts(100), Pts(140), Pts(140), Pts(180), MISSING, Pts(260), Pts(120)];
        let repaired: Vec<i64> = raw.into_iter().map(|pts| times.repaired(pts).0).collect();
        assert_eq!(repaired, [0, 40, 41, 80, 120, 160, 161]);
    }
}
