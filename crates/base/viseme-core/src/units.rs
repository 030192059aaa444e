//! Frame numbers and times as types, so that a frame index is never mistaken for a second or a tick.

use serde::{Deserialize, Serialize};

/// The position of a frame in a stream, counted from 0 in presentation order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameIndex(pub u64);

/// A presentation time in ticks of a [`Timebase`]. May be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pts(pub i64);

/// The length of one tick: `numerator / denominator` seconds, both above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Timebase {
    numerator: u32,
    denominator: u32,
}

impl Timebase {
    /// One microsecond, the time base of ffmpeg's own clock (`AV_TIME_BASE`).
    pub const MICROSECOND: Self = Self { numerator: 1, denominator: 1_000_000 };

    /// A tick of `numerator / denominator` seconds; `None` if either is zero.
    #[must_use]
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        (numerator > 0 && denominator > 0).then_some(Self { numerator, denominator })
    }

    /// Ticks per `numerator` seconds.
    #[must_use]
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// Seconds per `denominator` ticks.
    #[must_use]
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// The time of `pts` in seconds.
    #[must_use]
    pub fn seconds(self, pts: Pts) -> f64 {
        pts.0 as f64 * f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// The tick nearest to a time in seconds.
    #[must_use]
    pub fn nearest(self, seconds: f64) -> Pts {
        Pts((seconds * f64::from(self.denominator) / f64::from(self.numerator)).round() as i64)
    }

    /// `pts` of this time base in nanoseconds, rounded to nearest.
    #[must_use]
    pub fn nanoseconds(self, pts: Pts) -> i64 {
        let ticks = i128::from(pts.0) * i128::from(self.numerator) * 1_000_000_000;
        let denominator = i128::from(self.denominator);
        (ticks + denominator / 2).div_euclid(denominator) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntsc_ticks_survive_the_way_through_nanoseconds() {
        let ntsc = Timebase::new(1001, 30000).unwrap();
        for tick in [-3, 0, 1, 29, 1_000_000] {
            let seconds = ntsc.nanoseconds(Pts(tick)) as f64 / 1e9;
            assert_eq!(ntsc.nearest(seconds), Pts(tick));
        }
    }
}
