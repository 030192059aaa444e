//! Values between the samples: bilinear and bicubic interpolation.

use crate::image::ImageF32;
use viseme_core::geometry::{Affine, Vec2};
use wide::f32x4;

/// The slope parameter of the cubic kernel (Keys 1981). −0.75 is `OpenCV`'s: a little sharper than Catmull-Rom's −0.5,
/// which keeps more of the texture of skin when it is moved by fractions of a pixel.
const CUBIC_SLOPE: f32 = -0.75;

/// Steps per sample in which positions are told apart by [`CUBIC_TABLE`]: half a step is worth 0.1 of 255 at the
/// steepest edge.
pub(crate) const CUBIC_STEPS: usize = 1024;

/// The weights of the four samples at −1, 0, 1 and 2 for each position after sample 0, in steps.
pub(crate) static CUBIC_TABLE: [[f32; 4]; CUBIC_STEPS] = {
    let mut table = [[0.0; 4]; CUBIC_STEPS];
    let mut step = 0;
    while step < CUBIC_STEPS {
        table[step] = cubic_weights(step as f32 / CUBIC_STEPS as f32);
        step += 1;
    }
    table
};

/// The weights of the four samples at −1, 0, 1 and 2 for a position `t` (0 to 1) after sample 0.
pub(crate) const fn cubic_weights(t: f32) -> [f32; 4] {
    const A: f32 = CUBIC_SLOPE;
    let s = 1.0 - t;
    [
        A * t * s * s,
        1.0 - t * t * ((A + 3.0) - (A + 2.0) * t),
        1.0 - s * s * ((A + 3.0) - (A + 2.0) * s),
        A * s * t * t,
    ]
}

/// The sum over four rows of four samples each, weighted by column and row.
#[inline(always)]
#[expect(clippy::inline_always, reason = "what the loops of `WideLoop` call")]
pub(crate) fn weighted_sum(rows: [&[f32; 4]; 4], columns: &[f32; 4], lines: &[f32; 4]) -> f32 {
    let [first, second, third, fourth] = rows.map(|row| f32x4::new(*row));
    let lines = lines.map(f32x4::splat);
    let (above, below) = (first * lines[0] + second * lines[1], third * lines[2] + fourth * lines[3]);
    let [a, b, c, d] = ((above + below) * f32x4::new(*columns)).to_array();
    (a + c) + (b + d)
}

impl ImageF32 {
    /// The value at a fractional position, bilinear, the edges repeated. The image must not be empty.
    #[must_use]
    pub fn bilinear(&self, p: Vec2) -> f32 {
        let (x, y) = (p.x.floor(), p.y.floor());
        let (u, v) = (p.x - x, p.y - y);
        let (x, y) = (x as i64, y as i64);
        let top = self.at(x, y) * (1.0 - u) + self.at(x + 1, y) * u;
        let bottom = self.at(x, y + 1) * (1.0 - u) + self.at(x + 1, y + 1) * u;
        top + (bottom - top) * v
    }

    /// The value at a fractional position by cubic convolution over 4 × 4 samples (`OpenCV`'s kernel, a = −0.75), the
    /// edges repeated. May overshoot the range of the samples. The image must not be empty.
    #[must_use]
    pub fn bicubic(&self, p: Vec2) -> f32 {
        let (x, y) = (p.x.floor(), p.y.floor());
        let columns = cubic_weights(p.x - x);
        let lines = cubic_weights(p.y - y);
        let (x, y) = (x as i64 - 1, y as i64 - 1);
        let rows = [0, 1, 2, 3].map(|j| [0, 1, 2, 3].map(|i| self.at(x + i, y + j)));
        weighted_sum([&rows[0], &rows[1], &rows[2], &rows[3]], &columns, &lines)
    }
}

/// Repeated edge values that [`Walk`] has on each side, so that no read needs a check.
const PADDING: i64 = 3;

/// The positions that the pixels of a picture have in an image, row by row, through an affine map.
struct Walk {
    padded: ImageF32,
    origin: Vec2,
    right: Vec2,
    down: Vec2,
}

impl Walk {
    fn new(image: &ImageF32, image_from_picture: &Affine) -> Self {
        let [a, b, c, d, e, f] = image_from_picture.rows;
        let more = 2 * PADDING as usize;
        Self {
            padded: image.cropped(-PADDING, -PADDING, image.width + more, image.height + more),
            origin: Vec2::new(c, f),
            right: Vec2::new(a, d),
            down: Vec2::new(b, e),
        }
    }

