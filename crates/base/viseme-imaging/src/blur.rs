//! Gaussian blur of any width: a plain convolution when narrow, repeated box means when wide.

use crate::image::ImageF32;

/// Up to this deviation a plain convolution is as fast and exact.
const WIDEST_KERNEL_SIGMA: f32 = 2.0;

/// Box means that make up one wide blur.
const PASSES: usize = 3;

impl ImageF32 {
    /// The image blurred by a Gaussian of standard deviation `sigma` in pixels, its edges repeated outside. Not blurred
    /// when `sigma` is not above zero.
    ///
    /// Up to a deviation of 2 the kernel is sampled out to four deviations; above, three extended box filters of the
    /// same variance stand for it (Gwosdek, Grewenig, Bruhn, Weickert: "Theoretical foundations of Gaussian
    /// convolution by extended box filtering", 2011), which differs by less than 2 % of a step's height. Each of them
    /// repeats the edges of what the one before it made, so that more of the edge shows in the outermost pixels.
    #[must_use]
    pub fn blurred(&self, sigma: f32) -> Self {
        if sigma.is_nan() || sigma <= 0.0 || self.data.is_empty() {
            return self.clone();
        }
        if sigma <= WIDEST_KERNEL_SIGMA {
            let kernel = gaussian_kernel(sigma);
            return convolve_rows(&convolve_columns(self, &kernel), &kernel);
        }
        let filter = ExtendedBox::of_sigma(sigma);
        let columns = |image: Self| (0..PASSES).fold(image, |image, _| filter.apply(&image));
        // Sums that run down all columns side by side are several times as fast as one that runs along a row.
        columns(columns(self.clone()).transposed()).transposed()
    }
}

/// Samples of a Gaussian from −r to r, their sum 1.
fn gaussian_kernel(sigma: f32) -> Vec<f32> {
    let radius = (4.0 * sigma).ceil() as i32;
    let weights: Vec<f32> = (-radius..=radius).map(|x| (-0.5 * (x as f32 / sigma).powi(2)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn convolve_columns(image: &ImageF32, kernel: &[f32]) -> ImageF32 {
    let radius = kernel.len() / 2;
    let mut out = ImageF32::filled(image.width, image.height, 0.0);
    for y in 0..image.height {
        for (k, &weight) in kernel.iter().enumerate() {
            let source = image.row((y + k).saturating_sub(radius).min(image.height - 1));
            add_scaled(out.row_mut(y), source, weight);
        }
    }
    out
}

fn convolve_rows(image: &ImageF32, kernel: &[f32]) -> ImageF32 {
    let mut out = ImageF32::filled(image.width, image.height, 0.0);
    let mut padded = Vec::new();
    for y in 0..image.height {
        pad(image.row(y), kernel.len() / 2, &mut padded);
        for (k, &weight) in kernel.iter().enumerate() {
            add_scaled(out.row_mut(y), &padded[k..], weight);
        }
    }
    out
}

fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value * weight;
    }
}

/// Puts `row` into `padded` with its ends repeated `margin` times.
fn pad(row: &[f32], margin: usize, padded: &mut Vec<f32>) {
    padded.clear();
    if let (Some(&first), Some(&last)) = (row.first(), row.last()) {
        padded.resize(margin, first);
        padded.extend_from_slice(row);
        padded.resize(row.len() + 2 * margin, last);
    }
}

/// A mean over `2 radius + 1` samples and a fraction of the next on either side.
struct ExtendedBox {
    radius: usize,
    inner: f32,
    outer: f32,
}

impl ExtendedBox {
    /// The filter that gives a variance of `sigma`² when applied [`PASSES`] times.
    fn of_sigma(sigma: f32) -> Self {
        let variance = sigma * sigma / PASSES as f32;
        let radius = (0.5 * (12.0 * variance + 1.0).sqrt() - 0.5).floor();
        let length = 2.0 * radius + 1.0;
        let fraction = length * (radius * (radius + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (radius + 1.0) * (radius + 1.0)));
        let inner = 1.0 / (length + 2.0 * fraction);
        Self { radius: radius as usize, inner, outer: fraction * inner }
    }

    /// Applies it once, down the columns.
    fn apply(&self, image: &ImageF32) -> ImageF32 {
        let (radius, last) = (self.radius, image.height - 1);
        let row = |y: usize, offset: usize| image.row((y + offset).saturating_sub(radius + 1).min(last));
        let mut sums = vec![0.0; image.width];
        // The window of the row above the first.
        for offset in 0..=2 * radius {
            add_scaled(&mut sums, row(0, offset), 1.0);
        }
        let mut out = ImageF32::filled(image.width, image.height, 0.0);
        for y in 0..image.height {
            let (before, after) = (row(y, 0), row(y, 2 * radius + 2));
            let (leaving, entering) = (before, row(y, 2 * radius + 1));
            let window = before.iter().zip(after).zip(leaving.iter().zip(entering));
            for ((value, sum), ((before, after), (leaving, entering))) in
                out.row_mut(y).iter_mut().zip(&mut sums).zip(window)
            {
                *sum += entering - leaving;
                *value = *sum * self.inner + (before + after) * self.outer;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance_of_response(sigma: f32) -> (f32, f32) {
        let mut image = ImageF32::filled(201, 201, 0.0);
        image.row_mut(100)[100] = 1.0;
        let out = image.blurred(sigma);
        let sum: f32 = out.data.iter().sum();
        let moment: f32 =
            (0..201).map(|x| (x as f32 - 100.0).powi(2) * out.rows().map(|row| row[x]).sum::<f32>()).sum();
        (sum, moment / sum)
    }

    #[test]
    fn the_response_has_the_variance_asked_for() {
        for sigma in [0.8, 1.5, 2.0, 2.3, 3.7, 8.0, 15.2] {
            let (sum, variance) = variance_of_response(sigma);
            assert!((sum - 1.0).abs() < 1e-3, "sigma {sigma} sums to {sum}");
            assert!((variance / (sigma * sigma) - 1.0).abs() < 0.01, "sigma {sigma} has variance {variance}");
        }
    }

    #[test]
    fn an_even_image_stays_even_up_to_its_edges() {
        for sigma in [0.9, 5.0, 60.0] {
            let image = ImageF32::filled(17, 9, 42.0).blurred(sigma);
            assert!(image.data.iter().all(|value| (value - 42.0).abs() < 1e-3));
        }
    }

    #[test]
    fn a_wide_blur_of_a_step_is_near_the_error_function() {
        let image = ImageF32::from_fn(160, 4, |x, _| if x < 80 { 0.0 } else { 1.0 });
        let direct = convolve_rows(&image, &gaussian_kernel(9.0));
        let boxes = image.blurred(9.0);
        assert!(direct.data.iter().zip(&boxes.data).all(|(a, b)| (a - b).abs() < 0.02));
    }
}
