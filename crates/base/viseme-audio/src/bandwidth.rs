//! Up to which frequency a sound reaches: telephones, old recordings and strong coding cut off what is above.

use crate::frames::Framer;
use crate::stft::{Stft, periodic_hann};

/// The window is about this long, in seconds, rounded to a power of two of samples.
const WINDOW_S: f64 = 0.023;

/// A frequency belongs to the sound when its mean power is not further below that of the strongest.
const FLOOR_DB: f64 = -65.0;

/// Neighbouring bins that are averaged, so that a single one does not decide.
const SMOOTHING: usize = 5;

/// Sums the power spectra of a mono sound that comes in pieces. Memory does not grow.
#[derive(Debug)]
pub struct BandwidthMeter {
    framer: Framer<f64>,
    stft: Stft<f64>,
    power: Vec<f64>,
    bin_hz: f64,
}

impl BandwidthMeter {
    /// Starts a sound of a sample rate in Hz.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz.max(1));
        let length = ((rate * WINDOW_S) as usize).next_power_of_two().max(64);
        Self {
            framer: Framer::new(length, length),
            stft: Stft::new(periodic_hann(length), length),
            power: vec![0.0; length / 2 + 1],
            bin_hz: rate / length as f64,
        }
    }

    /// Takes the next samples.
    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.framer.push(f64::from(sample), |frame| {
                for (sum, bin) in self.power.iter_mut().zip(self.stft.power(frame)) {
                    *sum += *bin;
                }
            });
        }
    }

    /// The highest frequency, in Hz, of which there is no less than 65 dB below the strongest. None for silence.
    #[must_use]
    pub fn bandwidth_hz(&self) -> Option<f64> {
        let means: Vec<f64> = self.power.windows(SMOOTHING).map(|bins| bins.iter().sum::<f64>()).collect();
        let strongest = means.iter().copied().fold(0.0, f64::max);
        let least = strongest * 10.0_f64.powf(FLOOR_DB / 10.0);
        let highest = means.iter().rposition(|&mean| mean >= least && mean > 0.0)?;
        Some((highest + SMOOTHING / 2) as f64 * self.bin_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn bandwidth(rate_hz: u32, tones_hz: &[f64]) -> Option<f64> {
        let mut meter = BandwidthMeter::new(rate_hz);
        let at = |i: u32| {
            tones_hz.iter().map(|hz| 0.1 * (TAU * hz * f64::from(i) / f64::from(rate_hz)).sin()).sum::<f64>()
        };
        let sound: Vec<f32> = (0..rate_hz).map(|i| at(i) as f32).collect();
        sound.chunks(777).for_each(|part| meter.push(part));
        meter.bandwidth_hz()
    }

    #[test]
    fn the_highest_tone_is_found() {
        for (rate, top) in [(16_000, 3_400.0), (48_000, 12_000.0), (44_100, 15_000.0)] {
            let found = bandwidth(rate, &[300.0, 1_000.0, top]).unwrap();
            assert!((found - top).abs() < 500.0, "{found} instead of {top} at {rate}");
        }
    }

    #[test]
    fn silence_has_no_bandwidth() {
        assert_eq!(bandwidth(16_000, &[]), None);
        assert_eq!(BandwidthMeter::new(0).bandwidth_hz(), None);
    }
}
