//! Log-mel features of speech: 100 frames a second of 40 bands, the same however the samples are cut into pieces.
//!
//! The definition is that of `reference/make_audio_vectors.py`, by which the speech nets were trained.

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::f32::consts::TAU;
use std::fmt;
use std::sync::Arc;

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
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    triangles: Vec<Triangle>,
    /// Emphasised samples from the start of the next frame on, at most a window.
    pending: Vec<f32>,
    last_sample: Option<f32>,
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
}

/// The bins that a band covers and their weights.
struct Triangle {
    first_bin: usize,
    weights: Vec<f32>,
}

impl fmt::Debug for LogMel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogMel").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
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
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        Self {
            // Symmetric Hann window, as numpy.hanning.
            window: (0..WINDOW).map(|i| 0.5 - 0.5 * (TAU * i as f32 / (WINDOW - 1) as f32).cos()).collect(),
            triangles: triangles(),
            pending: vec![0.0; WINDOW / 2],
            last_sample: None,
            input: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            fft,
        }
    }

    /// Takes the next samples (mono, −1 to 1, 16 kHz) and appends the frames that they complete.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<MelFrame>) {
        for &sample in samples {
            let before = self.last_sample.replace(sample);
            self.append(sample - before.map_or(0.0, |before| PRE_EMPHASIS * before), frames);
        }
    }

    /// Ends the sound, appends its last frames and is ready for another sound.
    pub fn finish(&mut self, frames: &mut Vec<MelFrame>) {
        if self.last_sample.is_some() {
            // Half a window would do for the last frame's centre; the definition lets it reach 40 samples further.
            for _ in 0..WINDOW - HOP {
                self.append(0.0, frames);
            }
        }
        self.last_sample = None;
        self.pending.clear();
        self.pending.resize(WINDOW / 2, 0.0);
    }

    fn append(&mut self, emphasised: f32, frames: &mut Vec<MelFrame>) {
        self.pending.push(emphasised);
        if self.pending.len() == WINDOW {
            frames.push(self.frame());
            self.pending.drain(..HOP);
        }
    }

    /// The frame of the pending window.
    fn frame(&mut self) -> MelFrame {
        self.input.fill(0.0);
        for ((out, sample), weight) in self.input.iter_mut().zip(&self.pending).zip(&self.window) {
            *out = sample * weight;
        }
        // It cannot fail: both buffers have the lengths that the plan made them with.
        let _ = self.fft.process(&mut self.input, &mut self.spectrum);
        std::array::from_fn(|band| {
            let Triangle { first_bin, weights } = &self.triangles[band];
            let bins = self.spectrum[*first_bin..].iter().zip(weights);
            let power: f32 = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
            (power + POWER_FLOOR).ln()
        })
    }
}

/// 40 triangles with edges evenly spaced on the HTK mel scale (2595 log10(1 + f/700)), peak 1.
fn triangles() -> Vec<Triangle> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(BAND_RANGE_HZ.0), mel(BAND_RANGE_HZ.1));
    let edge = |i: usize| hz(low + (high - low) * i as f64 / (BANDS + 1) as f64);
    let bin_hz = f64::from(SAMPLE_RATE_HZ) / FFT as f64;
    (0..BANDS)
        .map(|band| {
            let (left, centre, right) = (edge(band), edge(band + 1), edge(band + 2));
            let first_bin = (left / bin_hz).ceil() as usize;
            let last_bin = (right / bin_hz).floor() as usize;
            let weight = |bin: usize| {
                let f = bin as f64 * bin_hz;
                ((f - left) / (centre - left)).min((right - f) / (right - centre)).max(0.0) as f32
            };
            Triangle { first_bin, weights: (first_bin..=last_bin).map(weight).collect() }
        })
        .collect()
}
