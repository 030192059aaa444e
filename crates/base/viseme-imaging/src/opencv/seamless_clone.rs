//! `cv2.seamlessClone` with `NORMAL_CLONE`.

use super::poisson;
use super::{StructuringElement, erode};
use crate::image_u8::ImageU8;
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, Result};

/// How often the mask is eroded by a square of 3 × 3, so that no gradient reaches over its edge.
const EROSIONS: usize = 3;
/// Values are cut, not rounded, as in `OpenCV`. This keeps whole numbers whole when the solver ends a hair below them.
const NEARLY_WHOLE: f64 = 1.0 / 256.0;

/// `target` with `source` blended in where `mask` is set, so that no seam shows: the gradients are the source's, the
/// values around are the target's (Pérez, Gangnet, Blake: "Poisson image editing", 2003).
///
/// `source` and `mask` (0 to 255) are of one size; values between weigh the gradients of both. The outermost pixels of
/// the mask count as 0. The bounding rectangle of what is set is placed so that its middle (`width / 2`, `height / 2`,
/// rounded down) comes to lie on `centre`, a column and a row of the target. The whole rectangle but for its outermost
/// pixels is solved anew; everything else is the target's to the bit. A mask with nothing set changes nothing.
///
/// # Errors
/// When `mask` and `source` differ in size, or the rectangle does not lie in the target.
pub fn seamless_clone<const C: usize>(
    source: &ImageU8<C>,
    target: &ImageU8<C>,
    mask: &ImageU8<1>,
    centre: (usize, usize),
) -> Result<ImageU8<C>> {
    if (mask.width(), mask.height()) != (source.width(), source.height()) {
        return Err(Error::invalid_input("a mask of another size than its picture")
            .with_hint("Resize the mask to the size of the source."));
    }
    let mask = without_edge(mask);
    let mut cloned = target.clone();
    let Some(from) = bounds(&mask) else { return Ok(cloned) };
    let part = |image: &ImageU8<C>, x: usize, y: usize| {
        image.cropped(x, y, from.width as usize, from.height as usize)
    };
    let to = placed(&from, centre).ok_or_else(|| {
        let message = format!("a part of {} × {} does not fit around {centre:?}", from.width, from.height);
        Error::invalid_input(message).with_hint("Move the centre, or make the mask smaller.")
    })?;
    let below = part(target, to.0, to.1)?;
    let (x, y) = (from.x as usize, from.y as usize);
    let mut above = part(source, x, y)?;
    let inside = mask.cropped(x, y, from.width as usize, from.height as usize)?;
    for (pixel, [weight]) in above.pixels_mut().iter_mut().zip(inside.pixels()) {
        *pixel = if *weight > 0 { *pixel } else { [0; C] };
    }
    // Eroded as a whole: what lies around the rectangle is 0 and counts.
    let eroded = erode(&mask, &StructuringElement::rectangle(3, 3)?, EROSIONS);
    let weights = eroded.cropped(x, y, from.width as usize, from.height as usize)?;
    for channel in 0..C {
        blend_channel(&above, &below, &weights, channel, &mut cloned, to)?;
    }
    Ok(cloned)
}

/// The mask, its outermost pixels 0.
fn without_edge(mask: &ImageU8<1>) -> ImageU8<1> {
    let (right, bottom) = (mask.width() - 1, mask.height() - 1);
    let mut inner = mask.clone();
    for (i, pixel) in inner.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (i % (right + 1), i / (right + 1));
        if x == 0 || y == 0 || x == right || y == bottom {
            *pixel = [0];
        }
    }
    inner
}

/// The smallest rectangle around all that is set.
fn bounds(mask: &ImageU8<1>) -> Option<PixelRect> {
    let set = |row: &[[u8; 1]]| row.iter().any(|&[weight]| weight > 0);
    let top = (0..mask.height()).find(|&y| set(mask.row(y)))?;
    let bottom = (0..mask.height()).rfind(|&y| set(mask.row(y)))?;
    let column = |x: usize| (top..=bottom).any(|y| mask.at(x, y) != [0]);
    let left = (0..mask.width()).find(|&x| column(x))?;
    let right = (0..mask.width()).rfind(|&x| column(x))?;
    Some(PixelRect {
        x: left as u32,
        y: top as u32,
        width: (right - left + 1) as u32,
        height: (bottom - top + 1) as u32,
    })
}

/// Where the first pixel of the rectangle comes to lie.
fn placed(from: &PixelRect, centre: (usize, usize)) -> Option<(usize, usize)> {
    let left = centre.0.checked_sub(from.width as usize / 2)?;
    let top = centre.1.checked_sub(from.height as usize / 2)?;
    Some((left, top))
}

