//! `cv2.dilate`, `cv2.erode` and `cv2.getStructuringElement`.

use crate::image_u8::ImageU8;
use viseme_core::{Error, Result};

/// Longest side of a [`StructuringElement`].
const MAX_SIDE: usize = 1023;

/// The neighbours of a pixel that [`dilate`] and [`erode`] look at: the set cells of a small grid whose middle
/// (`width / 2`, `height / 2`) lies on the pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructuringElement {
    /// Columns and rows from the pixel to each neighbour.
    offsets: Vec<(isize, isize)>,
}

impl StructuringElement {
    /// The element of `width` × `height` cells that is set where `is_set(x, y)`.
    ///
    /// # Errors
    /// When a side is 0 or more than 1023, or no cell is set.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut is_set: impl FnMut(usize, usize) -> bool,
    ) -> Result<Self> {
        let middle = ((width / 2) as isize, (height / 2) as isize);
        let mut offsets = Vec::new();
        if width.max(height) <= MAX_SIDE {
            for y in 0..height {
                let row = (0..width).filter(|&x| is_set(x, y));
                offsets.extend(row.map(|x| (x as isize - middle.0, y as isize - middle.1)));
            }
        }
        if offsets.is_empty() {
            let message = format!("no structuring element of {width} × {height}");
            return Err(Error::invalid_input(message).with_hint("Sides of 1 to 1023 with a cell set."));
        }
        Ok(Self { offsets })
    }

    /// All cells (`MORPH_RECT`).
    ///
    /// # Errors
    /// When a side is 0 or more than 1023.
    pub fn rectangle(width: usize, height: usize) -> Result<Self> {
        Self::from_fn(width, height, |_, _| true)
    }

    /// An ellipse that fills the grid (`MORPH_ELLIPSE`).
    ///
    /// # Errors
    /// When a side is 0 or more than 1023.
    pub fn ellipse(width: usize, height: usize) -> Result<Self> {
        let (centre, radius) = (width as isize / 2, height as isize / 2);
        let inverse = if radius > 0 { 1.0 / (radius * radius) as f64 } else { 0.0 };
        Self::from_fn(width, height, |x, y| {
            let down = y as isize - radius;
            let chord = ((radius * radius - down * down).max(0) as f64 * inverse).sqrt();
            let half = (centre as f64 * chord).round_ties_even() as isize;
            down.abs() <= radius && (x as isize - centre).abs() <= half
        })
    }
}

/// The largest value of each pixel's neighbours, `iterations` times. Neighbours outside the picture do not count.
#[must_use]
pub fn dilate(image: &ImageU8<1>, element: &StructuringElement, iterations: usize) -> ImageU8<1> {
    repeated(image, element, iterations, 0, u8::max)
}

/// The smallest value of each pixel's neighbours, `iterations` times. Neighbours outside the picture do not count.
#[must_use]
pub fn erode(image: &ImageU8<1>, element: &StructuringElement, iterations: usize) -> ImageU8<1> {
    repeated(image, element, iterations, u8::MAX, u8::min)
}

/// Repeated until nothing changes any more or `iterations` are done.
fn repeated(
    image: &ImageU8<1>,
    element: &StructuringElement,
    iterations: usize,
    neutral: u8,
    join: impl Fn(u8, u8) -> u8,
) -> ImageU8<1> {
    let mut image = image.clone();
    for _ in 0..iterations {
        let mut joined = image.map(|_| [neutral]);
        for &offset in &element.offsets {
            join_shifted(&mut joined, &image, offset, &join);
        }
        if joined == image {
            break;
        }
        image = joined;
    }
    image
}

/// Joins every pixel of `joined` with the one of `image` that lies `across` and `down` from it.
fn join_shifted(
    joined: &mut ImageU8<1>,
    image: &ImageU8<1>,
    (across, down): (isize, isize),
    join: impl Fn(u8, u8) -> u8,
) {
    let (width, height) = (image.width() as isize, image.height() as isize);
    let (first, end) = ((-across).max(0), (width - across).min(width));
    if first >= end {
        return;
    }
    for y in (-down).max(0)..(height - down).min(height) {
        let source = &image.row((y + down) as usize)[(first + across) as usize..(end + across) as usize];
        let target = &mut joined.row_mut(y as usize)[first as usize..end as usize];
        for ([value], [neighbour]) in target.iter_mut().zip(source) {
            *value = join(*value, *neighbour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn erosion_is_dilation_of_the_negative(
            width in 1_usize..12, height in 1_usize..12, seed: u8, side in 1_usize..6, times in 0_usize..4,
        ) {
            let image = ImageU8::from_fn(width, height, |x, y| [seed.wrapping_mul((x * 31 + y * 17) as u8)]).unwrap();
            let element = StructuringElement::ellipse(side, side + 1).unwrap();
            let negative = image.map(|[value]| [255 - value]);
            let eroded = erode(&image, &element, times);
            prop_assert_eq!(eroded, dilate(&negative, &element, times).map(|[value]| [255 - value]));
        }
    }

    #[test]
    fn three_small_squares_are_one_large_one() {
        let image = ImageU8::from_fn(20, 15, |x, y| [((x * x * 7 + y * 29) % 256) as u8]).unwrap();
        let small = StructuringElement::rectangle(3, 3).unwrap();
        let large = StructuringElement::rectangle(7, 7).unwrap();
        assert_eq!(erode(&image, &small, 3), erode(&image, &large, 1));
    }

    #[test]
    fn elements_that_cannot_be_are_errors() {
        for (width, height) in [(0, 3), (3, 0), (usize::MAX, 1), (2000, 2000)] {
            assert!(StructuringElement::rectangle(width, height).is_err());
        }
        assert!(StructuringElement::from_fn(3, 3, |_, _| false).is_err());
    }
}
