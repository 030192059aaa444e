//! Downscaling by area averaging.

use crate::frame::{Plane, Samples};
use crate::image::ImageF32;

impl ImageF32 {
    /// The image in `width` × `height`, each value the mean over the area that it covers (`OpenCV`'s `INTER_AREA`).
    ///
    /// Meant for downscaling: enlarged, it shows the samples as blocks.
    #[must_use]
    pub fn resized_area(&self, width: usize, height: usize) -> Self {
        resize(&self.data, self.width, self.height, width, height)
    }

    /// As [`resized_area`](Self::resized_area), straight from a plane, on the scale of the format.
    #[must_use]
    pub fn resized_plane(plane: &Plane, width: usize, height: usize) -> Self {
        let (columns, rows) = (plane.width as usize, plane.height as usize);
        match &plane.samples {
            Samples::U8(samples) => resize(samples, columns, rows, width, height),
            Samples::U16(samples) => resize(samples, columns, rows, width, height),
        }
    }
}

/// The samples that one output sample averages, with their shares.
struct Span {
    start: usize,
    weights: Vec<f32>,
}

/// The spans along one axis.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let ratio = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let (low, high) = (i as f64 * ratio, (i + 1) as f64 * ratio);
            let start = (low as usize).min(from - 1);
            let end = ((high - 1e-9).ceil() as usize).clamp(start + 1, from);
            let share = |k: usize| ((high.min((k + 1) as f64) - low.max(k as f64)) / ratio) as f32;
            Span { start, weights: (start..end).map(share).collect() }
        })
        .collect()
}

fn resize<S: Copy + Into<f32>>(
    samples: &[S],
    columns: usize,
    rows: usize,
    width: usize,
    height: usize,
) -> ImageF32 {
    if samples.is_empty() || width == 0 || height == 0 {
        return ImageF32::filled(width, height, 0.0);
    }
    let across = spans(columns, width);
    let mut line = vec![0.0_f32; columns];
    let mut data = Vec::with_capacity(width * height);
    for span in spans(rows, height) {
        line.fill(0.0);
        for (row, &weight) in samples[span.start * columns..].chunks_exact(columns).zip(&span.weights) {
            for (sum, &sample) in line.iter_mut().zip(row) {
                *sum += weight * sample.into();
            }
        }
        data.extend(across.iter().map(|span| {
            let values = &line[span.start..][..span.weights.len()];
            values.iter().zip(&span.weights).map(|(value, weight)| value * weight).sum::<f32>()
        }));
    }
    ImageF32 { width, height, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_survives_any_size() {
        let image = ImageF32::from_fn(37, 23, |x, y| ((x * 7 + y * 13) % 31) as f32);
        let mean = |image: &ImageF32| image.data.iter().sum::<f32>() / image.data.len() as f32;
        for (width, height) in [(37, 23), (10, 9), (1, 1), (36, 5)] {
            let small = image.resized_area(width, height);
            assert_eq!((small.width, small.height, small.data.len()), (width, height, width * height));
            assert!((mean(&small) - mean(&image)).abs() < 1e-3, "{width}x{height}");
        }
    }
}
