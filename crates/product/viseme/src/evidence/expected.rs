//! What a voice asks of a mouth, heard for the report whatever the engine hears.

use crate::voices::{Ear, Said, Voice};
use viseme_audio::LogMel;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::Result;
use viseme_engines::{ExpectedMouth, Rests, silence};
use viseme_models::RtenRuntime;

/// Samples per second that an ear for [`expected_mouth`] has.
pub(crate) const EXPECTED_RATE_HZ: u32 = SAMPLE_RATE_HZ;

/// Hears a voice with the built-in speech net.
///
/// # Errors
/// When it cannot be decoded; `Cancelled`.
pub(crate) fn expected_mouth(ear: &Ear<'_>, voice: &Voice<'_>) -> Result<ExpectedMouth> {
    let (mut log_mel, mut frames) = (LogMel::new(), Vec::new());
    let (mut heard, mut rests) = (0, Rests::default());
    ear.hear(voice, &mut |said| {
        match said {
            Said::Nothing(samples) => {
                rests.add(heard..heard + samples);
                heard += samples;
                silence(samples, |part| log_mel.push(part, &mut frames));
            }
            Said::Samples(samples) => {
                heard += samples.len() as u64;
                log_mel.push(samples, &mut frames);
            }
        }
        Ok(())
    })?;
    log_mel.finish(&mut frames);
    ExpectedMouth::of_voice(&frames, &rests, &RtenRuntime::default())
}
