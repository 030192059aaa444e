//! `cv2.warpAffine` with `INTER_LINEAR` and `BORDER_CONSTANT`.

use crate::image_u8::ImageU8;
use viseme_core::geometry::AffineF64;
use viseme_core::{Error, Result};

/// Positions are added up with 10 bits after the point, then cut to 5 for the table of weights.
const POSITION_STEPS: f64 = 1024.0;
const POSITION_BITS: u32 = 10;
const TABLE_BITS: u32 = 5;
const TABLE_STEPS: i64 = 1 << TABLE_BITS;

/// The picture carried into one of `width` × `height` by `target_from_source`: bilinear, `border` where it shows what
/// lies outside, both rounded as `OpenCV` does it (positions to 1/32 of a pixel).
///
/// # Errors
/// When the new picture would be empty or too large, or the map flattens the plane or is not finite.
pub fn warp_affine<const C: usize>(
    image: &ImageU8<C>,
    target_from_source: &AffineF64,
    width: usize,
    height: usize,
    border: [u8; C],
) -> Result<ImageU8<C>> {
    let Some(source_from_target) = target_from_source.inverse() else {
        let hint = "The landmarks behind it lie in one place or on a line.";
        return Err(Error::invalid_input("a map that flattens the picture").with_hint(hint));
    };
    let [a, b, c, d, e, f] = source_from_target.rows;
    // Ten times the range of OpenCV's 32 bits: far outside the picture is outside all the same.
    let fixed = |value: f64| {
        (value * POSITION_STEPS).round_ties_even().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64
    };
    let round = 1 << (POSITION_BITS - TABLE_BITS - 1);
    ImageU8::from_fn(width, height, |x, y| {
        let (column, row) = (x as f64, y as f64);
        let position = |along: f64, offset: f64| {
            (fixed(along * column) + fixed(offset) + round) >> (POSITION_BITS - TABLE_BITS)
        };
        sample(image, position(a, b * row + c), position(d, e * row + f), border)
    })
}

/// The value at a position in steps of 1/32 of a pixel.
fn sample<const C: usize>(image: &ImageU8<C>, x: i64, y: i64, border: [u8; C]) -> [u8; C] {
    let (column, row) = (x >> TABLE_BITS, y >> TABLE_BITS);
    let (across, down) = (x & (TABLE_STEPS - 1), y & (TABLE_STEPS - 1));
    let at = |column: i64, row: i64| {
        let inside = |index: i64, extent: usize| usize::try_from(index).ok().filter(|&i| i < extent);
        match (inside(column, image.width()), inside(row, image.height())) {
            (Some(column), Some(row)) => image.at(column, row),
            _ => border,
        }
    };
    let corners = [at(column, row), at(column + 1, row), at(column, row + 1), at(column + 1, row + 1)];
    let weights = [
        (TABLE_STEPS - across) * (TABLE_STEPS - down),
        across * (TABLE_STEPS - down),
        (TABLE_STEPS - across) * down,
        across * down,
    ];
    std::array::from_fn(|channel| {
        let sum: i64 = corners.iter().zip(weights).map(|(c, weight)| i64::from(c[channel]) * weight).sum();
        ((sum + TABLE_STEPS * TABLE_STEPS / 2) >> (2 * TABLE_BITS)) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whole_shifts_move_pixels_and_show_the_border(
            width in 1_usize..12, height in 1_usize..12, right in -15_i32..15, down in -15_i32..15,
        ) {
            let image = ImageU8::from_fn(width, height, |x, y| [(x * 7 + y * 19) as u8, 3]).unwrap();
            let map = AffineF64 { rows: [1.0, 0.0, f64::from(right), 0.0, 1.0, f64::from(down)] };
            let warped = warp_affine(&image, &map, width, height, [200, 100]).unwrap();
            for y in 0..height {
                for x in 0..width {
                    let source = |value: usize, by: i32, limit: usize| {
                        usize::try_from(value as i64 - i64::from(by)).ok().filter(|&i| i < limit)
                    };
                    let expected = match (source(x, right, width), source(y, down, height)) {
                        (Some(x), Some(y)) => image.at(x, y),
                        _ => [200, 100],
                    };
                    prop_assert_eq!(warped.at(x, y), expected);
                }
            }
        }

        #[test]
        fn no_map_makes_it_panic(rows: [f64; 6]) {
            let image = ImageU8::filled(3, 2, [50]).unwrap();
            if let Ok(warped) = warp_affine(&image, &AffineF64 { rows }, 4, 4, [50]) {
                prop_assert!(warped.pixels().iter().all(|&pixel| pixel == [50]));
            }
        }
    }

    #[test]
    fn maps_that_flatten_are_errors() {
        let image = ImageU8::filled(3, 2, [50]).unwrap();
        for rows in [[0.0; 6], [f64::NAN; 6], [1.0, 2.0, 0.0, 2.0, 4.0, 0.0], [f64::INFINITY; 6]] {
            assert!(warp_affine(&image, &AffineF64 { rows }, 4, 4, [0]).is_err(), "{rows:?}");
        }
    }
}