/// Solves one channel of the rectangle at `to` of `cloned`. All other images are of its size.
fn blend_channel<const C: usize>(
    above: &ImageU8<C>,
    below: &ImageU8<C>,
    weights: &ImageU8<1>,
    channel: usize,
    cloned: &mut ImageU8<C>,
    to: (usize, usize),
) -> Result<()> {
    let (columns, rows) = (below.width(), below.height());
    if columns < 3 || rows < 3 {
        return Ok(());
    }
    let value = |image: &ImageU8<C>, x: usize, y: usize| f64::from(image.at(x, y)[channel]);
    // The gradient from a pixel to the next, the source's under the mask.
    let gradient = |(x, y): (usize, usize), next: (usize, usize)| {
        let weight = f64::from(weights.at(x, y)[0]) / 255.0;
        let of = |image| value(image, next.0, next.1) - value(image, x, y);
        weight * of(above) + (1.0 - weight) * of(below)
    };
    let is_edge = |x: usize, y: usize| x == 0 || y == 0 || x == columns - 1 || y == rows - 1;
    let (width, height) = (columns - 2, rows - 2);
    let mut laplacian = Vec::with_capacity(width * height);
    for y in 1..=height {
        for x in 1..=width {
            let across = gradient((x, y), (x + 1, y)) - gradient((x - 1, y), (x, y));
            let down = gradient((x, y), (x, y + 1)) - gradient((x, y - 1), (x, y));
            let neighbours = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            let given: f64 =
                neighbours.iter().filter(|&&(x, y)| is_edge(x, y)).map(|&(x, y)| value(below, x, y)).sum();
            laplacian.push(across + down - given);
        }
    }
    let solution = poisson::solve(width, height, laplacian)?;
    for (y, solved) in solution.chunks_exact(width).enumerate() {
        let row = &mut cloned.row_mut(to.1 + 1 + y)[to.0 + 1..][..width];
        for (pixel, value) in row.iter_mut().zip(solved) {
            pixel[channel] = (value + NEARLY_WHOLE).clamp(0.0, 255.0) as u8;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texture(width: usize, height: usize, seed: u8) -> ImageU8<3> {
        let noise = |x: usize, y: usize| seed.wrapping_mul(7).wrapping_add((x * 3 + y * 5) as u8) / 2;
        ImageU8::from_fn(width, height, |x, y| [noise(x, y), noise(y, x), 255 - noise(x, y)]).unwrap()
    }

    proptest! {
        #[test]
        fn a_picture_cloned_onto_itself_stays_and_nothing_panics(
            width in 1_usize..14, height in 1_usize..14, x in 0_usize..30, y in 0_usize..30, seed: u8,
        ) {
            let target = texture(25, 20, seed);
            let mask = ImageU8::filled(width, height, [255]).unwrap();
            let source = texture(width, height, seed.wrapping_add(1));
            if let Ok(cloned) = seamless_clone(&source, &target, &mask, (x, y)) {
                prop_assert_eq!((cloned.width(), cloned.height()), (25, 20));
            }
            if width >= 3 && height >= 3 {
                let place = (x.min(25 - width), y.min(20 - height));
                let same = target.cropped(place.0, place.1, width, height).unwrap();
                let centre = (place.0 + 1 + (width - 2) / 2, place.1 + 1 + (height - 2) / 2);
                prop_assert_eq!(&seamless_clone(&same, &target, &mask, centre).unwrap(), &target);
            }
        }
    }

    #[test]
    fn an_even_shift_of_colour_is_taken_away() {
        let target = texture(40, 40, 3);
        let source = target.cropped(5, 5, 30, 30).unwrap().map(|pixel| pixel.map(|value| value / 2 * 2));
        let brighter = source.map(|pixel| pixel.map(|value| value.saturating_add(1)));
        let mask = ImageU8::filled(30, 30, [255]).unwrap();
        let [a, b] =
            [&source, &brighter].map(|source| seamless_clone(source, &target, &mask, (20, 20)).unwrap());
        let apart = a.pixels().iter().zip(b.pixels()).filter(|(a, b)| a != b).count();
        assert!(apart < 40, "{apart} pixels differ");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (source, target) = (texture(8, 8, 1), texture(10, 10, 2));
        let mask = ImageU8::filled(8, 8, [255]).unwrap();
        for centre in [(0, 5), (5, 1), (9, 5), (usize::MAX, 5)] {
            assert!(seamless_clone(&source, &target, &mask, centre).is_err(), "{centre:?}");
        }
        let other = ImageU8::filled(7, 8, [255]).unwrap();
        assert!(seamless_clone(&source, &target, &other, (5, 5)).is_err());
        let nothing = ImageU8::filled(8, 8, [0]).unwrap();
        assert_eq!(seamless_clone(&source, &target, &nothing, (0, 0)).unwrap(), target);
    }
}