    /// An image of `value(samples from the one before the position on, columns beyond it, rows beyond it)`, the last two in
    /// steps of the cubic table.
    fn picture(&self, width: usize, height: usize, value: impl Fn(&[f32], usize, usize) -> f32) -> ImageF32 {
        // From one sample before the image to one after it; further out there is only its edge again.
        let fixed = |v: f32, extent: usize| {
            // A broken map cannot leave the image: `max` drops NaN.
            let position = (v + PADDING as f32).max(2.0).min((extent - 3) as f32);
            (position * CUBIC_STEPS as f32 + 0.5) as i32 as usize
        };
        let mut picture = ImageF32::filled(width, height, 0.0);
        for y in 0..height {
            let start = self.origin + self.down * y as f32;
            for (x, out) in picture.row_mut(y).iter_mut().enumerate() {
                let p = start + self.right * x as f32;
                let (column, row) = (fixed(p.x, self.padded.width), fixed(p.y, self.padded.height));
                let first = (row / CUBIC_STEPS - 1) * self.padded.width + column / CUBIC_STEPS - 1;
                *out = value(&self.padded.data[first..], column % CUBIC_STEPS, row % CUBIC_STEPS);
            }
        }
        picture
    }
}

impl ImageF32 {
    /// The values where the pixels of a picture of `width` × `height` lie in this image: bicubic as [`bicubic`](Self::bicubic),
    /// positions rounded to 1/1024.
    #[must_use]
    pub fn resampled(&self, image_from_picture: &Affine, width: usize, height: usize) -> Self {
        let walk = Walk::new(self, image_from_picture);
        let stride = walk.padded.width;
        walk.picture(width, height, |samples, across, down| {
            let row = |j: usize| samples.get(j * stride..)?.first_chunk();
            let (Some(first), Some(second), Some(third), Some(fourth)) = (row(0), row(1), row(2), row(3))
            else {
                return 0.0;
            };
            weighted_sum([first, second, third, fourth], &CUBIC_TABLE[across], &CUBIC_TABLE[down])
        })
    }

    /// As [`resampled`](Self::resampled), but bilinear: it never leaves the range of the values.
    #[must_use]
    pub fn resampled_linear(&self, image_from_picture: &Affine, width: usize, height: usize) -> Self {
        let walk = Walk::new(self, image_from_picture);
        let stride = walk.padded.width;
        walk.picture(width, height, |samples, across, down| {
            let row = |j: usize| samples.get(j * stride + 1..)?.first_chunk();
            let (Some(&[a, b]), Some(&[c, d])) = (row(1), row(2)) else { return 0.0 };
            let share = |steps: usize| steps as f32 / CUBIC_STEPS as f32;
            let (above, below) = (a + (b - a) * share(across), c + (d - c) * share(across));
            above + (below - above) * share(down)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_interpolations_pass_through_the_samples() {
        let image = ImageF32::from_fn(6, 5, |x, y| (x * x + 3 * y) as f32);
        for (x, y) in [(0, 0), (2, 3), (5, 4)] {
            let p = Vec2::new(x as f32, y as f32);
            assert!((image.bilinear(p) - image.at(x, y)).abs() < 1e-5);
            assert!((image.bicubic(p) - image.at(x, y)).abs() < 1e-5);
        }
    }

    #[test]
    fn a_picture_through_a_map_has_the_values_of_its_places() {
        let image = ImageF32::from_fn(9, 7, |x, y| ((x * 31 + y * 17) % 23) as f32);
        // Turned, enlarged and reaching beyond all edges.
        let map = Affine::similarity(0.4, 0.37, Vec2::new(12.0, 9.0), Vec2::new(4.0, 3.0));
        let (cubic, linear) = (image.resampled(&map, 25, 19), image.resampled_linear(&map, 25, 19));
        for (x, y) in (0..25).flat_map(|x| (0..19).map(move |y| (x, y))) {
            let p = map.apply(Vec2::new(x as f32, y as f32));
            let near = |found: f32, wanted: f32| {
                assert!((found - wanted).abs() < 0.1, "{p:?}: {found} for {wanted}");
            };
            if (-1.0..9.0).contains(&p.x) && (-1.0..7.0).contains(&p.y) {
                near(cubic.at(x, y), image.bicubic(p));
            }
            near(linear.at(x, y), image.bilinear(Vec2::new(p.x.clamp(0.0, 8.0), p.y.clamp(0.0, 6.0))));
        }
        let broken = Affine { rows: [f32::NAN; 6] };
        assert_eq!(image.resampled(&broken, 2, 2).data.len(), 4);
    }

    #[test]
    fn cubic_weights_sum_to_one() {
        for step in 0..=8 {
            let sum: f32 = cubic_weights(step as f32 / 8.0).iter().sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_slope_is_reproduced_by_bilinear_interpolation() {
        let image = ImageF32::from_fn(8, 8, |x, y| 2.0 * x as f32 - 0.5 * y as f32);
        assert!((image.bilinear(Vec2::new(3.25, 4.5)) - (6.5 - 2.25)).abs() < 1e-5);
    }
}
