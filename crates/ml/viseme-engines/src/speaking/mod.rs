//! Who speaks: to which of the faces of a scene the voice belongs.
//!
//! A [`SpeakerSense`] looks and listens 25 times a second and says of each face, at each of these ticks, how likely it is
//! the one that is heard: [`NativeSense`] from the landmarks alone, [`LrAsd`] with a net that users can install. [`turns`]
//! makes of it who speaks from when to when.

mod agreement;
mod lr_asd;
mod native;
pub mod turns;

pub use lr_asd::LrAsd;
pub use native::NativeSense;

use crate::ExpectedMouth;
use std::fmt::Debug;
use viseme_audio::{Mfcc, MfccFrame};
use viseme_core::Result;
use viseme_core::geometry::Rect;
use viseme_imaging::{ColourInfo, Frame};

/// How often a second faces and sound are compared: what the net was trained at.
pub const TICKS_PER_SECOND: u32 = 25;

/// Samples of 16 kHz in a tick.
pub const SAMPLES_PER_TICK: usize = 640;

/// Tells who speaks.
pub trait SpeakerSense: Debug + Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// How likely each face is the one that is heard: for each of the scene's faces a value for each tick in which it is
    /// seen. Above 0 it rather speaks, below 0 it rather does not; all are finite. `pictures` need not be looked at.
    ///
    /// # Errors
    /// Whatever `pictures` meets; when a net fails.
    fn sense(&self, scene: &Scene<'_>, pictures: &mut dyn TickPictures) -> Result<Vec<Vec<f32>>>;
}

/// The pictures of a scene, one for each tick from its first on.
pub trait TickPictures {
    /// The picture of the next tick and what its samples mean; `None` after the last.
    ///
    /// # Errors
    /// When it cannot be decoded; `Cancelled`.
    fn next_tick(&mut self) -> Result<Option<(&Frame, &ColourInfo)>>;
}

/// Faces and the sound that one of them may make.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The faces.
    pub faces: &'a [SceneFace],
    /// The sound, which starts with the first tick.
    pub sound: &'a SceneSound,
}

/// A face in a scene: one that is followed without a break.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneFace {
    /// The first tick in which it is seen.
    pub first: usize,
    /// What is seen of it in that tick and those after it.
    pub seen: Vec<SeenFace>,
}

/// A face at one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenFace {
    /// Height of the lip gap in canonical units.
    pub opening: f32,
    /// The box around all landmarks, in pixels.
    pub bbox: Rect,
}

impl SceneFace {
    /// The tick after its last.
    #[must_use]
    pub fn end(&self) -> usize {
        self.first + self.seen.len()
    }

    /// What is seen of it at a tick.
    #[must_use]
    pub fn at(&self, tick: usize) -> Option<&SeenFace> {
        self.seen.get(tick.checked_sub(self.first)?)
    }
}

/// What is heard in a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneSound {
    /// The mouth that it asks for.
    pub mouth: ExpectedMouth,
    /// Whether there is voice, 100 values a second.
    pub voice: Vec<bool>,
    /// Its coefficients, 100 frames a second.
    pub coefficients: Vec<MfccFrame>,
}

impl SceneSound {
    /// Whether there is voice in any part of a tick.
    #[must_use]
    pub fn has_voice(&self, tick: usize) -> bool {
        let per_tick = 100 / TICKS_PER_SECOND as usize;
        let part = self.voice.iter().skip(tick * per_tick).take(per_tick);
        part.copied().any(|voice| voice)
    }
}

/// Collects the coefficients of a sound as the net was trained with them: of samples of 16 bits.
#[derive(Debug, Default)]
pub struct CoefficientListener {
    mfcc: Mfcc,
    frames: Vec<MfccFrame>,
}

impl CoefficientListener {
    /// Hears the next samples: mono, −1 to 1, 16 kHz.
    pub fn hear(&mut self, samples: &[f32]) {
        let quantised: Vec<f32> =
            samples.iter().map(|v| (v * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0).collect();
        self.mfcc.push(&quantised, &mut self.frames);
    }

    /// Ends the sound.
    #[must_use]
    pub fn finish(mut self) -> Vec<MfccFrame> {
        self.mfcc.finish(&mut self.frames);
        self.frames
    }
}

#[cfg(test)]
mod tests;
