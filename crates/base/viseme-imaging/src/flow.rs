//! Dense motion between two pictures: for each pixel between them, where it comes from and where it goes to.
//!
//! Lucas and Kanade's least squares ("An iterative image registration technique", 1981) in a Gaussian window around every
//! pixel, from coarse to fine (Bouguet: "Pyramidal implementation of the Lucas Kanade feature tracker", 2000). The
//! unknown motion belongs to the pixels of the picture in between, so that this one is filled without holes
//! (the symmetric form; Alvarez and others: "Symmetrical dense optical flow estimation with occlusions detection", 2007).

use crate::field::DisplacementField;
use crate::image::ImageF32;
use crate::polygon::smoothstep;
use viseme_core::geometry::{PixelRect, Vec2};

/// The coarsest copy has at least so many rows and columns …
const LEAST_SIDE: usize = 12;
/// … and there is no need for one below this longer side: motion is then a pixel or two.
const COARSEST_SIDE: usize = 24;
/// Solutions on each copy; motion beyond a pixel per solution is not followed on that copy.
const ROUNDS: usize = 4;
/// Standard deviation of the window in pixels of each copy.
const WINDOW_SIGMA: f32 = 2.0;
/// Standard deviation of the Gaussian that the motion is smoothed with after each solution, in pixels of each copy.
const SMOOTH_SIGMA: f32 = 1.2;
/// What holds the motion where nothing is to be seen, in squared gray levels per pixel: below it there is only noise.
const STIFFNESS: f32 = 2.0;
/// How strongly a guess of weight 1 holds against what is seen, in the same unit: as a soft edge does.
const GUESS_STIFFNESS: f32 = 60.0;

/// Change of the motion per pixel up to which it is believed: a head that comes nearer by a quarter and turns by ten degrees
/// is below …
const BELIEVED_STRAIN: f32 = 0.3;
/// … and from which on it is not: what is in one picture alone seems to shrink to nothing in the other.
const DOUBTED_STRAIN: f32 = 0.8;
/// Standard deviation of the Gaussian that spreads the doubt over what moves like that, as a share of the longer side.
const DOUBT_SIGMA: f32 = 0.02;

/// Motion at each pixel of a picture, in its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// Rightwards.
    pub dx: ImageF32,
    /// Downwards.
    pub dy: ImageF32,
}

/// What is known of the motion beforehand.
#[derive(Debug, Clone, PartialEq)]
pub struct MotionGuess {
    /// The motion.
    pub motion: Motion,
    /// How much it is to be trusted at each pixel, 0 to 1.
    pub weight: ImageF32,
}

impl Motion {
    /// No motion in a picture of this size.
    #[must_use]
    pub fn still(width: usize, height: usize) -> Self {
        let zero = ImageF32::filled(width, height, 0.0);
        Self { dx: zero.clone(), dy: zero }
    }

    /// The motion from `first` to `second`, on the pixels of the picture that lies `share` (0 to 1) of the way between
    /// them: what is seen at `p` there is at `p - share * motion` in `first` and at `p + (1 - share) * motion` in `second`.
    ///
    /// Both are gray, 0 to 255, and of one size. `guess`, of the same size, steers it where the motion is too large or
    /// the pictures too unlike to find each other.
    #[must_use]
    pub fn between(first: &ImageF32, second: &ImageF32, share: f32, guess: Option<&MotionGuess>) -> Self {
        let mut sizes = vec![(first.width, first.height)];
        while let Some(&(width, height)) = sizes.last() {
            if width.min(height) < 2 * LEAST_SIDE || width.max(height) < 2 * COARSEST_SIDE {
                break;
            }
            sizes.push((width / 2, height / 2));
        }
        let mut motion: Option<Self> = None;
        for &(width, height) in sizes.iter().rev() {
            let pair = [first, second].map(|image| image.resized_area(width, height));
            let guess = guess.map(|guess| guess.resized(width, height));
            let start = match (motion.take(), &guess) {
                (Some(coarse), _) => coarse.resized(width, height),
                (None, Some(guess)) => guess.weighted(),
                (None, None) => Self::still(width, height),
            };
            motion = Some((0..ROUNDS).fold(start, |motion, _| motion.refined(&pair, share, guess.as_ref())));
        }
        let motion = motion.unwrap_or_else(|| Self::still(first.width, first.height));
        motion.believed(guess.map(|guess| &guess.weight))
    }

