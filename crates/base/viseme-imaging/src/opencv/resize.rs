//! `cv2.resize`.

use super::taps::{Tap, WEIGHT_BITS, blocks, centred, lanczos4, linear};
use crate::image_u8::ImageU8;
use crate::sample::cubic_weights;
use viseme_core::Result;

/// How [`resize`] finds values between the samples. Named as in `OpenCV`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// `INTER_LINEAR`: two samples each way; what shrinks aliases.
    Linear,
    /// `INTER_AREA`: the mean over the area where both sides shrink; elsewhere blocks with narrow slopes.
    Area,
    /// `INTER_CUBIC`: four samples each way, Keys' kernel with a = −0.75.
    Cubic,
    /// `INTER_LANCZOS4`: eight samples each way.
    Lanczos4,
}

/// The picture in `width` × `height`, edges on edges, as `cv2.resize` makes it.
///
/// Weights have 11 bits after the point and values are rounded once, at the end, as in `OpenCV`'s own code. Its packages
/// for x86 leave cubic to Intel's IPP, which computes in floats: there some values differ by one.
///
/// # Errors
/// When the new picture would be empty or too large.
pub fn resize<const C: usize>(
    image: &ImageU8<C>,
    width: usize,
    height: usize,
    interpolation: Interpolation,
) -> Result<ImageU8<C>> {
    let resized = ImageU8::filled(width, height, [0; C])?;
    let (columns, rows) = (image.width(), image.height());
    let shrinks = width <= columns && height <= rows;
    // OpenCV takes means for halves even when asked for INTER_LINEAR, and rounds those half up, others half to even.
    let halves = 2 * width == columns && 2 * height == rows;
    Ok(match interpolation {
        Interpolation::Area | Interpolation::Linear if halves => means(image, resized, |mean| mean + 0.5),
        Interpolation::Area if shrinks => means(image, resized, f32::round_ties_even),
        Interpolation::Area => {
            weigh(image, resized, &blocks(columns, width), &blocks(rows, height), two_rows)
        }
        Interpolation::Linear => {
            weigh(image, resized, &centred(columns, width, linear), &centred(rows, height, linear), two_rows)
        }
        Interpolation::Cubic => {
            let taps = |from, to| centred(from, to, cubic_weights);
            weigh(image, resized, &taps(columns, width), &taps(rows, height), any_rows)
        }
        Interpolation::Lanczos4 => {
            let taps = |from, to| centred(from, to, lanczos4);
            weigh(image, resized, &taps(columns, width), &taps(rows, height), any_rows)
        }
    })
}

/// Fills `resized` with the means over the areas that its pixels cover, cut after `round`.
fn means<const C: usize>(
    image: &ImageU8<C>,
    mut resized: ImageU8<C>,
    round: impl Fn(f32) -> f32,
) -> ImageU8<C> {
    for channel in 0..C {
        let means = image.channel(channel).resized_area(resized.width(), resized.height());
        for (pixel, mean) in resized.pixels_mut().iter_mut().zip(means.data) {
            pixel[channel] = round(mean) as u8;
        }
    }
    resized
}

/// Fills `resized`: rows first, into whole numbers with 11 bits after the point, then `join` over `N` of them.
fn weigh<const C: usize, const N: usize>(
    image: &ImageU8<C>,
    mut resized: ImageU8<C>,
    across: &[Tap<N>],
    down: &[Tap<N>],
    join: impl Fn([i32; N], [i32; N]) -> u8,
) -> ImageU8<C> {
    // The rows that a tap reads are neighbours: they never meet in this ring.
    let mut ring: [(Option<usize>, Vec<[i32; C]>); N] =
        std::array::from_fn(|_| (None, vec![[0; C]; across.len()]));
    for (y, tap) in down.iter().enumerate() {
        for &row in &tap.samples {
            let (held, sums) = &mut ring[row % N];
            if *held != Some(row) {
                *held = Some(row);
                weigh_row(image.row(row), across, sums);
            }
        }
        let values = resized.row_mut(y).as_flattened_mut();
        let rows: [&[i32]; N] =
            std::array::from_fn(|k| &ring[tap.samples[k] % N].1.as_flattened()[..values.len()]);
        for (i, value) in values.iter_mut().enumerate() {
            *value = join(std::array::from_fn(|k| rows[k][i]), tap.weights);
        }
    }
    resized
}

fn weigh_row<const C: usize, const N: usize>(row: &[[u8; C]], across: &[Tap<N>], sums: &mut [[i32; C]]) {
    for (sum, tap) in sums.iter_mut().zip(across) {
        *sum = [0; C];
        for (&sample, weight) in tap.samples.iter().zip(tap.weights) {
            for (channel, &value) in sum.iter_mut().zip(&row[sample]) {
                *channel += weight * i32::from(value);
            }
        }
    }
}

/// Two rows as `VResizeLinear` joins them: the low bits of each product are dropped.
#[inline]
fn two_rows(values: [i32; 2], weights: [i32; 2]) -> u8 {
    let part = |k: usize| (weights[k] * (values[k] >> 4)) >> 16;
    ((part(0) + part(1) + 2) >> 2).clamp(0, 255) as u8
}

/// Any number of rows, rounded half up at the end.
#[inline]
fn any_rows<const N: usize>(values: [i32; N], weights: [i32; N]) -> u8 {
    let sum: i32 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    let half = 1 << (2 * WEIGHT_BITS - 1);
    ((sum + half) >> (2 * WEIGHT_BITS)).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Interpolation; 4] =
        [Interpolation::Linear, Interpolation::Area, Interpolation::Cubic, Interpolation::Lanczos4];

    proptest! {
        #[test]
        fn an_even_picture_stays_even_at_any_size(
            size in (1_usize..40, 1_usize..40), new in (1_usize..60, 1_usize..60), value: [u8; 3],
        ) {
            let image = ImageU8::filled(size.0, size.1, value).unwrap();
            for interpolation in ALL {
                let resized = resize(&image, new.0, new.1, interpolation).unwrap();
                prop_assert_eq!((resized.width(), resized.height()), new);
                // Rounded weights of a wide kernel need not sum to 1 to the last bit.
                let differs = |pixel: &[u8; 3]| (0..3).any(|c| pixel[c].abs_diff(value[c]) > 1);
                prop_assert!(!resized.pixels().iter().any(differs));
            }
        }

        #[test]
        fn the_same_size_is_the_same_picture(
            width in 1_usize..20, height in 1_usize..20, seed: u8,
        ) {
            let image = ImageU8::from_fn(width, height, |x, y| [seed.wrapping_add((x * 37 + y * 101) as u8)]).unwrap();
            for interpolation in ALL {
                prop_assert_eq!(&resize(&image, width, height, interpolation).unwrap(), &image);
            }
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_errors() {
        let image = ImageU8::filled(1, 1, [7]).unwrap();
        for (width, height) in [(0, 1), (1, 0), (usize::MAX, usize::MAX), (1, 40_000)] {
            assert!(ALL.iter().all(|&how| resize(&image, width, height, how).is_err()));
        }
        assert!(ALL.iter().all(|&how| resize(&image, 32_767, 1, how).is_ok()));
    }
}
