//! The mel spectrogram of Wav2Lip: 80 columns a second of 80 bands, the same however the samples are cut into pieces.
//!
//! Constants and steps are those of Wav2Lip's `hparams.py` and `audio.py` (`melspectrogram`), computed in `f64` as there.

use crate::filter_bank::{FilterBank, MelScale};
use crate::frames::{CentredFramer, Padding, PreEmphasis};
use crate::mel::SAMPLE_RATE_HZ;
use crate::stft::{Stft, periodic_hann};

/// Bands of a column.
pub const BANDS: usize = 80;

/// Columns per second of sound.
pub const COLUMNS_PER_SECOND: u32 = SAMPLE_RATE_HZ / HOP as u32;

const WINDOW: usize = 800;
const HOP: usize = 200;
const PRE_EMPHASIS: f64 = 0.97;
const RANGE_HZ: (f64, f64) = (55.0, 7600.0);

/// The least magnitude that counts (`min_level_db` of −100).
const FLOOR: f64 = 1e-5;

/// Taken from the level of every band (`ref_level_db`).
const REFERENCE_DB: f64 = 20.0;

/// The level range that is mapped to ±[`LIMIT`].
const RANGE_DB: f64 = 100.0;

/// The greatest absolute value of a band (`max_abs_value`).
const LIMIT: f64 = 4.0;

/// The bands of one column, low to high: levels, −4 (silence) to 4.
pub type MelColumn = [f32; BANDS];

/// Computes mel columns of samples that come in pieces of any size, in memory of one window.
///
/// Column k is centred on sample 200 k. `n` samples make `1 + n / 200` columns, none if `n` is 0. A sample that is not a number
/// makes columns that are not.
#[derive(Debug)]
pub struct Wav2LipMel {
    framer: CentredFramer<f64>,
    emphasis: PreEmphasis<f64>,
    analysis: Analysis,
}

impl Wav2LipMel {
    /// Starts a sound. The model was trained with [`Padding::Reflect`]; the two differ in the first two and the last two columns
    /// only.
    #[must_use]
    pub fn new(padding: Padding) -> Self {
        Self {
            framer: CentredFramer::new(WINDOW, HOP, padding),
            emphasis: PreEmphasis::new(PRE_EMPHASIS),
            analysis: Analysis::new(),
        }
    }

    /// Takes the next samples (mono, −1 to 1, 16 kHz) and appends the columns that they complete.
    pub fn push(&mut self, samples: &[f32], columns: &mut Vec<MelColumn>) {
        for &sample in samples {
            let emphasised = self.emphasis.filter(f64::from(sample));
            self.framer.push(emphasised, |frame| columns.push(self.analysis.column(frame)));
        }
    }

    /// Ends the sound and appends its last columns.
    pub fn finish(mut self, columns: &mut Vec<MelColumn>) {
        self.framer.finish(|frame| columns.push(self.analysis.column(frame)));
    }
}

/// What makes a column of a frame.
#[derive(Debug)]
struct Analysis {
    stft: Stft<f64>,
    bank: FilterBank<f64>,
}

impl Analysis {
    fn new() -> Self {
        Self { stft: Stft::new(periodic_hann(WINDOW), WINDOW), bank: filters() }
    }

    fn column(&mut self, frame: &[f64]) -> MelColumn {
        let magnitudes = self.stft.power(frame);
        for value in &mut *magnitudes {
            *value = value.sqrt();
        }
        let mut column = [0.0; BANDS];
        for (out, band) in column.iter_mut().zip(self.bank.apply(magnitudes)) {
            *out = level(band);
        }
        column
    }
}

/// The filters of the columns, for the 401 bins of a transform over 800 samples.
#[must_use]
pub fn filters() -> FilterBank<f64> {
    let bin_hz = f64::from(SAMPLE_RATE_HZ) / WINDOW as f64;
    FilterBank::of_equal_area(MelScale::Slaney, BANDS, RANGE_HZ, bin_hz)
}

/// The value of a band of a magnitude. What is not a number stays so: `f64::max` would hide it.
fn level(magnitude: f64) -> f32 {
    let audible = if magnitude < FLOOR { FLOOR } else { magnitude };
    let db = 20.0 * audible.log10() - REFERENCE_DB;
    (2.0 * LIMIT * (db + RANGE_DB) / RANGE_DB - LIMIT).clamp(-LIMIT, LIMIT) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stay_within_their_limits_and_what_is_no_number_stays_none() {
        assert!((level(0.0) + 4.0).abs() < 1e-6);
        assert!((level(1e9) - 4.0).abs() < 1e-6);
        assert!(level(f64::NAN).is_nan());
    }
}
