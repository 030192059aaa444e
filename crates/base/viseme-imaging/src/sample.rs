//! Values between the samples: bilinear and bicubic interpolation.

#![expect(
    clippy::inline_always,
    reason = "loops and what they call are compiled several times: see `WideLoop`"
)]

use crate::image::ImageF32;
use crate::simd::{WideLoop, widest};
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

/// The whole number nearest to a value between −4 and 4 million.
#[inline(always)]
pub(crate) fn nearest(value: f32) -> i32 {
    /// Floats from 2²³ to 2²⁴ are whole numbers, told apart by their last bits: this one is in their middle. An order of
    /// magnitude faster than a conversion with its checks, and done for several values at once.
    const MIDDLE: f32 = 12_582_912.0;
    (value + MIDDLE).to_bits() as i32 - MIDDLE.to_bits() as i32
}

/// A value brought between two bounds; `least` for one that is no number.
#[inline(always)]
pub(crate) fn between(value: f32, least: f32, most: f32) -> f32 {
    let value = if value > least { value } else { least };
    if value < most { value } else { most }
}

/// A position, brought [`between`] `least` and `most`, as the whole number below it and what lies beyond. Both bounds are from 0 to 4
/// million.
#[inline(always)]
pub(crate) fn split(position: f32, least: f32, most: f32) -> (u32, f32) {
    let position = between(position, least, most);
    let whole = nearest(position);
    let whole = whole - i32::from(whole as f32 > position);
    (whole as u32, position - whole as f32)
}

/// The bicubic value of an image between the second and the third of four rows and columns, which begin at `x` and `y`; these are
/// in steps of the cubic table, like what lies beyond. 0 outside the image.
#[inline(always)]
pub(crate) fn cubic(image: &ImageF32, x: usize, y: usize) -> f32 {
    let (stride, start) = (image.width, y / CUBIC_STEPS * image.width + x / CUBIC_STEPS);
    // One check for all four rows.
    let Some(block) = image.data.get(start..start + 3 * stride + 4) else { return 0.0 };
    let row = |j: usize| block[j * stride..].first_chunk();
    let (Some(first), Some(second), Some(third), Some(fourth)) = (row(0), row(1), row(2), row(3)) else {
        return 0.0;
    };
    let (columns, lines) = (&CUBIC_TABLE[x % CUBIC_STEPS], &CUBIC_TABLE[y % CUBIC_STEPS]);
    weighted_sum([first, second, third, fourth], columns, lines)
}

/// As [`cubic`], but bilinear between the two samples in the middle of each of the two rows in the middle.
#[inline(always)]
fn linear(image: &ImageF32, x: usize, y: usize) -> f32 {
    let start = (y / CUBIC_STEPS + 1) * image.width + x / CUBIC_STEPS + 1;
    let Some(block) = image.data.get(start..start + image.width + 2) else { return 0.0 };
    let (Some(&[a, b]), Some(&[c, d])) = (block.first_chunk(), block.last_chunk()) else { return 0.0 };
    let share = |steps: usize| (steps % CUBIC_STEPS) as f32 / CUBIC_STEPS as f32;
    let (above, below) = (a + (b - a) * share(x), c + (d - c) * share(x));
    above + (below - above) * share(y)
}

/// The sum over four rows of four samples each, weighted by column and row.
#[inline(always)]
fn weighted_sum(rows: [&[f32; 4]; 4], columns: &[f32; 4], lines: &[f32; 4]) -> f32 {
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

/// Repeated edge values that [`Resampling`] has on each side, so that no read needs a check.
const PADDING: i64 = 3;

/// Pixels whose positions are found together.
const LANES: usize = 8;

/// The values that the pixels of a picture have in an image, row by row, through an affine map.
struct Resampling<'a, V> {
    /// The image with its edges repeated.
    padded: ImageF32,
    image_from_picture: &'a Affine,
    width: usize,
    height: usize,
    /// The value for the first of four columns and rows, in steps of the cubic table: [`cubic`] or [`linear`].
    value: V,
}

impl<'a, V: Fn(&ImageF32, usize, usize) -> f32> Resampling<'a, V> {
    fn new(image: &ImageF32, image_from_picture: &'a Affine, width: usize, height: usize, value: V) -> Self {
        let more = 2 * PADDING as usize;
        let padded = image.cropped(-PADDING, -PADDING, image.width + more, image.height + more);
        Self { padded, image_from_picture, width, height, value }
    }

    /// A position in the image in steps from the sample before the one that it lies behind.
    #[inline(always)]
    fn steps(position: f32, extent: usize) -> u32 {
        // From one sample before the image to one after it; further out there is only its edge again. A broken map cannot leave it.
        let (whole, beyond) = split(position + PADDING as f32, 2.0, (extent - 3) as f32);
        let (steps, _) = split(beyond * CUBIC_STEPS as f32 + 0.5, 0.0, CUBIC_STEPS as f32);
        (whole - 1) * CUBIC_STEPS as u32 + steps
    }
}

impl<V: Fn(&ImageF32, usize, usize) -> f32> WideLoop for Resampling<'_, V> {
    type Output = ImageF32;

    #[inline(always)]
    fn run(self) -> ImageF32 {
        let [a, b, c, d, e, f] = self.image_from_picture.rows;
        let (origin, right, down) = (Vec2::new(c, f), Vec2::new(a, d), Vec2::new(b, e));
        let mut picture = ImageF32::filled(self.width, self.height, 0.0);
        for y in 0..self.height {
            let start = origin + down * y as f32;
            for (part, out) in picture.row_mut(y).chunks_mut(LANES).enumerate() {
                let (mut columns, mut rows) = ([0; LANES], [0; LANES]);
                for lane in 0..LANES {
                    let x = (part * LANES + lane) as f32;
                    columns[lane] = Self::steps(start.x + right.x * x, self.padded.width);
                    rows[lane] = Self::steps(start.y + right.y * x, self.padded.height);
                }
                for (out, (column, row)) in out.iter_mut().zip(columns.into_iter().zip(rows)) {
                    *out = (self.value)(&self.padded, column as usize, row as usize);
                }
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
        widest(Resampling::new(self, image_from_picture, width, height, cubic))
    }

    /// As [`resampled`](Self::resampled), but bilinear: it never leaves the range of the values.
    #[must_use]
    pub fn resampled_linear(&self, image_from_picture: &Affine, width: usize, height: usize) -> Self {
        widest(Resampling::new(self, image_from_picture, width, height, linear))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_split_at_the_whole_number_below_it() {
        let largest = 4_000_000.0;
        for (position, wanted) in [
            (0.0, (0, 0.0)),
            (0.5, (0, 0.5)),
            (1.0, (1, 0.0)),
            (2.75, (2, 0.75)),
            (1_234_567.5, (1_234_567, 0.5)),
            (-3.0, (0, 0.0)),
            (f32::INFINITY, (4_000_000, 0.0)),
            (f32::NAN, (0, 0.0)),
        ] {
            assert_eq!(split(position, 0.0, largest), wanted);
        }
        for i in 0..100_000_u32 {
            let position = i as f32 * 0.377;
            let (whole, beyond) = split(position, 0.0, largest);
            assert_eq!((whole as f32, beyond), (position.floor(), position - position.floor()));
        }
        assert_eq!(split(7.3, 2.0, 5.0), (5, 0.0));
    }

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
