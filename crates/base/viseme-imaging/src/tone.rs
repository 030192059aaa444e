//! Making a patch sit in its surroundings: the same low frequencies, the same sharpness.

use crate::image::ImageF32;

/// Keeps the weights of the normalised convolution off zero, far from the ring: there the offset fades out.
const LEAST_WEIGHT: f32 = 1e-3;

/// The size at which sharpness is compared, in pixels: that of a mouth region 96 × 68, whatever the video's.
const COMMON_WIDTH: usize = 96;
const COMMON_HEIGHT: usize = 68;

/// Blur before the Laplacian at the common size, in pixels: it takes the grain away.
const GRAIN_SIGMA: f32 = 0.8;

/// The widest blur that [`matching_sigma`] answers, in pixels of the common size.
const WIDEST_MATCH: f32 = 4.0;

/// What to add to `patch` so that its low frequencies go over into those of `base`: the difference between the two,
/// measured where `ring` is above 0 and spread from there by a Gaussian of standard deviation `sigma` pixels
/// (normalised convolution; Knutsson and Westin 1993).
///
/// All three images are of one size and of one plane; weights in `ring` are 0 to 1. It stands for solving Poisson's
/// equation at a fraction of the cost.
#[must_use]
pub fn low_pass_offset(base: &ImageF32, patch: &ImageF32, ring: &ImageF32, sigma: f32) -> ImageF32 {
    let difference =
        base.clone().zip(patch, |base, patch| base - patch).zip(ring, |value, weight| value * weight);
    let weights = ring.blurred(sigma);
    difference.blurred(sigma).zip(&weights, |value, weight| value / (weight + LEAST_WEIGHT))
}

/// How sharp a region of luma is: the variance of the Laplacian at a common size, for samples on 0 to 255.
///
/// `max_value` is the largest sample value of the format. Compare regions that show the same thing at the same size.
#[must_use]
pub fn sharpness(luma: &ImageF32, max_value: u16) -> f32 {
    laplacian_variance(&at_common_size(luma, max_value).blurred(GRAIN_SIGMA))
}

/// The standard deviation, in pixels of `luma`, of the Gaussian that brings the sharpness of `luma` down to
/// `reference` (another's [`sharpness`]). 0 when it is not sharper.
#[must_use]
pub fn matching_sigma(luma: &ImageF32, max_value: u16, reference: f32) -> f32 {
    let small = at_common_size(luma, max_value);
    // Blurs add up by their squares.
    let sharpness_at = |sigma: f32| laplacian_variance(&small.blurred(sigma.hypot(GRAIN_SIGMA)));
    if sharpness_at(0.0) <= reference {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, WIDEST_MATCH);
    for _ in 0..8 {
        let middle = 0.5 * (low + high);
        if sharpness_at(middle) > reference {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high) * luma.width as f32 / small.width as f32
}

/// `luma` blurred until it is no sharper than `reference`; see [`matching_sigma`], whose answer the chroma planes need
/// too.
#[must_use]
pub fn match_sharpness(luma: &ImageF32, max_value: u16, reference: f32) -> ImageF32 {
    luma.blurred(matching_sigma(luma, max_value, reference))
}

/// Never enlarged: blocks would count as edges.
fn at_common_size(luma: &ImageF32, max_value: u16) -> ImageF32 {
    let scale = 255.0 / f32::from(max_value);
    luma.resized_area(COMMON_WIDTH.min(luma.width), COMMON_HEIGHT.min(luma.height)).map(|value| value * scale)
}

/// The variance of the four-neighbour Laplacian, edges repeated.
fn laplacian_variance(image: &ImageF32) -> f32 {
    let count = image.data.len();
    if count == 0 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    for y in 0..image.height {
        let row = image.row(y);
        let (above, below) = (image.row(y.saturating_sub(1)), image.row((y + 1).min(image.height - 1)));
        for x in 0..image.width {
            let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(image.width - 1)]);
            let value = f64::from(left + right + above[x] + below[x] - 4.0 * row[x]);
            sum += value;
            squares += value * value;
        }
    }
    let mean = sum / count as f64;
    (squares / count as f64 - mean * mean) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texture of fixed random values in `0..=255`.
    fn texture(width: usize, height: usize) -> ImageF32 {
        let mut state = 7_u32;
        ImageF32::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as f32
        })
    }

    #[test]
    fn an_even_difference_is_removed_near_the_ring() {
        let base = texture(80, 60);
        let patch = base.clone().map(|value| value - 12.0);
        let ring = ImageF32::from_fn(80, 60, |x, y| {
            f32::from(u8::from(!(10..70).contains(&x) || !(10..50).contains(&y)))
        });
        let offset = low_pass_offset(&base, &patch, &ring, 12.0);
        assert!((offset.at(40, 30) - 12.0).abs() < 0.5, "{}", offset.at(40, 30));
        assert!((offset.at(2, 2) - 12.0).abs() < 0.1);
    }

    #[test]
    fn blurring_lowers_sharpness_and_the_blur_is_found_again() {
        let sharp = texture(192, 136).blurred(1.0);
        for sigma in [1.0, 2.5, 4.0] {
            let reference = sharpness(&sharp.blurred(sigma), 255);
            let found = matching_sigma(&sharp, 255, reference);
            assert!((found / sigma - 1.0).abs() < 0.15, "{found} instead of {sigma}");
            let matched = sharpness(&match_sharpness(&sharp, 255, reference), 255);
            assert!((matched / reference - 1.0).abs() < 0.2, "{matched} instead of {reference}");
        }
        assert!(matching_sigma(&sharp, 255, 1e9) == 0.0);
    }

    #[test]
    fn sharpness_does_not_depend_on_the_bit_depth() {
        let eight = texture(120, 90);
        let ten = eight.clone().map(|value| value * 1023.0 / 255.0);
        assert!((sharpness(&eight, 255) / sharpness(&ten, 1023) - 1.0).abs() < 1e-3);
    }
}
