//! The log-mel spectrogram of Whisper, which MuseTalk hears speech by: 30 seconds, 80 bands, 100 frames a second.
//!
//! Constants and steps are those of `WhisperFeatureExtractor` of the library transformers with the settings of `openai/whisper-tiny`.

use crate::filter_bank::{FilterBank, MelScale};
use crate::frames::{CentredFramer, Padding};
use crate::mel::SAMPLE_RATE_HZ;
use crate::stft::{Stft, periodic_hann};
use viseme_core::{Error, Result};

/// Bands of a frame.
pub const BANDS: usize = 80;

/// Frames of a segment.
pub const FRAMES: usize = SEGMENT_SAMPLES / HOP;

/// Samples of a segment: 30 s.
pub const SEGMENT_SAMPLES: usize = 30 * SAMPLE_RATE_HZ as usize;

const WINDOW: usize = 400;
const HOP: usize = 160;

/// The least power that counts.
const FLOOR: f64 = 1e-10;

/// How far below the loudest band of the segment the quietest may be, in powers of ten.
const DYNAMIC_RANGE: f64 = 8.0;

/// The spectrogram of a segment: 80 × 3000 values, row-major, bands low to high; about −1.5 to 1.5.
///
/// `samples` are mono at 16 kHz, −1 to 1, at most 30 s; after them the segment is silent. Longer speech is cut into segments of 30 s,
/// each on its own.
///
/// # Errors
/// When there are more samples than a segment holds, or one is not a number.
pub fn log_mel(samples: &[f32]) -> Result<Vec<f32>> {
    if samples.len() > SEGMENT_SAMPLES {
        return Err(Error::internal(format!("a whisper segment of {} samples", samples.len())));
    }
    if !samples.iter().all(|sample| sample.is_finite()) {
        return Err(Error::invalid_input("the speech has samples that are not numbers")
            .with_hint("Convert it to 16-bit WAV."));
    }
    let (mut stft, bank) = (Stft::new(periodic_hann(WINDOW), WINDOW), filters());
    let mut framer = CentredFramer::new(WINDOW, HOP, Padding::Reflect);
    let mut levels = vec![0.0_f64; BANDS * FRAMES];
    let mut frame_index = 0;
    let mut each = |frame: &[f64]| {
        // The last of the 3001 frames is dropped.
        if frame_index < FRAMES {
            for (band, power) in bank.apply(stft.power(frame)).enumerate() {
                levels[band * FRAMES + frame_index] = power.max(FLOOR).log10();
            }
        }
        frame_index += 1;
    };
    let silence = std::iter::repeat_n(0.0, SEGMENT_SAMPLES - samples.len());
    for sample in samples.iter().map(|&sample| f64::from(sample)).chain(silence) {
        framer.push(sample, &mut each);
    }
    framer.finish(&mut each);
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(levels.iter().map(|level| ((level.max(loudest - DYNAMIC_RANGE) + 4.0) / 4.0) as f32).collect())
}

/// The filters of the frames, for the 201 bins of a transform over 400 samples.
#[must_use]
pub fn filters() -> FilterBank<f64> {
    let rate_hz = f64::from(SAMPLE_RATE_HZ);
    FilterBank::of_equal_area(MelScale::Slaney, BANDS, (0.0, rate_hz / 2.0), rate_hz / WINDOW as f64)
}
