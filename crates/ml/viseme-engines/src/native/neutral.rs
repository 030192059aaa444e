//! What a face looks like when its mouth rests, and how far it opens when it speaks.

use super::shape::{MouthShape, STILL, inner_gap, moved, with_lips_apart, with_lips_closed};
use super::space::ShapeSpace;
use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

/// Openings are counted in steps of this many canonical units …
const BIN_WIDTH: f32 = 0.004;
/// … up to 0.6, wider than any mouth opens in speech; the last bin takes the rest.
const BIN_COUNT: usize = 150;

/// A mouth counts as closed below this share of its own frames …
const CLOSED_SHARE: f32 = 0.12;
/// … or below the smaller of this opening and this share of its 95th percentile.
const CLOSED_OPENING: f32 = 0.02;
const CLOSED_OF_PEAK: f32 = 0.15;

/// A resting mouth whose lips are further apart than this is closed along the opening direction.
pub(super) const RESTING_GAP: f32 = 0.008;

/// The speaker's p95 opening is taken as this share of the source's, within limits: a laughing source would over-act,
/// one that hardly speaks would mumble.
const AMPLITUDE_SHARE: f32 = 0.9;
const AMPLITUDE_RANGE: (f32, f32) = (0.13, 0.25);
/// The p95 opening given to a face that was never seen speaking.
const UNSEEN_AMPLITUDE: f32 = 0.20;
/// A source speaks if its 95th percentile is above this and so far above the 10th: a fixed smile does not.
const SPEAKING_OPENING: f32 = 0.10;
const SPEAKING_RANGE: f32 = 0.05;

/// Counts the openings of a track and averages the shapes at each, so that any share of them can be asked for later
/// without keeping a frame.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OpeningStatistics {
    bins: Vec<Bin>,
    total: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bin {
    count: u64,
    #[serde(with = "BigArray")]
    sum: MouthShape,
}

/// The resting mouth of a face.
#[derive(Debug, Clone)]
pub(super) struct NeutralMouth {
    /// The mouth at rest, lips together.
    pub(super) shape: MouthShape,
    /// The opening, in canonical units, that the speech net's opening of 1 stands for.
    pub(super) amplitude: f32,
    /// Whether the source shows the mouth speaking, so that its own frames can supply the inside of the mouth.
    pub(super) speaks: bool,
}

impl OpeningStatistics {
    pub(super) fn new() -> Self {
        Self { bins: vec![Bin { count: 0, sum: STILL }; BIN_COUNT], total: 0 }
    }

    /// Counts a frame.
    pub(super) fn add(&mut self, shape: &MouthShape, opening: f32) {
        let bin = &mut self.bins[((opening / BIN_WIDTH) as usize).min(BIN_COUNT - 1)];
        bin.sum = moved(&bin.sum, shape, 1.0);
        bin.count += 1;
        self.total += 1;
    }

    /// The opening below which `share` (0 to 1) of the frames lie, to the width of a bin.
    pub(super) fn percentile(&self, share: f32) -> f32 {
        let wanted = (share * self.total as f32).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = self.bins.iter().position(|bin| {
            seen += bin.count;
            seen >= wanted
        });
        (reached.unwrap_or(0) as f32 + 0.5) * BIN_WIDTH
    }

    /// The resting mouth; none when no frame was counted.
    pub(super) fn neutral(&self, space: &ShapeSpace) -> Option<NeutralMouth> {
        let peak = self.percentile(0.95);
        let limit = self.percentile(CLOSED_SHARE).max(CLOSED_OPENING.min(CLOSED_OF_PEAK * peak));
        let last = (limit / BIN_WIDTH) as usize;
        let (sum, count) = self
            .bins
            .iter()
            .take(last + 1)
            .fold((STILL, 0), |(sum, count), bin| (moved(&sum, &bin.sum, 1.0), count + bin.count));
        (count > 0).then(|| {
            let speaks = peak >= SPEAKING_OPENING && peak - self.percentile(0.10) >= SPEAKING_RANGE;
            let amplitude = (AMPLITUDE_SHARE * peak).clamp(AMPLITUDE_RANGE.0, AMPLITUDE_RANGE.1);
            NeutralMouth {
                shape: closed(&moved(&STILL, &sum, 1.0 / count as f32), space),
                amplitude: if speaks { amplitude } else { UNSEEN_AMPLITUDE },
                speaks,
            }
        })
    }
}

/// Closes a mouth that rests open (its source never shut it): the jaw along the way that mouths open, then the lips.
pub(super) fn closed(shape: &MouthShape, space: &ShapeSpace) -> MouthShape {
    let excess = (inner_gap(shape) - RESTING_GAP).max(0.0);
    let direction = space.opening_direction();
    let nearly = moved(shape, direction, -excess / inner_gap(direction));
    with_lips_apart(with_lips_closed(nearly, RESTING_GAP))
}

#[cfg(test)]
mod tests {
    use super::super::shape::{mouth_of, opening};
    use super::*;
    use crate::testing::face;

    fn neutral(openings: impl Iterator<Item = f32>) -> NeutralMouth {
        let mut statistics = OpeningStatistics::new();
        for lowered in openings {
            let shape = mouth_of(&face(100.0, 100.0, 50.0, lowered));
            statistics.add(&shape, opening(&shape));
        }
        statistics.neutral(&ShapeSpace::embedded().unwrap()).unwrap()
    }

    #[test]
    fn a_speaker_rests_with_the_lips_together() {
        let neutral = neutral((0..100).map(|i| 0.0025 * i as f32));
        assert!(neutral.speaks);
        assert!(opening(&neutral.shape) < 0.03);
        assert!(AMPLITUDE_RANGE.0 <= neutral.amplitude && neutral.amplitude <= AMPLITUDE_RANGE.1);
    }

    #[test]
    fn a_mouth_that_never_closes_is_closed() {
        let neutral = neutral((0..100).map(|i| 0.1 + 0.002 * i as f32));
        assert!(neutral.speaks);
        assert!(inner_gap(&neutral.shape) <= RESTING_GAP + 1e-4);
    }

    #[test]
    fn a_fixed_smile_and_a_shut_mouth_do_not_speak() {
        assert!(!neutral(std::iter::repeat_n(0.1, 50)).speaks);
        assert!(!neutral(std::iter::repeat_n(0.0, 50)).speaks);
        assert!(OpeningStatistics::new().neutral(&ShapeSpace::embedded().unwrap()).is_none());
    }

    #[test]
    fn percentiles_are_those_of_the_frames() {
        let mut statistics = OpeningStatistics::new();
        (0..100).for_each(|i| statistics.add(&STILL, 0.005 * i as f32));
        assert!((statistics.percentile(0.5) - 0.25).abs() < 0.01);
        assert!((statistics.percentile(0.95) - 0.475).abs() < 0.01);
    }
}
