//! Whether a sound was cut off at its peaks, now or before it was turned down or coded.

/// Steps of the histogram of magnitudes, over 0 to [`GREATEST`].
const STEPS: usize = 4096;

/// Magnitudes above this are counted as this: decoders of lossy sound overshoot 1 by less.
const GREATEST: f32 = 2.0;

/// The peak is the magnitude that this share of the samples exceeds: a click is no peak.
const PEAK_SHARE: f64 = 1e-4;

/// Samples of at least this share of the peak are near it: lossy coders ripple a flat top by about a tenth.
const NEAR_PEAK: f64 = 0.9;

/// Samples of less than this share of the peak are quiet; they say nothing about how the loud ones are shaped.
const QUIET: f64 = 0.1;

/// Counts how the magnitudes of a mono sound, which comes in pieces, are spread. Memory does not grow.
#[derive(Debug, Clone)]
pub struct ClippingMeter {
    counts: Vec<u64>,
}

impl Default for ClippingMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl ClippingMeter {
    /// Starts a sound.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: vec![0; STEPS] }
    }

    /// Takes the next samples, full scale −1 to 1.
    pub fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            let step = (sample.abs() / GREATEST * STEPS as f32) as usize;
            self.counts[step.min(STEPS - 1)] += 1;
        }
    }

    /// The magnitude that one sample in ten thousand exceeds, full scale 1. None before the first sample.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        let total: u64 = self.counts.iter().sum();
        let mut left = (total as f64 * PEAK_SHARE) as u64;
        let step = self.counts.iter().rposition(|&count| {
            let is_here = count > left;
            left = left.saturating_sub(count);
            is_here
        })?;
        Some((step as f64 + 0.5) * f64::from(GREATEST) / STEPS as f64)
    }

    /// Of the samples that are not quiet, the share that lies within a tenth of the peak: about 0.001 in speech, above
    /// 0.02 where the peaks were cut off. None for silence.
    #[must_use]
    pub fn share_near_peak(&self) -> Option<f64> {
        let peak = self.peak()? / f64::from(GREATEST) * STEPS as f64;
        let above = |share: f64| self.counts[(peak * share) as usize..].iter().sum::<u64>();
        // A sound of so few steps has no shape.
        (peak > 16.0).then(|| above(NEAR_PEAK) as f64 / above(QUIET).max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise whose magnitudes fall off as those of speech do.
    fn laplacian(count: u32) -> Vec<f32> {
        let mut state = 7_u32;
        let mut uniform = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0
        };
        (0..count).map(|_| -0.05 * (1.0 - uniform()).ln() * (uniform() - 0.5).signum()).collect()
    }

    fn share(samples: &[f32]) -> Option<f64> {
        let mut meter = ClippingMeter::new();
        samples.chunks(100).for_each(|part| meter.push(part));
        meter.share_near_peak()
    }

    #[test]
    fn cut_peaks_are_seen_at_every_loudness() {
        let sound = laplacian(100_000);
        assert!(share(&sound).unwrap() < 0.002);
        for gain in [1.0, 0.3] {
            let cut: Vec<f32> = sound.iter().map(|x| gain * (x * 10.0).clamp(-1.0, 1.0)).collect();
            assert!(share(&cut).unwrap() > 0.05);
        }
    }

    #[test]
    fn silence_and_nothing_have_no_peaks_to_cut() {
        assert_eq!(share(&[]), None);
        assert_eq!(share(&[0.0; 500]), None);
        assert_eq!(share(&[f32::NAN; 500]), None);
    }
}
