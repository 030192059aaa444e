//! The discrete sine transform of the first kind, by a Fourier transform of twice the length.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::fmt;
use std::sync::Arc;
use viseme_core::{Error, Result};

/// `out[k] = Σ in[j] sin(π (j + 1) (k + 1) / (n + 1))` over rows of one length `n`. Its own inverse but for a factor of
/// `2 / (n + 1)`.
pub(super) struct SineTransform {
    transform: Arc<dyn RealToComplex<f64>>,
    /// 0, the row, 0, the row backwards and negative.
    odd: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl fmt::Debug for SineTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SineTransform").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl SineTransform {
    /// The transform of rows of `length` values.
    pub(super) fn new(length: usize) -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(2 * (length + 1));
        Self {
            odd: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    fn length(&self) -> usize {
        self.odd.len() / 2 - 1
    }

    /// Transforms each row of `rows`, whose length is a multiple of that of the transform, in place.
    pub(super) fn apply(&mut self, rows: &mut [f64]) -> Result<()> {
        let length = self.length();
        for row in rows.chunks_exact_mut(length.max(1)) {
            self.odd[0] = 0.0;
            self.odd[length + 1] = 0.0;
            self.odd[1..=length].copy_from_slice(row);
            let backwards = row.iter().rev().map(|value| -value);
            self.odd[length + 2..].iter_mut().zip(backwards).for_each(|(odd, value)| *odd = value);
            self.transform
                .process_with_scratch(&mut self.odd, &mut self.spectrum, &mut self.scratch)
                .map_err(|source| Error::internal("the sine transform failed").with_source(source))?;
            for (value, bin) in row.iter_mut().zip(&self.spectrum[1..]) {
                *value = -0.5 * bin.im;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_sines_and_its_own_inverse() {
        for length in [1, 2, 7, 30] {
            let row: Vec<f64> = (0..length).map(|j| f64::from((j * j * 37 + 11) % 101)).collect();
            let mut transformed = row.clone();
            let mut transform = SineTransform::new(row.len());
            transform.apply(&mut transformed).unwrap();
            for (k, value) in (1..).zip(&transformed) {
                let angle = std::f64::consts::PI * f64::from(k) / f64::from(length + 1);
                let sum: f64 = (1..).zip(&row).map(|(j, x)| x * (angle * f64::from(j)).sin()).sum();
                assert!((value - sum).abs() < 1e-9);
            }
            transform.apply(&mut transformed).unwrap();
            let factor = 2.0 / f64::from(length + 1);
            assert!(transformed.iter().zip(&row).all(|(a, b)| (a * factor - b).abs() < 1e-9));
        }
    }
}
