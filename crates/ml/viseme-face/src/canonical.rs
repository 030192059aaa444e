//! The shape of a mouth without the head's place and turn: canonical coordinates, and the numbers read off them.

use crate::FaceObservation;
pub use crate::canonical_points::CANONICAL_POINTS;
use crate::points::MOUTH_COUNT;
use viseme_core::geometry::Vec3;

/// The [`MOUTH_COUNT`] points that move with speech, in canonical units (inter-ocular distances), in the frame of
/// [`CANONICAL_POINTS`].
#[derive(Debug, Clone, PartialEq)]
pub struct MouthShape(pub Box<[Vec3; MOUTH_COUNT]>);

/// Pairs of points across the lip gap, upper then lower: the middle (13, 14), and left (82, 87) and right (312, 317)
/// of it.
const GAP_PAIRS: [(usize, usize); 3] = [(25, 35), (24, 34), (26, 36)];
/// How much each pair counts; the sum is divided by 2, as in the measure that the nets were judged by.
const GAP_WEIGHTS: [f32; 3] = [0.5, 0.25, 0.25];
/// The corners of the mouth (61, 291).
const CORNERS: (usize, usize) = (0, 10);

impl MouthShape {
    /// The mouth of `face`, carried back into the canonical frame by its head pose.
    #[must_use]
    pub fn of(face: &FaceObservation) -> Self {
        Self(Box::new(std::array::from_fn(|i| face.pose.canonical_from_image(face.points[i]))))
    }

    /// Mean height of the gap between the lips, in canonical units. A wide open mouth has about 0.5.
    #[must_use]
    pub fn opening(&self) -> f32 {
        GAP_PAIRS
            .iter()
            .zip(GAP_WEIGHTS)
            .map(|(&(upper, lower), weight)| weight * self.distance(upper, lower))
            .sum()
    }

    /// Distance between the corners of the mouth, in canonical units. A mouth at rest has about 0.8.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.distance(CORNERS.0, CORNERS.1)
    }

    fn distance(&self, a: usize, b: usize) -> f32 {
        (self.0[a] - self.0[b]).length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::{STABLE, position_of};
    use crate::testing::{canonical_face, head};

    #[test]
    fn pairs_are_the_points_they_are_named_after() {
        let mesh = [(13, 14), (82, 87), (312, 317)];
        assert_eq!(mesh.map(|(a, b)| (position_of(a).unwrap(), position_of(b).unwrap())), GAP_PAIRS);
        assert_eq!((position_of(61).unwrap(), position_of(291).unwrap()), CORNERS);
    }

    #[test]
    fn the_unit_is_the_distance_between_the_eyes() {
        // Outer and inner corners of the left and of the right eye come first among the stable points.
        let eye = |a: usize, b: usize| (CANONICAL_POINTS[a] + CANONICAL_POINTS[b]) * 0.5;
        let (left, right) = (eye(STABLE.start, STABLE.start + 1), eye(STABLE.start + 2, STABLE.start + 3));
        assert!(((right - left).length() - 1.0).abs() < 0.02);
    }

    #[test]
    fn opening_and_width_do_not_change_with_the_head() {
        let near = MouthShape::of(&canonical_face(&head([0.0, 0.0, 0.0], 200.0, 400.0, 300.0), 0.2));
        let far = MouthShape::of(&canonical_face(&head([10.0, -35.0, 15.0], 40.0, 90.0, 80.0), 0.2));
        assert!((near.opening() - far.opening()).abs() < 2e-3);
        assert!((near.width() - far.width()).abs() < 2e-3);
        let closed = MouthShape::of(&canonical_face(&head([0.0, 0.0, 0.0], 200.0, 400.0, 300.0), 0.0));
        assert!((near.opening() - closed.opening() - 0.2).abs() < 5e-3);
    }
}
