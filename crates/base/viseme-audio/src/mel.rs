//! Log-mel features of speech: 100 frames a second of 40 bands, the same however the samples are cut into pieces.
//!
//! The definition is that of `reference/make_audio_vectors.py`, by which the speech nets were trained.

use crate::filter_bank::{FilterBank, MelScale};
use crate::frames::{Framer, PreEmphasis};
use crate::stft::Stft;
use std::f32::consts::TAU;

/// The sample rate that the features are defined at, in Hz.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Bands of a frame.
pub const BANDS: usize = 40;

/// Samples from one frame to the next: 10 ms.
pub const HOP: usize = 160;

/// Frames per second.
pub const FRAMES_PER_SECOND: f64 = SAMPLE_RATE_HZ as f64 / HOP as f64;

/// Samples of a frame: 25 ms.
const WINDOW: usize = 400;

/// Length of the transform; the window is filled up with zeros.
const FFT: usize = 512;

/// Pre-emphasis: each sample less this share of the one before it.
const PRE_EMPHASIS: f32 = 0.97;

/// The outer edges of the lowest and the highest triangle.
const BAND_RANGE_HZ: (f64, f64) = (60.0, 7600.0);

/// Added to the power of a band before its logarithm is taken: digital silence is ln 1e-6 = −13.8.
const POWER_FLOOR: f32 = 1e-6;

/// The bands of one frame, low to high: natural logarithms of power.
pub type MelFrame = [f32; BANDS];

/// Computes log-mel frames of samples that come in pieces of any size, in memory of one window.
///
/// Frame k is centred on sample 160 k; the sound is silent before its start and after its end. `n` samples make
/// `(n + 200) / 160` frames, none if `n` is 0.
#[derive(Debug)]
pub struct LogMel {
    framer: Framer<f32>,
    emphasis: PreEmphasis<f32>,
    analysis: Analysis,
    heard: bool,
}

impl Default for LogMel {
    fn default() -> Self {
        Self::new()
    }
}

impl LogMel {
    /// Starts a sound.
    #[must_use]
    pub fn new() -> Self {
        let mut framer = Framer::new(WINDOW, HOP);
        (0..WINDOW / 2).for_each(|_| framer.push(0.0, |_| ()));
        Self { framer, emphasis: PreEmphasis::new(PRE_EMPHASIS), analysis: Analysis::new(), heard: false }
    }

    /// Takes the next samples (mono, −1 to 1, 16 kHz) and appends the frames that they complete.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<MelFrame>) {
        for &sample in samples {
            let emphasised = self.emphasis.filter(sample);
            self.framer.push(emphasised, |frame| frames.push(self.analysis.frame(frame)));
        }
        self.heard |= !samples.is_empty();
    }

    /// Ends the sound, appends its last frames and is ready for another sound.
    pub fn finish(&mut self, frames: &mut Vec<MelFrame>) {
        if self.heard {
            // Half a window would do for the last frame's centre; the definition lets it reach 40 samples further.
            for _ in 0..WINDOW - HOP {
                self.framer.push(0.0, |frame| frames.push(self.analysis.frame(frame)));
            }
        }
        *self = Self::new();
    }
}

/// What makes bands of a frame.
#[derive(Debug)]
struct Analysis {
    stft: Stft<f32>,
    bank: FilterBank<f32>,
}

impl Analysis {
    fn new() -> Self {
        // Symmetric Hann window, as numpy.hanning.
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / (WINDOW - 1) as f32).cos();
        let bin_hz = f64::from(SAMPLE_RATE_HZ) / FFT as f64;
        Self {
            stft: Stft::new((0..WINDOW).map(hann).collect(), FFT),
            bank: FilterBank::of_equal_height(MelScale::Htk, BANDS, BAND_RANGE_HZ, bin_hz),
        }
    }

    fn frame(&mut self, frame: &[f32]) -> MelFrame {
        let mut bands = [0.0; BANDS];
        for (out, power) in bands.iter_mut().zip(self.bank.apply(self.stft.power(frame))) {
            *out = (power + POWER_FLOOR).ln();
        }
        bands
    }
}
