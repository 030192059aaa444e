//! The spectrum of windowed frames.

use realfft::{FftNum, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// Computes power spectra of frames: weights a frame by a window, fills it up with zeros, transforms it.
pub struct Stft<T> {
    fft: Arc<dyn RealToComplex<T>>,
    window: Vec<T>,
    input: Vec<T>,
    spectrum: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
    power: Vec<T>,
}

impl<T> fmt::Debug for Stft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stft")
            .field("window", &self.window.len())
            .field("length", &self.input.len())
            .finish_non_exhaustive()
    }
}

impl<T: FftNum> Stft<T> {
    /// A transform over `length` samples (at least those of the window) of frames as long as the window.
    #[must_use]
    pub fn new(window: Vec<T>, length: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        Self {
            input: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![T::zero(); length / 2 + 1],
            fft,
            window,
        }
    }

    /// The squared magnitudes of the `length / 2 + 1` bins of a frame, not scaled. The caller may work in the slice.
    #[must_use]
    pub fn power(&mut self, frame: &[T]) -> &mut [T] {
        self.input.fill(T::zero());
        for ((out, &sample), &weight) in self.input.iter_mut().zip(frame).zip(&self.window) {
            *out = sample * weight;
        }
        // It cannot fail: the buffers have the lengths that the plan made them with.
        let _ = self.fft.process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch);
        for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr();
        }
        &mut self.power
    }
}

/// The periodic Hann window of a length: scipy's `get_window("hann", length)`, the window of librosa and torch.
#[must_use]
pub fn periodic_hann(length: usize) -> Vec<f64> {
    (0..length).map(|i| 0.5 - 0.5 * (TAU * i as f64 / length as f64).cos()).collect()
}
