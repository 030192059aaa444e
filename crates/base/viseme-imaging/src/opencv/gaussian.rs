//! `cv2.GaussianBlur`.

use super::reflect_101;
use crate::image_u8::ImageU8;
use viseme_core::{Error, Result};

/// Widest kernel: the longest side of a picture would do.
const MAX_SIZE: usize = 32_767;

/// The picture blurred by a square kernel of `size` samples a side, as `cv2.GaussianBlur` does it on 8 bits: weights of
/// 8 bits after the point, sums kept whole, rounded once. The picture is reflected at its edges.
///
/// A `sigma` of 0 or less stands for the one that `OpenCV` takes for that size, 0.3 ((size − 1) / 2 − 1) + 0.8.
///
/// # Errors
/// When `size` is even, 0 or too large, or `sigma` is not finite.
pub fn gaussian_blur<const C: usize>(image: &ImageU8<C>, size: usize, sigma: f64) -> Result<ImageU8<C>> {
    if size.is_multiple_of(2) || size > MAX_SIZE || !sigma.is_finite() {
        let message = format!("no Gaussian kernel of size {size} and deviation {sigma}");
        let hint = format!("The size is odd and at most {MAX_SIZE}, the deviation is a number.");
        return Err(Error::invalid_input(message).with_hint(hint));
    }
    let kernel = fixed_kernel(&kernel(size, sigma));
    let (width, height) = (image.width(), image.height());
    // Sums of 8 bits after the point.
    let mut across: Vec<[u32; C]> = Vec::with_capacity(width * height);
    let columns = sources(width, size);
    for y in 0..height {
        let row = image.row(y);
        across
            .extend((0..width).map(|x| {
                weighted(&kernel, &columns[x..], |column, channel| u32::from(row[column][channel]))
            }));
    }
    let rows = sources(height, size);
    ImageU8::from_fn(width, height, |x, y| {
        let sums = weighted(&kernel, &rows[y..], |row, channel| across[row * width + x][channel]);
        sums.map(|sum| ((sum + (1 << 15)) >> 16).min(255) as u8)
    })
}

/// The samples that `size` weights around sample `i` read are at `i..i + size`.
fn sources(extent: usize, size: usize) -> Vec<usize> {
    let radius = (size / 2) as isize;
    (-radius..extent as isize + radius).map(|index| reflect_101(index, extent)).collect()
}

fn weighted<const C: usize>(
    kernel: &[u32],
    sources: &[usize],
    value: impl Fn(usize, usize) -> u32,
) -> [u32; C] {
    let mut sums = [0; C];
    for (&weight, &source) in kernel.iter().zip(sources) {
        for (channel, sum) in sums.iter_mut().enumerate() {
            *sum += weight * value(source, channel);
        }
    }
    sums
}

/// A sampled Gaussian, its sum 1 (`getGaussianKernelBitExact`).
fn kernel(size: usize, sigma: f64) -> Vec<f64> {
    // Without a deviation, small kernels are those of the table small_gaussian_tab.
    match size {
        1 if sigma <= 0.0 => return vec![1.0],
        3 if sigma <= 0.0 => return vec![0.25, 0.5, 0.25],
        5 if sigma <= 0.0 => return vec![0.0625, 0.25, 0.375, 0.25, 0.0625],
        7 if sigma <= 0.0 => return vec![0.03125, 0.109_375, 0.21875, 0.28125, 0.21875, 0.109_375, 0.03125],
        _ => {}
    }
    let radius = (size - 1) as f64 * 0.5;
    let sigma = if sigma > 0.0 { sigma } else { 0.3 * (radius - 1.0) + 0.8 };
    let weights: Vec<f64> = (0..size).map(|i| (-0.5 * ((i as f64 - radius) / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The kernel in steps of 1/256, the error of each weight carried to the next one further in
/// (`getGaussianKernelFixedPoint_ED`). The sum is 256.
fn fixed_kernel(kernel: &[f64]) -> Vec<u32> {
    let middle = kernel.len() / 2;
    let mut fixed = vec![0; kernel.len()];
    let (mut error, mut sum) = (0.0, 0);
    for (i, weight) in kernel.iter().enumerate().take(middle) {
        let exact = weight * 256.0 + error;
        let rounded = exact.round_ties_even();
        error = exact - rounded;
        fixed[i] = rounded as u32;
        fixed[kernel.len() - 1 - i] = fixed[i];
        sum += 2 * fixed[i];
    }
    fixed[middle] = 256_u32.saturating_sub(sum);
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_even_picture_stays_even(
            width in 1_usize..20, height in 1_usize..20, half in 0_usize..30, sigma in -1.0..20.0, value: u8,
        ) {
            let image = ImageU8::filled(width, height, [value]).unwrap();
            prop_assert_eq!(&gaussian_blur(&image, 2 * half + 1, sigma).unwrap(), &image);
        }
    }

    #[test]
    fn kernels_that_cannot_be_are_errors() {
        let image = ImageU8::filled(3, 3, [9]).unwrap();
        for (size, sigma) in [(0, 1.0), (4, 1.0), (usize::MAX, 1.0), (3, f64::NAN), (3, f64::INFINITY)] {
            assert!(gaussian_blur(&image, size, sigma).is_err(), "{size} {sigma}");
        }
    }
}