    /// The same motion times `factor` as the backward displacements of a picture of another size, `region`.
    #[must_use]
    pub fn field(&self, region: PixelRect, factor: f32) -> DisplacementField {
        let (columns, rows) = (self.dx.width.max(2), self.dx.height.max(2));
        let along = |extent: u32, count: usize, size: usize| {
            let scale = extent as f32 / size as f32;
            (0..count)
                .map(|i| (i as f32 * (extent - 1) as f32 / (count - 1) as f32 + 0.5) / scale - 0.5)
                .collect::<Vec<_>>()
        };
        let (xs, ys) =
            (along(region.width, columns, self.dx.width), along(region.height, rows, self.dx.height));
        let nodes = |image: &ImageF32, factor: f32| -> Vec<f32> {
            let node = |y: f32, x: f32| factor * image.bilinear(Vec2::new(x, y));
            ys.iter().flat_map(|&y| xs.iter().map(move |&x| node(y, x))).collect()
        };
        let dx = nodes(&self.dx, factor * region.width as f32 / self.dx.width as f32);
        let dy = nodes(&self.dy, factor * region.height as f32 / self.dy.height as f32);
        DisplacementField { region, columns, rows, dx, dy }
    }

    /// The same without what no body does: where the motion changes faster than a turn or an approach would have it, it is
    /// taken back, unless a guess of weight 1 stands for it.
    fn believed(self, weight: Option<&ImageF32>) -> Self {
        let ((xx, xy), (yx, yy)) = (gradient(&self.dx), gradient(&self.dy));
        let squares = |a: ImageF32, b: &ImageF32| a.zip(b, |a, b| a * a + b * b);
        let strain = squares(xx, &xy).zip(&squares(yx, &yy), |a, b| (a + b).sqrt());
        let sigma = DOUBT_SIGMA * strain.width.max(strain.height) as f32;
        let belief = strain.blurred(sigma).map(|strain| smoothstep(DOUBTED_STRAIN, BELIEVED_STRAIN, strain));
        let belief = match weight {
            Some(weight) => belief.zip(weight, f32::max),
            None => belief,
        };
        let times = |image: ImageF32| image.zip(&belief, |motion, belief| motion * belief);
        Self { dx: times(self.dx), dy: times(self.dy) }
    }

    /// `image` seen through this motion times `factor`, bilinear.
    fn seen(&self, image: &ImageF32, factor: f32) -> ImageF32 {
        let stride = image.width;
        let at = |index: usize| {
            let (x, y) = ((index % stride) as f32, (index / stride) as f32);
            image.bilinear(Vec2::new(x + factor * self.dx.data[index], y + factor * self.dy.data[index]))
        };
        let data = (0..image.data.len()).map(at).collect();
        ImageF32 { width: image.width, height: image.height, data }
    }

