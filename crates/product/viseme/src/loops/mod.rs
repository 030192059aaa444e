//! What is shown when clip and speech are not of one length: the modes, the shape of a loop, and what is said about it.

mod blend;
pub(crate) mod blender;
pub(crate) mod faces;
pub(crate) mod interpolators;
pub(crate) mod search;

use serde::{Deserialize, Serialize};

/// Frames that are blended at each boundary of [`LoopMode::Crossfade`] and [`LoopMode::Smart`] unless the job says
/// otherwise.
pub const DEFAULT_CROSSFADE_FRAMES: u8 = 10;
/// The most frames that may be blended at a boundary.
pub const MAX_CROSSFADE_FRAMES: u8 = 30;

/// What is shown when the speech is longer than the video. A longer video goes on to its end, lips closed after the
/// speech, in all modes but [`None`](Self::None) and [`Remap`](Self::Remap).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopMode {
    /// Nothing: the output ends with the shorter of the two. Also `cut_off`.
    #[serde(alias = "cut_off")]
    None,
    /// The video from its start. Also `loop`.
    #[default]
    #[serde(alias = "loop")]
    Repeat,
    /// The video backwards, then forwards again; the frames at the turns are shown once. Also `bounce`.
    #[serde(alias = "bounce")]
    Pingpong,
    /// The video from its start, its last frames blended into its first ones.
    Crossfade,
    /// From the place near the end that is most like one near the start, blended as in a crossfade.
    Smart,
    /// The last frame, while the lips go on speaking. Also `silence`.
    #[serde(alias = "silence")]
    Hold,
    /// The video is slowed down, or sped up, to the length of the speech; its frame rate is kept.
    Remap,
}

impl LoopMode {
    /// Whether frames of two rounds are blended into each other.
    #[must_use]
    pub fn is_blended(self) -> bool {
        matches!(self, Self::Crossfade | Self::Smart)
    }
}

/// The part of a clip that is looped.
///
/// The frames before `end` are shown once; from then on each round begins with `first`. The last `blended` frames
/// before `end` are not shown by themselves but blended into the first ones of the next round, so that a round has
/// `end - first - blended` frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LoopShape {
    /// The source frame that a round begins with.
    pub first: u64,
    /// The source frame after the last one of a round.
    pub end: u64,
    /// Frames that are blended at each boundary.
    pub blended: u64,
}

impl LoopShape {
    /// All frames of a clip, nothing blended.
    #[must_use]
    pub fn whole(frames: u64) -> Self {
        Self { first: 0, end: frames, blended: 0 }
    }

    /// The same for a clip of `frames` frames: within it, and with no frame in two blends at a time.
    #[must_use]
    pub fn within(self, frames: u64) -> Self {
        let end = self.end.min(frames);
        let first = self.first.min(end.saturating_sub(1));
        Self { first, end, blended: self.blended.min((end - first) / 2) }
    }

    /// Frames of a round.
    #[must_use]
    pub fn period(self) -> u64 {
        self.end.saturating_sub(self.first).saturating_sub(self.blended)
    }
}

/// What was shown where clip and speech were not of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LoopFacts {
    /// The mode.
    pub mode: LoopMode,
    /// The part of the clip that was looped, and how it was blended. None when no round began anew.
    pub shape: Option<LoopShape>,
    /// Output frames from one round to the next. None when no round began anew.
    pub period_frames: Option<u64>,
    /// Output frames that are blends of two source frames.
    pub frames_blended: u64,
    /// What made them: `native` is our own flow. None where there are none.
    pub interpolator: Option<&'static str>,
}

#[cfg(test)]
mod boundary_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn modes_have_the_names_of_the_services_too() {
        for (name, mode) in [
            ("none", LoopMode::None),
            ("cut_off", LoopMode::None),
            ("repeat", LoopMode::Repeat),
            ("loop", LoopMode::Repeat),
            ("pingpong", LoopMode::Pingpong),
            ("bounce", LoopMode::Pingpong),
            ("crossfade", LoopMode::Crossfade),
            ("smart", LoopMode::Smart),
            ("hold", LoopMode::Hold),
            ("silence", LoopMode::Hold),
            ("remap", LoopMode::Remap),
        ] {
            assert_eq!(serde_json::from_str::<LoopMode>(&format!("\"{name}\"")).unwrap(), mode);
        }
    }

    proptest! {
        #[test]
        fn any_shape_fits_any_clip(first in 0u64..50, end in 0u64..50, blended in 0u64..50, frames in 1u64..40) {
            let shape = LoopShape { first, end: end.max(1), blended }.within(frames);
            prop_assert!(shape.first < shape.end && shape.end <= frames);
            prop_assert!(shape.period() >= 1 && shape.period() >= shape.blended);
        }
    }
}
