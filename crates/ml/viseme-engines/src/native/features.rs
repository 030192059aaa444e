//! Log-mel features of speech, exactly as the speech net was taught: 100 frames a second of 40 bands.

use realfft::{RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// The sample rate that the features are defined at, in Hz.
pub(super) const SAMPLE_RATE_HZ: u32 = 16_000;
/// Bands of a frame.
pub(super) const BANDS: usize = 40;
/// Frames per second.
pub(super) const FRAMES_PER_SECOND: f64 = 100.0;

const HOP: usize = 160;
const WINDOW: usize = 400;
const FFT: usize = 512;
/// Pre-emphasis: each sample less this share of the one before it.
const PRE_EMPHASIS: f32 = 0.97;
/// Edges of the lowest and the highest triangle.
const BAND_RANGE_HZ: (f32, f32) = (60.0, 7600.0);
/// Added to the power of a band before its logarithm is taken.
const POWER_FLOOR: f32 = 1e-6;

/// Frames whose mean log power is below this are digital silence (−13.8) and never count as sound.
pub(super) const SILENCE_LEVEL: f32 = -12.5;
/// Loud speech: this percentile of the levels of all audible frames.
const PEAK_SHARE: f32 = 0.98;
/// Nepers of power (15 dB) below the peak that still count as speech.
const SPEECH_RANGE: f32 = 3.5;
/// How much of a band's own mean is taken out; the rest of what is taken out is the overall level.
const CHANNEL_WEIGHT: f32 = 0.7;
/// Normalised features are divided by this and clamped to the range.
const SCALE: f32 = 2.5;
const RANGE: (f32, f32) = (-4.0, 3.0);

/// The bands of one frame: natural logarithms of power.
pub(super) type MelFrame = [f32; BANDS];

/// Computes log-mel frames of samples that come in pieces. Frame k is centred on sample 160 k.
pub(super) struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    triangles: Vec<Triangle>,
    /// Emphasised samples from the start of the next frame on.
    pending: Vec<f32>,
    last_sample: Option<f32>,
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

impl LogMel {
    pub(super) fn new() -> Self {
        // Symmetric Hann window, as numpy.hanning.
        let window = (0..WINDOW).map(|i| 0.5 - 0.5 * (TAU * i as f32 / (WINDOW - 1) as f32).cos()).collect();
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(FFT),
            window,
            triangles: triangles(),
            pending: vec![0.0; WINDOW / 2],
            last_sample: None,
        }
    }

    /// Takes the next samples (mono, −1 to 1, 16 kHz) and appends the frames that they complete.
    pub(super) fn push(&mut self, samples: &[f32], frames: &mut Vec<MelFrame>) {
        for &sample in samples {
            let before = self.last_sample.replace(sample);
            self.pending.push(sample - before.map_or(0.0, |before| PRE_EMPHASIS * before));
        }
        let mut start = 0;
        while self.pending.len() - start >= WINDOW {
            frames.push(self.frame(start));
            start += HOP;
        }
        self.pending.drain(..start);
    }

    /// Ends the sound and appends its last frames.
    pub(super) fn finish(&mut self, frames: &mut Vec<MelFrame>) {
        // The definition pads 400 zeros and drops the last frame that they would complete.
        self.pending.resize(self.pending.len() + WINDOW - HOP, 0.0);
        self.last_sample = Some(0.0);
        self.push(&[], frames);
    }

    fn frame(&self, start: usize) -> MelFrame {
        let mut input = vec![0.0; FFT];
        for ((out, sample), weight) in input.iter_mut().zip(&self.pending[start..]).zip(&self.window) {
            *out = sample * weight;
        }
        let mut spectrum = self.fft.make_output_vec();
        // Cannot fail: both buffers have the lengths that the plan asks for.
        let _ = self.fft.process(&mut input, &mut spectrum);
        let power: Vec<f32> = spectrum.iter().map(realfft::num_complex::Complex::norm_sqr).collect();
        std::array::from_fn(|band| {
            let Triangle { first_bin, weights } = &self.triangles[band];
            let sum: f32 = power[*first_bin..].iter().zip(weights).map(|(p, w)| p * w).sum();
            (sum + POWER_FLOOR).ln()
        })
    }
}

/// 40 triangles with edges evenly spaced on the HTK mel scale (2595 log10(1 + f/700)), peak 1.
fn triangles() -> Vec<Triangle> {
    let mel = |hz: f32| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f32| 700.0 * (10.0_f32.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(BAND_RANGE_HZ.0), mel(BAND_RANGE_HZ.1));
    let edge = |i: usize| hz(low + (high - low) * i as f32 / (BANDS + 1) as f32);
    let bin_hz = SAMPLE_RATE_HZ as f32 / FFT as f32;
    (0..BANDS)
        .map(|band| {
            let (left, centre, right) = (edge(band), edge(band + 1), edge(band + 2));
            let first_bin = (left / bin_hz).ceil() as usize;
            let last_bin = ((right / bin_hz).floor() as usize).min(FFT / 2);
            let weight = |bin: usize| {
                let f = bin as f32 * bin_hz;
                ((f - left) / (centre - left)).min((right - f) / (right - centre)).max(0.0)
            };
            Triangle { first_bin, weights: (first_bin..=last_bin).map(weight).collect() }
        })
        .collect()
}

/// The mean log power of a frame.
pub(super) fn level(frame: &MelFrame) -> f32 {
    frame.iter().sum::<f32>() / BANDS as f32
}

/// The value below which `share` (0 to 1) of `sorted` lies, interpolated linearly.
pub(super) fn quantile(sorted: &[f32], share: f32) -> f32 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let position = share.clamp(0.0, 1.0) * last as f32;
    let index = (position as usize).min(last);
    let above = sorted[(index + 1).min(last)];
    sorted[index] + (above - sorted[index]) * (position - index as f32)
}

/// The level of loud speech; none when nothing is audible.
pub(super) fn peak_level(levels: &[f32]) -> Option<f32> {
    let mut audible: Vec<f32> = levels.iter().copied().filter(|&level| level > SILENCE_LEVEL).collect();
    audible.sort_by(f32::total_cmp);
    (!audible.is_empty()).then(|| quantile(&audible, PEAK_SHARE))
}

/// What a recording adds to every frame: its level and the colour of microphone and room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    centre: MelFrame,
}

impl Channel {
    /// Measures the speech frames of a whole sound; `levels` are those of `frames`.
    pub(super) fn measure(frames: &[MelFrame], levels: &[f32], peak: f32) -> Self {
        let mut sum = [0.0_f64; BANDS];
        let mut count = 0_u64;
        for (frame, _) in frames.iter().zip(levels).filter(|&(_, &level)| level >= peak - SPEECH_RANGE) {
            sum.iter_mut().zip(frame).for_each(|(sum, &value)| *sum += f64::from(value));
            count += 1;
        }
        let mean = sum.map(|sum| (sum / count.max(1) as f64) as f32);
        let overall = level(&mean);
        Self { centre: mean.map(|band| CHANNEL_WEIGHT * band + (1.0 - CHANNEL_WEIGHT) * overall) }
    }

    /// The frame as the net wants it.
    pub(super) fn normalise(&self, frame: &MelFrame) -> MelFrame {
        std::array::from_fn(|band| ((frame[band] - self.centre[band]) / SCALE).clamp(RANGE.0, RANGE.1))
    }
}
