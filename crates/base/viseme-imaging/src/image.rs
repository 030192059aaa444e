//! One channel of floats: what planes are turned into before anything is computed with them.

use crate::frame::{Plane, Samples};
use viseme_core::geometry::PixelRect;

/// One channel, row by row without padding. The scale of the values is that of what it was taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageF32 {
    /// Columns; also the distance between rows.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` values.
    pub data: Vec<f32>,
}

impl ImageF32 {
    /// An image of one value.
    #[must_use]
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self { width, height, data: vec![value; width * height] }
    }

    /// An image whose value at column `x` and row `y` is `value(x, y)`.
    #[must_use]
    pub fn from_fn(width: usize, height: usize, mut value: impl FnMut(usize, usize) -> f32) -> Self {
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            data.extend((0..width).map(|x| value(x, y)));
        }
        Self { width, height, data }
    }

    /// The samples of `plane` that `region` (in samples of the plane) covers, on the scale of the format.
    ///
    /// The part of the region outside the plane repeats the nearest edge sample.
    #[must_use]
    pub fn from_plane(plane: &Plane, region: PixelRect) -> Self {
        let (x, y) = (i64::from(region.x), i64::from(region.y));
        Self::window(plane, x, y, region.width as usize, region.height as usize)
    }

    /// As [`from_plane`](Self::from_plane), for a window that may start left of or above the plane.
    pub(crate) fn window(plane: &Plane, x: i64, y: i64, width: usize, height: usize) -> Self {
        match &plane.samples {
            Samples::U8(samples) => window_of(samples, plane.width as usize, x, y, width, height),
            Samples::U16(samples) => window_of(samples, plane.width as usize, x, y, width, height),
        }
    }

    /// Row `y`.
    #[must_use]
    pub fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..][..self.width]
    }

    /// Row `y`, to be changed.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.data[y * self.width..][..self.width]
    }

    /// The rows from top to bottom. An image without columns has none.
    #[must_use]
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[f32]> {
        self.data.chunks_exact(self.width.max(1))
    }

    /// The value at column `x` and row `y`, the nearest edge value outside. The image must not be empty.
    #[must_use]
    pub fn at(&self, x: i64, y: i64) -> f32 {
        let x = x.clamp(0, self.width as i64 - 1) as usize;
        let y = y.clamp(0, self.height as i64 - 1) as usize;
        self.data[y * self.width + x]
    }

    /// Replaces every value by `change` of it.
    #[must_use]
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
        self.data.iter_mut().for_each(|value| *value = change(*value));
        self
    }

    /// Replaces every value by `join` of it and the value of `other` at the same place. Both must be of one size.
    #[must_use]
    pub fn zip(mut self, other: &Self, join: impl Fn(f32, f32) -> f32) -> Self {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        self.data.iter_mut().zip(&other.data).for_each(|(value, &second)| *value = join(*value, second));
        self
    }

    /// Blends `other` over this image: where `mask` is 0 nothing changes, where it is 1 the value is `other`'s.
    #[must_use]
    pub fn blended(mut self, other: &Self, mask: &Self) -> Self {
        debug_assert_eq!(self.data.len(), other.data.len());
        debug_assert_eq!(self.data.len(), mask.data.len());
        for ((value, &new), &weight) in self.data.iter_mut().zip(&other.data).zip(&mask.data) {
            *value += (new - *value) * weight;
        }
        self
    }

    /// The image with its columns as rows.
    pub(crate) fn transposed(&self) -> Self {
        Self::from_fn(self.height, self.width, |x, y| self.data[x * self.width + y])
    }

    /// A part of the image. The part outside repeats the nearest edge value.
    #[must_use]
    pub fn cropped(&self, x: i64, y: i64, width: usize, height: usize) -> Self {
        window_of(&self.data, self.width, x, y, width, height)
    }
}

/// Copies a window out of `samples` (rows of `stride`), repeating the edges outside.
fn window_of<S: Copy + Into<f32>>(
    samples: &[S],
    stride: usize,
    x: i64,
    y: i64,
    width: usize,
    height: usize,
) -> ImageF32 {
    let rows = samples.len().checked_div(stride).unwrap_or(0);
    if rows == 0 || width == 0 || height == 0 {
        return ImageF32::filled(width, height, 0.0);
    }
    // Columns left of the plane, inside it and right of it.
    let before = (-x).clamp(0, width as i64) as usize;
    let first = x.clamp(0, stride as i64) as usize;
    let inside = (width - before).min(stride - first);
    let mut data = Vec::with_capacity(width * height);
    for row in y..y + height as i64 {
        let source = &samples[row.clamp(0, rows as i64 - 1) as usize * stride..][..stride];
        data.extend(std::iter::repeat_n(source[0].into(), before));
        data.extend(source[first..first + inside].iter().map(|&sample| sample.into()));
        data.extend(std::iter::repeat_n(source[stride - 1].into(), width - before - inside));
    }
    ImageF32 { width, height, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane() -> Plane {
        Plane { width: 4, height: 3, samples: Samples::U8((0..12).collect()) }
    }

    #[test]
    fn a_window_repeats_the_edges() {
        let plane = plane();
        for (x, y, width, height) in
            [(-2, -1, 8, 6), (1, 1, 2, 1), (-9, 0, 3, 2), (7, 5, 3, 2), (3, -7, 1, 9)]
        {
            let window = ImageF32::window(&plane, x, y, width, height);
            for row in 0..height {
                for column in 0..width {
                    let expected = plane.value(x + column as i64, y + row as i64);
                    assert!(
                        (window.row(row)[column] - expected).abs() < f32::EPSILON,
                        "{x} {y} {column} {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn blending_with_a_mask_of_zero_changes_nothing() {
        let image = ImageF32::from_fn(5, 4, |x, y| (x * y) as f32 * 0.37);
        let other = ImageF32::filled(5, 4, 99.0);
        assert_eq!(image.clone().blended(&other, &ImageF32::filled(5, 4, 0.0)), image);
        assert_eq!(image.blended(&other, &ImageF32::filled(5, 4, 1.0)).at(2, 2).round() as i32, 99);
    }
}
