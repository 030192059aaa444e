//! Whether a patch can be seen to end: steps of brightness that follow the outline of a mask.
//!
//! Points on outlines one outside the other are compared. A face changes little from one outline to the next, and evenly;
//! where a patch ends, most of an outline steps at once. The middle half of its points counts, so that an outline which
//! here and there leaves the face says nothing. Averages over frames leave what stays in one place on the face.

use super::face_crop::FaceCrop;
use viseme_core::geometry::{Rect, Vec2};

/// Outlines of each form, and their distance as a share of the width of the face: pixels 2.5 apart at 256.
const OUTLINES: usize = 28;
const SPACING: f32 = 0.01;
/// The first outline lies this far from the lips, in shares of the width of the face: lips end by themselves.
const FROM_LIPS: f32 = 0.05;
/// The first box is this much smaller than the box of the face, in the same shares.
const INSIDE_BOX: f32 = 0.16;
/// Points of an outline.
const POINTS: usize = 96;
/// A step is compared with those this many outlines away on both sides: the edge of a patch is soft and may take two.
const NEIGHBOURS: [usize; 2] = [2, 3];

/// Averages outlines of a face over its frames.
#[derive(Debug, Clone, Default)]
pub struct SeamMeter {
    /// Outlines around the lips, and boxes about the lower face.
    around_lips: Profile,
    boxes: Profile,
}

/// Sums over frames of the steps from outline to outline.
#[derive(Debug, Clone)]
struct Profile {
    frames: f64,
    /// Signed.
    steps: [f64; OUTLINES - 1],
}

impl Default for Profile {
    fn default() -> Self {
        Self { frames: 0.0, steps: [0.0; OUTLINES - 1] }
    }
}

impl SeamMeter {
    /// Takes a frame.
    pub fn push(&mut self, crop: &FaceCrop) {
        let width = crop.face.width;
        let distance = |k: usize| k as f32 * SPACING * width;
        let lips = Rect::bounding(crop.lips).unwrap_or_default();
        self.around_lips.add(|k| {
            let reach = distance(k) + FROM_LIPS * width;
            let half = Vec2::new(lips.width / 2.0 + reach, lips.height / 2.0 + reach);
            values(crop, |share| rounded(lips.center(), half, share))
        });
        let inner = crop.face.expanded(-INSIDE_BOX * width);
        self.boxes.add(|k| values(crop, |share| lower_sides(&inner.expanded(distance(k)), share)));
    }

    /// The greatest step of brightness (0 to 255) between neighbouring outlines, over what the outlines around it step
    /// by. None before the first frame.
    #[must_use]
    pub fn step(&self) -> Option<f64> {
        Some(self.around_lips.greatest()?.max(self.boxes.greatest()?))
    }
}

impl Profile {
    fn add(&mut self, brightness: impl Fn(usize) -> [f32; POINTS]) {
        let mut inner = brightness(0);
        for (k, sum) in self.steps.iter_mut().enumerate() {
            let outer = brightness(k + 1);
            *sum += f64::from(middle_mean(std::array::from_fn(|i| outer[i] - inner[i])));
            inner = outer;
        }
        self.frames += 1.0;
    }

    fn greatest(&self) -> Option<f64> {
        let reach = NEIGHBOURS[NEIGHBOURS.len() - 1];
        let own = |k: usize| {
            let around: f64 = NEIGHBOURS.iter().map(|d| self.steps[k - d] + self.steps[k + d]).sum();
            let here = self.steps[k] - around / (2.0 * NEIGHBOURS.len() as f64);
            here.abs() / self.frames
        };
        (self.frames > 0.0).then(|| (reach..self.steps.len() - reach).map(own).fold(0.0, f64::max))
    }
}

/// Brightness at the points that `place` gives for shares 0 to 1 of an outline.
fn values(crop: &FaceCrop, place: impl Fn(f32) -> Vec2) -> [f32; POINTS] {
    std::array::from_fn(|i| value(crop, place(i as f32 / POINTS as f32)))
}

/// The mean of the middle half of values.
fn middle_mean(mut values: [f32; POINTS]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let middle = &values[POINTS / 4..POINTS - POINTS / 4];
    middle.iter().sum::<f32>() / middle.len() as f32
}

/// A point of the ellipse about `centre`.
fn rounded(centre: Vec2, half: Vec2, share: f32) -> Vec2 {
    let angle = std::f32::consts::TAU * share;
    Vec2::new(centre.x + half.x * angle.cos(), centre.y + half.y * angle.sin())
}

/// A point on the left, lower and right side of the lower half of a box: those that cross skin.
fn lower_sides(face: &Rect, share: f32) -> Vec2 {
    let (left, right, bottom) = (face.x, face.x + face.width, face.y + face.height);
    let side = face.height / 2.0;
    let along = share * (2.0 * side + face.width);
    if along < side {
        Vec2::new(left, bottom - side + along)
    } else if along < side + face.width {
        Vec2::new(left + along - side, bottom)
    } else {
        Vec2::new(right, bottom - (along - side - face.width))
    }
}

/// Brightness between the pixels.
fn value(crop: &FaceCrop, p: Vec2) -> f32 {
    let (x, y) = (p.x.floor(), p.y.floor());
    let (fx, fy) = (p.x - x, p.y - y);
    let at = |dx: i64, dy: i64| crop.gray.at(x as i64 + dx, y as i64 + dy);
    let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
    upper + (lower - upper) * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_face::points::LIP_COUNT;
    use viseme_imaging::ImageF32;

    /// A shaded face whose pixels for which `is_patch` holds are brighter by `offset`.
    fn step(offset: f32, is_patch: impl Fn(f32, f32) -> bool) -> f64 {
        let face = Rect { x: 32.0, y: 32.0, width: 200.0, height: 240.0 };
        let lips = std::array::from_fn(|i| {
            rounded(Vec2::new(132.0, 200.0), Vec2::new(35.0, 12.0), i as f32 / LIP_COUNT as f32)
        });
        let gray = ImageF32::from_fn(300, 300, |x, y| {
            let patch = if is_patch(x as f32, y as f32) { offset } else { 0.0 };
            80.0 + 0.2 * x as f32 + 10.0 * (y as f32 / 40.0).sin() + patch
        });
        let mut meter = SeamMeter::default();
        meter.push(&FaceCrop { gray, face, lips });
        meter.step().unwrap()
    }

    #[test]
    fn the_edge_of_a_patch_is_seen_round_or_square() {
        let plain = step(0.0, |_, _| false);
        let round = step(8.0, |x, y| ((x - 132.0) / 65.0).powi(2) + ((y - 200.0) / 42.0).powi(2) < 1.0);
        let square = step(8.0, |x, y| (50.0..214.0).contains(&x) && (150.0..254.0).contains(&y));
        assert!(plain < 0.3 && round > 4.0 * plain && square > 4.0 * plain, "{plain} {round} {square}");
        assert_eq!(SeamMeter::default().step(), None);
    }
}
