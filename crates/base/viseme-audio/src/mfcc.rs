//! Mel-frequency cepstral coefficients, 100 frames a second: what SyncNet hears speech by.
//!
//! Constants and steps are the defaults of `python_speech_features.mfcc` at 16 kHz.

use crate::filter_bank::FilterBank;
use crate::frames::{Framer, PreEmphasis};
use crate::mel::SAMPLE_RATE_HZ;
use crate::stft::Stft;
use std::f64::consts::PI;

/// Coefficients of a frame.
pub const COEFFICIENTS: usize = 13;

const BANDS: usize = 26;
const WINDOW: usize = 400;
const HOP: usize = 160;
const FFT: usize = 512;
const PRE_EMPHASIS: f64 = 0.97;

/// The strength of the lifter, which raises the higher coefficients.
const LIFTER: f64 = 22.0;

/// Samples are scaled to those of 16 bits, as which the reference reads them: the first coefficient is their log energy.
const FULL_SCALE: f64 = 32_768.0;

/// The coefficients of one frame: the logarithm of its energy, then cepstral coefficients 1 to 12.
pub type MfccFrame = [f64; COEFFICIENTS];

/// Computes coefficients of samples that come in pieces of any size, in memory of one window.
///
/// Frame k starts at sample 160 k and holds 400 samples; the last one is filled up with silence.
#[derive(Debug)]
pub struct Mfcc {
    framer: Framer<f64>,
    emphasis: PreEmphasis<f64>,
    analysis: Analysis,
    frames: usize,
}

impl Default for Mfcc {
    fn default() -> Self {
        Self::new()
    }
}

impl Mfcc {
    /// Starts a sound.
    #[must_use]
    pub fn new() -> Self {
        Self {
            framer: Framer::new(WINDOW, HOP),
            emphasis: PreEmphasis::new(PRE_EMPHASIS),
            analysis: Analysis::new(),
            frames: 0,
        }
    }

    /// Takes the next samples (mono, −1 to 1, 16 kHz) and appends the frames that they complete.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<MfccFrame>) {
        for &sample in samples {
            let emphasised = self.emphasis.filter(f64::from(sample) * FULL_SCALE);
            self.append(emphasised, frames);
        }
    }

    /// Ends the sound and appends its last frame.
    pub fn finish(mut self, frames: &mut Vec<MfccFrame>) {
        // What the last frame shares with the one before it does not make another.
        let seen = if self.frames == 0 { 0 } else { WINDOW - HOP };
        let pending = self.framer.pending().len();
        if pending > seen {
            (pending..WINDOW).for_each(|_| self.append(0.0, frames));
        }
    }

    fn append(&mut self, emphasised: f64, frames: &mut Vec<MfccFrame>) {
        self.framer.push(emphasised, |frame| {
            frames.push(self.analysis.frame(frame));
            self.frames += 1;
        });
    }
}

/// What makes coefficients of a frame.
#[derive(Debug)]
struct Analysis {
    stft: Stft<f64>,
    bank: FilterBank<f64>,
    /// The discrete cosine transform (type 2, orthonormal) and the lifter: a row of 26 weights for each coefficient.
    cosines: Vec<[f64; BANDS]>,
}

impl Analysis {
    fn new() -> Self {
        let row = |k: usize| {
            let norm = if k == 0 { 1.0 } else { 2.0 } / BANDS as f64;
            let lift = 1.0 + LIFTER / 2.0 * (PI * k as f64 / LIFTER).sin();
            let cosine = |band: usize| (PI * k as f64 * (band as f64 + 0.5) / BANDS as f64).cos();
            std::array::from_fn(|band| norm.sqrt() * lift * cosine(band))
        };
        Self {
            stft: Stft::new(vec![1.0; WINDOW], FFT),
            bank: filters(),
            cosines: (0..COEFFICIENTS).map(row).collect(),
        }
    }

    fn frame(&mut self, frame: &[f64]) -> MfccFrame {
        let power = self.stft.power(frame);
        for value in &mut *power {
            *value /= FFT as f64;
        }
        let energy = power.iter().sum();
        let bands: Vec<f64> = self.bank.apply(power).map(logarithm).collect();
        std::array::from_fn(|k| match k {
            0 => logarithm(energy),
            _ => self.cosines[k].iter().zip(&bands).map(|(weight, band)| weight * band).sum(),
        })
    }
}

/// The filters of the frames, for the 257 bins of a transform over 512 samples.
#[must_use]
pub fn filters() -> FilterBank<f64> {
    FilterBank::with_corners_on_bins(BANDS, FFT, f64::from(SAMPLE_RATE_HZ))
}

/// The natural logarithm; digital silence counts as the least step of a number near 1.
fn logarithm(value: f64) -> f64 {
    if value == 0.0 { f64::EPSILON.ln() } else { value.ln() }
}
