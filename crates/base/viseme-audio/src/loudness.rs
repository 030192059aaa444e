//! How loud a sound is to people: integrated loudness after EBU R 128 and ITU-R BS.1770-4, of one channel.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// Loudness of a mean square of 1 after the filter (BS.1770-4, equation 2).
const OFFSET_LUFS: f64 = -0.691;

/// Blocks quieter than this never count.
const ABSOLUTE_GATE_LUFS: f64 = -70.0;

/// Blocks that much quieter than the mean of the others do not count.
const RELATIVE_GATE_LU: f64 = -10.0;

/// A block is 400 ms, made of four steps.
const STEPS_PER_BLOCK: usize = 4;

/// Steps per second.
const STEPS_PER_SECOND: u32 = 10;

/// Measures the integrated loudness of a mono sound that comes in pieces. It keeps one number per 100 ms.
#[derive(Debug, Clone)]
pub struct LoudnessMeter {
    shelf: Biquad,
    high_pass: Biquad,
    samples_per_step: u32,
    step_samples: u32,
    step_energy: f64,
    recent: VecDeque<f64>,
    blocks: Vec<f64>,
}

impl LoudnessMeter {
    /// A meter for sound of a sample rate in Hz.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            shelf: Biquad::shelf(f64::from(sample_rate_hz)),
            high_pass: Biquad::high_pass(f64::from(sample_rate_hz)),
            samples_per_step: (sample_rate_hz / STEPS_PER_SECOND).max(1),
            step_samples: 0,
            step_energy: 0.0,
            recent: VecDeque::with_capacity(STEPS_PER_BLOCK),
            blocks: Vec::new(),
        }
    }

    /// Takes the next samples, −1 to 1.
    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            let weighted = self.high_pass.filter(self.shelf.filter(f64::from(sample)));
            self.step_energy += weighted * weighted;
            self.step_samples += 1;
            if self.step_samples == self.samples_per_step {
                self.end_step();
            }
        }
    }

    /// Loudness of all that was heard, in LUFS; none when no block of 400 ms was above −70 LUFS.
    #[must_use]
    pub fn integrated_lufs(&self) -> Option<f64> {
        let audible = mean_above(&self.blocks, energy(ABSOLUTE_GATE_LUFS))?;
        mean_above(&self.blocks, energy(loudness(audible) + RELATIVE_GATE_LU)).map(loudness)
    }

    fn end_step(&mut self) {
        if self.recent.len() == STEPS_PER_BLOCK {
            self.recent.pop_front();
        }
        self.recent.push_back(self.step_energy / f64::from(self.samples_per_step));
        if self.recent.len() == STEPS_PER_BLOCK {
            self.blocks.push(self.recent.iter().sum::<f64>() / STEPS_PER_BLOCK as f64);
        }
        self.step_samples = 0;
        self.step_energy = 0.0;
    }
}

fn mean_above(blocks: &[f64], threshold: f64) -> Option<f64> {
    let (sum, count) = blocks
        .iter()
        .filter(|&&block| block > threshold)
        .fold((0.0, 0_u32), |(sum, count), block| (sum + block, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn loudness(energy: f64) -> f64 {
    OFFSET_LUFS + 10.0 * energy.log10()
}

fn energy(loudness: f64) -> f64 {
    10.0_f64.powf((loudness - OFFSET_LUFS) / 10.0)
}

/// A second-order filter, transposed direct form II.
#[derive(Debug, Clone)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// The head's shelf of BS.1770. The standard gives coefficients at 48 kHz only; these analogue parameters give
    /// the same there and hold at every rate (Mansbridge, Finn, Reiss: "Implementation and evaluation of autonomous
    /// multi-track fader control", 2012).
    fn shelf(rate_hz: f64) -> Self {
        let (hz, gain_db, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
        let k = (PI * hz / rate_hz).tan();
        let high = 10.0_f64.powf(gain_db / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        Self {
            b: [
                (high + band * k / q + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / q + k * k) / a0,
            ],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            state: [0.0; 2],
        }
    }

    /// The high-pass of BS.1770 from the same source.
    fn high_pass(rate_hz: f64) -> Self {
        let (hz, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        let k = (PI * hz / rate_hz).tan();
        let a0 = 1.0 + k / q + k * k;
        Self {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            state: [0.0; 2],
        }
    }

    fn filter(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state = [self.b[1] * x - self.a[0] * y + self.state[1], self.b[2] * x - self.a[1] * y];
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate_hz: u32, hz: f64, amplitude: f64, seconds: u32) -> Vec<f32> {
        (0..rate_hz * seconds)
            .map(|i| (amplitude * (2.0 * PI * hz * f64::from(i) / f64::from(rate_hz)).sin()) as f32)
            .collect()
    }

    fn measure(rate_hz: u32, samples: &[f32]) -> Option<f64> {
        let mut meter = LoudnessMeter::new(rate_hz);
        samples.chunks(333).for_each(|part| meter.push(part));
        meter.integrated_lufs()
    }

    #[test]
    fn the_filters_are_those_of_the_standard_at_48_khz() {
        let (shelf, high_pass) = (Biquad::shelf(48_000.0), Biquad::high_pass(48_000.0));
        let expected = [
            (shelf.b[0], 1.535_124_859_586_97),
            (shelf.b[1], -2.691_696_189_406_38),
            (shelf.b[2], 1.198_392_810_852_85),
            (shelf.a[0], -1.690_659_293_182_41),
            (shelf.a[1], 0.732_480_774_215_85),
            (high_pass.a[0], -1.990_047_454_833_98),
            (high_pass.a[1], 0.990_072_250_366_21),
        ];
        for (actual, expected) in expected {
            assert!((actual - expected).abs() < 1e-8, "{actual} instead of {expected}");
        }
    }

    #[test]
    fn a_full_scale_sine_at_997_hz_is_at_minus_3_lufs() {
        // BS.1770-4, annex 1: −3.01 LKFS for one front channel.
        for rate_hz in [16_000, 44_100, 48_000] {
            let lufs = measure(rate_hz, &sine(rate_hz, 997.0, 1.0, 3)).unwrap();
            assert!((lufs + 3.01).abs() < 0.1, "{rate_hz}: {lufs}");
        }
    }

    #[test]
    fn pauses_do_not_count() {
        let mut samples = sine(16_000, 997.0, 0.1, 4);
        let alone = measure(16_000, &samples).unwrap();
        samples.extend(vec![0.0; 16_000 * 20]);
        samples.extend(sine(16_000, 997.0, 0.1, 4));
        assert!((measure(16_000, &samples).unwrap() - alone).abs() < 0.3);
    }

    #[test]
    fn silence_has_no_loudness() {
        assert_eq!(measure(16_000, &vec![0.0; 16_000]), None);
        assert_eq!(measure(16_000, &sine(16_000, 997.0, 1.0, 0)), None);
    }
}
