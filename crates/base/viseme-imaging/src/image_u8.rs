//! Interleaved pictures of 8 bits: what the public models were trained on and are compared with.

use crate::image::ImageF32;
use viseme_core::{Error, ErrorKind, Result};

/// Longest side of an [`ImageU8`]: `OpenCV` keeps coordinates in 16 bits when it warps.
pub const MAX_SIDE: usize = 32_767;
/// Most pixels of an [`ImageU8`]: two pictures of 8K.
pub const MAX_PIXELS: usize = 2 * 7680 * 4320;

/// `C` channels of 8 bits, interleaved, row by row without padding: `OpenCV`'s `CV_8UC1` and `CV_8UC3`, a row of PNG.
///
/// Neither side is 0 or longer than [`MAX_SIDE`]. What the channels mean, and in which order, is the caller's matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageU8<const C: usize> {
    width: usize,
    height: usize,
    pixels: Vec<[u8; C]>,
}

impl<const C: usize> ImageU8<C> {
    /// An image of `width * height` pixels.
    ///
    /// # Errors
    /// When a side is 0 or longer than [`MAX_SIDE`], there would be more than [`MAX_PIXELS`], or `pixels` has not as
    /// many as the sides say.
    pub fn new(width: usize, height: usize, pixels: Vec<[u8; C]>) -> Result<Self> {
        let count = pixel_count(width, height)?;
        if count != pixels.len() {
            let message = format!("{} pixels for a picture of {width} × {height}", pixels.len());
            return Err(Error::invalid_input(message).with_hint("Give one value per pixel and channel."));
        }
        Ok(Self { width, height, pixels })
    }

    /// As [`new`](Self::new), of the bytes of the pixels, channel after channel.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_bytes(width: usize, height: usize, bytes: &[u8]) -> Result<Self> {
        let (pixels, rest) = bytes.as_chunks::<C>();
        if !rest.is_empty() {
            let message = format!("{} bytes are no whole number of pixels of {C} channels", bytes.len());
            return Err(Error::invalid_input(message).with_hint("Give one value per pixel and channel."));
        }
        Self::new(width, height, pixels.to_vec())
    }

    /// An image of one value.
    ///
    /// # Errors
    /// When a side is 0 or longer than [`MAX_SIDE`], or there would be more than [`MAX_PIXELS`].
    pub fn filled(width: usize, height: usize, pixel: [u8; C]) -> Result<Self> {
        let count = pixel_count(width, height)?;
        Ok(Self { width, height, pixels: vec![pixel; count] })
    }

    /// An image whose pixel at column `x` and row `y` is `pixel(x, y)`.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub fn from_fn(
        width: usize,
        height: usize,
        mut pixel: impl FnMut(usize, usize) -> [u8; C],
    ) -> Result<Self> {
        let mut image = Self::filled(width, height, [0; C])?;
        for (y, row) in image.pixels.chunks_exact_mut(width).enumerate() {
            row.iter_mut().enumerate().for_each(|(x, value)| *value = pixel(x, y));
        }
        Ok(image)
    }

    /// Columns, at least 1.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows, at least 1.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[[u8; C]] {
        &self.pixels
    }

    /// All pixels, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [[u8; C]] {
        &mut self.pixels
    }

    /// Row `y`, which must be below the height.
    #[must_use]
    pub fn row(&self, y: usize) -> &[[u8; C]] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// Row `y`, to be changed.
    pub fn row_mut(&mut self, y: usize) -> &mut [[u8; C]] {
        &mut self.pixels[y * self.width..][..self.width]
    }

    /// The pixel at column `x` and row `y`, which must lie in the image.
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> [u8; C] {
        self.row(y)[x]
    }

    /// The part that starts at column `x` and row `y`.
    ///
    /// # Errors
    /// When the part is empty or does not lie in the image.
    pub fn cropped(&self, x: usize, y: usize, width: usize, height: usize) -> Result<Self> {
        let is_inside = |start: usize, extent: usize, limit: usize| {
            start.checked_add(extent).is_some_and(|end| end <= limit)
        };
        if !is_inside(x, width, self.width) || !is_inside(y, height, self.height) {
            let message = format!(
                "a part of {width} × {height} at {x}, {y} of a picture of {} × {}",
                self.width, self.height
            );
            return Err(Error::invalid_input(message).with_hint("Clip the part to the picture first."));
        }
        let rows = (y..y + height).flat_map(|row| &self.row(row)[x..x + width]);
        Self::new(width, height, rows.copied().collect())
    }

    /// One channel as floats on 0 to 255. `channel` must be below `C`.
    #[must_use]
    pub fn channel(&self, channel: usize) -> ImageF32 {
        let data = self.pixels.iter().map(|pixel| f32::from(pixel[channel])).collect();
        ImageF32 { width: self.width, height: self.height, data }
    }

    /// Replaces every pixel by `change` of it.
    #[must_use]
    pub fn map<const D: usize>(&self, change: impl Fn([u8; C]) -> [u8; D]) -> ImageU8<D> {
        let pixels = self.pixels.iter().map(|&pixel| change(pixel)).collect();
        ImageU8 { width: self.width, height: self.height, pixels }
    }
}

/// `width * height`, when a picture may be of that size.
fn pixel_count(width: usize, height: usize) -> Result<usize> {
    if width == 0 || height == 0 {
        let message = format!("a picture of {width} × {height} has no pixels");
        return Err(Error::invalid_input(message).with_hint("Both sides must be 1 pixel or more."));
    }
    let count = width.checked_mul(height).filter(|&count| count <= MAX_PIXELS);
    count.filter(|_| width.max(height) <= MAX_SIDE).ok_or_else(|| {
        let message = format!("a picture of {width} × {height} is too large");
        let hint = format!("Sides of up to {MAX_SIDE} and {MAX_PIXELS} pixels in all are worked on.");
        Error::new(ErrorKind::LimitExceeded, message).with_hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for (width, height) in [(0, 5), (5, 0), (usize::MAX, 2), (32_768, 1), (30_000, 30_000)] {
            assert!(ImageU8::filled(width, height, [0; 3]).is_err(), "{width} × {height}");
        }
        assert!(ImageU8::<3>::from_bytes(2, 1, &[1, 2, 3, 4, 5]).is_err());
        assert!(ImageU8::<3>::from_bytes(2, 1, &[1, 2, 3]).is_err());
        assert_eq!(ImageU8::<3>::from_bytes(1, 1, &[1, 2, 3]).unwrap().at(0, 0), [1, 2, 3]);
    }

    #[test]
    fn parts_outside_are_refused() {
        let image = ImageU8::from_fn(4, 3, |x, y| [(10 * y + x) as u8]).unwrap();
        assert_eq!(image.cropped(1, 1, 2, 2).unwrap().pixels(), [[11], [12], [21], [22]]);
        for (x, y, width, height) in [(3, 0, 2, 1), (0, 2, 1, 2), (1, 1, 0, 1), (usize::MAX, 0, 2, 1)] {
            assert!(image.cropped(x, y, width, height).is_err());
        }
    }
}