    /// One solution: moved by at most a pixel towards what makes both pictures alike.
    fn refined(&self, [first, second]: &[ImageF32; 2], share: f32, guess: Option<&MotionGuess>) -> Self {
        let (before, after) = (self.seen(first, -share), self.seen(second, 1.0 - share));
        // How the difference changes with the motion.
        let (gx, gy) =
            gradient(&after.clone().zip(&before, |after, before| (1.0 - share) * after + share * before));
        let difference = after.zip(&before, |after, before| after - before);
        let windowed = |u: &ImageF32, v: &ImageF32| u.clone().zip(v, |u, v| u * v).blurred(WINDOW_SIGMA);
        let (xx, xy, yy) = (windowed(&gx, &gx), windowed(&gx, &gy), windowed(&gy, &gy));
        let (xd, yd) = (windowed(&gx, &difference), windowed(&gy, &difference));
        let mut refined = self.clone();
        for (i, (dx, dy)) in refined.dx.data.iter_mut().zip(&mut refined.dy.data).enumerate() {
            let pull = guess.map_or(0.0, |guess| GUESS_STIFFNESS * guess.weight.data[i]);
            let towards =
                |motion: f32, guess: Option<&ImageF32>| guess.map_or(0.0, |g| pull * (g.data[i] - motion));
            let right_x = towards(*dx, guess.map(|guess| &guess.motion.dx)) - xd.data[i];
            let right_y = towards(*dy, guess.map(|guess| &guess.motion.dy)) - yd.data[i];
            let (across, mixed, down) =
                (xx.data[i] + STIFFNESS + pull, xy.data[i], yy.data[i] + STIFFNESS + pull);
            // Not below STIFFNESS²: the window's matrix is positive.
            let determinant = across * down - mixed * mixed;
            *dx += ((down * right_x - mixed * right_y) / determinant).clamp(-1.0, 1.0);
            *dy += ((across * right_y - mixed * right_x) / determinant).clamp(-1.0, 1.0);
        }
        Self { dx: refined.dx.blurred(SMOOTH_SIGMA), dy: refined.dy.blurred(SMOOTH_SIGMA) }
    }

    /// The same motion in a picture of another size.
    fn resized(&self, width: usize, height: usize) -> Self {
        let (from_x, from_y) = (self.dx.width as f32 / width as f32, self.dx.height as f32 / height as f32);
        let resized = |image: &ImageF32, from: f32| {
            if width <= image.width && height <= image.height {
                return image.resized_area(width, height).map(|value| value / from);
            }
            ImageF32::from_fn(width, height, |x, y| {
                let place = Vec2::new((x as f32 + 0.5) * from_x - 0.5, (y as f32 + 0.5) * from_y - 0.5);
                image.bilinear(place) / from
            })
        };
        Self { dx: resized(&self.dx, from_x), dy: resized(&self.dy, from_y) }
    }
}

impl MotionGuess {
    fn resized(&self, width: usize, height: usize) -> Self {
        Self { motion: self.motion.resized(width, height), weight: self.weight.resized_area(width, height) }
    }

    /// The motion where it is to be trusted, none elsewhere.
    fn weighted(&self) -> Motion {
        let times = |image: &ImageF32| image.clone().zip(&self.weight, |value, weight| value * weight);
        Motion { dx: times(&self.motion.dx), dy: times(&self.motion.dy) }
    }
}

