//! Changing the sample rate of a mono sound that comes in pieces.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};
use viseme_core::{Error, Result};

/// Least input samples per step.
const CHUNK: usize = 1024;

/// The highest rate that is taken, in Hz: twice that of the fastest sound cards. Buffers grow with the rate.
const MAX_RATE_HZ: u32 = 1_536_000;

/// A streaming resampler of mono sound, without delay: output sample k is at the time `k / to_hz` of the input, and `n` input
/// samples make `n * to_hz / from_hz` output samples, rounded. Beyond its ends the sound is silent.
///
/// Band-limited by a Blackman-Harris² windowed filter in the frequency domain.
#[derive(Debug)]
pub struct Resampler {
    /// None when the rates are equal.
    inner: Option<Fft<f32>>,
    from_hz: u32,
    to_hz: u32,
    pending: Vec<f32>,
    buffer: Vec<f32>,
    /// Output samples of the filter's delay that are still to be dropped.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler between two rates in Hz.
    ///
    /// # Errors
    /// When a rate is zero, or above 1.5 MHz.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self> {
        for rate_hz in [from_hz, to_hz] {
            if !(1..=MAX_RATE_HZ).contains(&rate_hz) {
                return Err(Error::invalid_input(format!("a sample rate of {rate_hz} Hz"))
                    .with_hint("Give a sound of 8 to 192 kHz."));
            }
        }
        let inner = if from_hz == to_hz {
            None
        } else {
            let (from, to) = (from_hz as usize, to_hz as usize);
            Some(Fft::new(from, to, chunk(from, to), 1, FixedSync::Both).map_err(failed)?)
        };
        let delay = inner.as_ref().map_or(0, Fft::output_delay);
        let buffer = vec![0.0; inner.as_ref().map_or(0, Fft::output_frames_max)];
        Ok(Self { inner, from_hz, to_hz, pending: Vec::new(), buffer, delay, taken: 0, given: 0 })
    }

    /// Takes the next samples and appends the output that they complete.
    ///
    /// # Errors
    /// When the resampler refuses its buffers: a fault of ours.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) -> Result<()> {
        self.taken += samples.len() as u64;
        let Some(fft) = &mut self.inner else {
            output.extend_from_slice(samples);
            return Ok(());
        };
        let step = fft.input_frames_next();
        let mut rest = samples;
        while self.pending.len() + rest.len() >= step {
            let (head, tail) = rest.split_at(step - self.pending.len());
            self.pending.extend_from_slice(head);
            rest = tail;
            let input = InterleavedSlice::new(&self.pending, 1, step).map_err(failed)?;
            let frames = self.buffer.len();
            let mut target = InterleavedSlice::new_mut(&mut self.buffer, 1, frames).map_err(failed)?;
            let (_, made) = fft.process_into_buffer(&input, &mut target, None).map_err(failed)?;
            let skipped = self.delay.min(made);
            self.delay -= skipped;
            self.given += (made - skipped) as u64;
            output.extend_from_slice(&self.buffer[skipped..made]);
            self.pending.clear();
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Ends the sound and appends the rest of its output.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(mut self, output: &mut Vec<f32>) -> Result<()> {
        let Some(fft) = &self.inner else { return Ok(()) };
        let silence = vec![0.0; fft.input_frames_next()];
        let (from, to) = (u64::from(self.from_hz), u64::from(self.to_hz));
        let expected = (self.taken * to + from / 2) / from;
        while self.given < expected {
            self.push(&silence, output)?;
        }
        let surplus = (self.given - expected) as usize;
        output.truncate(output.len().saturating_sub(surplus));
        Ok(())
    }
}

/// Input samples per step: an even number of the least stretches that hold whole samples of both rates. The centre of the filter, at
/// half a step, then lies on a sample of either.
fn chunk(from_hz: usize, to_hz: usize) -> usize {
    let (mut divisor, mut rest) = (from_hz, to_hz);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    CHUNK.next_multiple_of(2 * (from_hz / divisor))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(format!("cannot resample: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(samples: &[f32], from_hz: u32, to_hz: u32, piece: usize) -> Vec<f32> {
        let mut output = Vec::new();
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        for part in samples.chunks(piece) {
            resampler.push(part, &mut output).unwrap();
        }
        resampler.finish(&mut output).unwrap();
        output
    }

    fn sine(rate_hz: u32, hz: f32, seconds: f32) -> Vec<f32> {
        let count = (rate_hz as f32 * seconds) as usize;
        (0..count).map(|i| (std::f32::consts::TAU * hz * i as f32 / rate_hz as f32).sin() * 0.5).collect()
    }

    #[test]
    fn a_sine_keeps_its_phase_and_length() {
        for from_hz in [8_000, 22_050, 44_100, 48_000, 96_000, 11_127] {
            let output = resample(&sine(from_hz, 440.0, 0.5), from_hz, 16_000, 777);
            assert!(output.len().abs_diff(8_000) <= 1, "{from_hz}: {}", output.len());
            let expected = sine(16_000, 440.0, 0.5);
            for (i, (a, b)) in output.iter().zip(&expected).enumerate().skip(1_000).take(6_000) {
                assert!((a - b).abs() < 1e-3, "{from_hz} Hz, sample {i}: {a} instead of {b}");
            }
        }
    }

    #[test]
    fn what_the_new_rate_cannot_hold_is_removed() {
        let output = resample(&sine(48_000, 11_000.0, 0.5), 48_000, 16_000, 4_096);
        assert!(output[400..7_600].iter().all(|value| value.abs() < 1e-3));
    }

    #[test]
    fn pieces_do_not_matter() {
        let samples = sine(44_100, 300.0, 0.2);
        let whole = resample(&samples, 44_100, 16_000, samples.len());
        for piece in [1, 7, 1_000, 5_000] {
            assert_eq!(resample(&samples, 44_100, 16_000, piece), whole);
        }
        assert_eq!(resample(&samples, 16_000, 16_000, 10), samples);
    }

    #[test]
    fn no_sound_makes_no_sound_and_no_rate_is_refused() {
        assert!(resample(&[], 44_100, 16_000, 1).is_empty());
        assert!(Resampler::new(0, 16_000).is_err());
        assert!(Resampler::new(16_000, u32::MAX).is_err());
    }
}
