//! How far a speech would open the mouth of a speaker, for measures that compare it with a mouth that was seen.

use super::motion::SpeechNet;
use crate::voice::Rests;
use viseme_audio::MelFrame;
use viseme_audio::mel::FRAMES_PER_SECOND;
use viseme_core::Result;
use viseme_models::Runtime;

/// The opening of the mouth that the built-in speech net hears in a speech.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedMouth {
    /// 100 values per second, 1 = the speaker's amplitude.
    openings: Vec<f32>,
    voiced_s: f64,
}

impl ExpectedMouth {
    /// Hears the log-mel frames of a whole speech.
    ///
    /// # Errors
    /// When `runtime` cannot run the embedded net.
    pub fn of_speech(frames: &[MelFrame], runtime: &dyn Runtime) -> Result<Self> {
        Self::of_voice(frames, &Rests::default(), runtime)
    }

    /// The same for a voice that nobody speaks in its `rests`.
    ///
    /// # Errors
    /// When `runtime` cannot run the embedded net.
    pub fn of_voice(frames: &[MelFrame], rests: &Rests, runtime: &dyn Runtime) -> Result<Self> {
        let motion = SpeechNet::embedded(runtime)?.motion(frames, rests)?;
        let at = |frame: usize| motion.opening(frame as f64 / FRAMES_PER_SECOND);
        Ok(Self { openings: (0..frames.len()).map(at).collect(), voiced_s: motion.voiced_s() })
    }

    /// A mouth that opens as `openings` says, 100 values per second, of which `voiced_s` seconds are voice.
    #[must_use]
    pub fn new(openings: Vec<f32>, voiced_s: f64) -> Self {
        Self { openings, voiced_s }
    }

    /// The opening at a moment of the speech, 1 = the speaker's amplitude; `None` before its start and after its end.
    #[must_use]
    pub fn opening(&self, seconds: f64) -> Option<f32> {
        let position = seconds * FRAMES_PER_SECOND;
        let index = position as usize;
        let value = |i: usize| self.openings.get(i).copied();
        let (here, next) = (value(index)?, value(index + 1).or(value(index))?);
        (position >= 0.0).then_some(here + (next - here) * (position - index as f64) as f32)
    }

    /// Seconds of voice.
    #[must_use]
    pub fn voiced_s(&self) -> f64 {
        self.voiced_s
    }
}
