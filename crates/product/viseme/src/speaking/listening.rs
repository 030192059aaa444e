//! What is heard of the sound that says who speaks.

use super::HeardFrom;
use crate::ticks::Samples;
use viseme_audio::{LogMel, detect_voice};
use viseme_core::{Error, Observer, Result};
use viseme_engines::ExpectedMouth;
use viseme_engines::speaking::{CoefficientListener, SAMPLES_PER_TICK, SceneSound};
use viseme_media::AudioReader;
use viseme_models::RtenRuntime;

/// Ticks that are heard at a time: a second.
const PIECE: usize = 25 * SAMPLES_PER_TICK;

/// A sound, and whose it is.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(super) sound: SceneSound,
    pub(super) from: HeardFrom,
}

/// Hears a sound of 16 kHz from its moment `lead_s` on, at which the first frame is shown, for `length_s` seconds. Of a new
/// speech only the voice says anything: the lips that are seen do not speak it.
///
/// # Errors
/// When it cannot be decoded; `Cancelled`.
pub(crate) fn hear(
    reader: AudioReader,
    from: HeardFrom,
    (lead_s, length_s): (f64, f64),
    observer: &dyn Observer,
) -> Result<Heard> {
    let mut samples = Samples::open(reader, lead_s)?;
    let (mut log_mel, mut frames) = (LogMel::new(), Vec::new());
    let mut coefficients = CoefficientListener::default();
    let mut left = (length_s * 25.0).ceil() as usize * SAMPLES_PER_TICK;
    while left > 0 {
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        let piece = samples.take(left.min(PIECE))?;
        if piece.is_empty() {
            break;
        }
        left -= piece.len();
        log_mel.push(&piece, &mut frames);
        coefficients.hear(&piece);
    }
    log_mel.finish(&mut frames);
    let voice = detect_voice(&frames);
    let sound = match from {
        HeardFrom::Original => SceneSound {
            mouth: ExpectedMouth::of_speech(&frames, &RtenRuntime::default())?,
            voice,
            coefficients: coefficients.finish(),
        },
        HeardFrom::Speech => {
            SceneSound { mouth: ExpectedMouth::new(Vec::new(), 0.0), voice, coefficients: Vec::new() }
        }
    };
    Ok(Heard { sound, from })
}