/// Change per pixel, rightwards and downwards, from the neighbours on both sides.
fn gradient(image: &ImageF32) -> (ImageF32, ImageF32) {
    let (width, height) = (image.width, image.height);
    let mut gx = ImageF32::filled(width, height, 0.0);
    let mut gy = gx.clone();
    for y in 0..height {
        let (above, below) = (image.row(y.saturating_sub(1)), image.row((y + 1).min(height - 1)));
        let row = image.row(y);
        for (x, (above, below)) in above.iter().zip(below).enumerate() {
            gx.row_mut(y)[x] = 0.5 * (row[(x + 1).min(width - 1)] - row[x.saturating_sub(1)]);
            gy.row_mut(y)[x] = 0.5 * (below - above);
        }
    }
    (gx, gy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Soft blobs of many sizes, moved by (x, y).
    fn texture(width: usize, height: usize, shift: Vec2) -> ImageF32 {
        ImageF32::from_fn(width, height, |x, y| {
            let (x, y) = (x as f32 - shift.x, y as f32 - shift.y);
            let waves =
                (0.11 * x + 0.05 * y).sin() + (0.07 * y - 0.19 * x).cos() + (0.31 * x + 0.27 * y).sin();
            128.0 + 30.0 * waves + 20.0 * (0.23 * y).sin()
        })
    }

    /// The largest error of the motion away from the edges.
    fn worst(motion: &Motion, wanted: impl Fn(f32, f32) -> Vec2, margin: usize) -> f32 {
        let (width, height) = (motion.dx.width, motion.dx.height);
        let places = (margin..height - margin).flat_map(|y| (margin..width - margin).map(move |x| (x, y)));
        places
            .map(|(x, y)| {
                let at = y * width + x;
                (Vec2::new(motion.dx.data[at], motion.dy.data[at]) - wanted(x as f32, y as f32)).length()
            })
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_shift_is_found_at_every_share() {
        let shift = Vec2::new(7.0, -4.0);
        let (first, second) = (texture(160, 120, Vec2::default()), texture(160, 120, shift));
        for share in [0.0, 0.3, 0.5, 1.0] {
            let motion = Motion::between(&first, &second, share, None);
            let error = worst(&motion, |_, _| shift, 20);
            assert!(error < 0.5, "{error} px at {share}");
        }
    }

    #[test]
    fn growing_and_turning_is_found() {
        let (width, height) = (160, 120);
        let moved = |x: f32, y: f32| {
            let (u, v) = (x - 80.0, y - 60.0);
            Vec2::new(0.04 * u - 0.05 * v, 0.05 * u + 0.04 * v)
        };
        let first = texture(width, height, Vec2::default());
        // Backwards: what is at p in the second was at p - moved(p) in the first, to first order.
        let second = ImageF32::from_fn(width, height, |x, y| {
            let p = Vec2::new(x as f32, y as f32);
            let back = p - moved(p.x, p.y) * (1.0 / 1.04);
            first.bicubic(back)
        });
        let motion = Motion::between(&first, &second, 0.0, None);
        let error = worst(&motion, moved, 24);
        assert!(error < 0.8, "{error} px");
    }

    #[test]
    fn where_nothing_is_to_be_seen_the_guess_holds() {
        let flat = ImageF32::filled(64, 48, 90.0);
        let guess = MotionGuess {
            motion: Motion { dx: ImageF32::filled(64, 48, 9.0), dy: ImageF32::filled(64, 48, -3.0) },
            weight: ImageF32::filled(64, 48, 1.0),
        };
        let motion = Motion::between(&flat, &flat, 0.5, Some(&guess));
        assert!(worst(&motion, |_, _| Vec2::new(9.0, -3.0), 0) < 0.1);
        let still = Motion::between(&flat, &flat, 0.5, None);
        assert!(worst(&still, |_, _| Vec2::default(), 0) < 1e-6);
    }

    #[test]
    fn what_is_in_one_picture_alone_stays_where_it_is() {
        let still = texture(160, 120, Vec2::default());
        let disc = ImageF32::from_fn(160, 120, |x, y| {
            let is_inside = (x as f32 - 80.0).hypot(y as f32 - 60.0) < 18.0;
            if is_inside { 240.0 } else { still.at(x as i64, y as i64) }
        });
        for share in [0.1, 0.5, 0.9] {
            let motion = Motion::between(&disc, &still, share, None);
            let most = worst(&motion, |_, _| Vec2::default(), 0);
            assert!(most < 3.0, "{most} px at {share}");
        }
    }

    #[test]
    fn a_field_of_another_size_moves_as_far_in_its_own_pixels() {
        let motion = Motion { dx: ImageF32::filled(40, 30, 2.0), dy: ImageF32::filled(40, 30, -1.0) };
        let field = motion.field(PixelRect::of_size(160, 90), 0.5);
        let found = field.at(Vec2::new(70.0, 40.0));
        assert!((found.x - 4.0).abs() < 1e-4 && (found.y + 1.5).abs() < 1e-4, "{found:?}");
    }

    proptest! {
        #[test]
        fn any_pictures_have_a_finite_motion(
            (width, height) in (1usize..70, 1usize..70),
            share in 0f32..=1.0,
            seed in 0u32..1000,
        ) {
            let noise = |seed: u32| ImageF32::from_fn(width, height, |x, y| {
                let mixed = (x as u32).wrapping_mul(0x9E37_79B9) ^ (y as u32).wrapping_mul(0x85EB_CA6B) ^ seed;
                (mixed.wrapping_mul(0xC2B2_AE35) >> 24) as f32
            });
            let motion = Motion::between(&noise(seed), &noise(seed + 1), share, None);
            prop_assert!(motion.dx.data.iter().chain(&motion.dy.data).all(|value| value.is_finite()));
            prop_assert!(motion.field(PixelRect::of_size(33, 17), 1.0).dx.iter().all(|value| value.is_finite()));
        }
    }
}
