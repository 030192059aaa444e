//! Head pose: the similarity that takes the canonical face into the image.

use crate::canonical::CANONICAL_POINTS;
use crate::points::{POINT_COUNT, STABLE};
use crate::similarity;
use serde::{Deserialize, Serialize};
use viseme_core::geometry::Vec3;

/// The map from the canonical face (inter-ocular distance 1, x right, y down, z away) to pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadPose {
    /// Pixels per canonical unit: the inter-ocular distance as it would be seen from the front.
    pub scale_px: f32,
    /// Rows of the rotation matrix.
    pub rotation: [[f32; 3]; 3],
    /// Where the canonical origin (the bridge of the nose) lies, in pixels.
    pub translation: Vec3,
}

/// Points whose distance from the first fit is this many times the median lose half of their weight in the second.
const OUTLIER_DISTANCE: f64 = 2.5;

impl HeadPose {
    /// The pose of a face: the similarity that takes the canonical face nearest to the landmarks `points` (in
    /// pixels, z in the same unit), fitted to the [`STABLE`] points alone, so that speech does not turn the head.
    ///
    /// Fitted twice: points that lie far from the first fit (hidden by hair or a hand) count less in the second.
    /// `None` when the points are not finite or all in one place.
    #[must_use]
    pub fn fit(points: &[Vec3; POINT_COUNT]) -> Option<Self> {
        const COUNT: usize = STABLE.end - STABLE.start;
        let (canonical, seen) = (&CANONICAL_POINTS[STABLE], &points[STABLE]);
        let first = Self::from(similarity::fit(canonical, seen, &[1.0; COUNT])?);
        let distances: Vec<f64> = canonical
            .iter()
            .zip(seen)
            .map(|(&from, &to)| f64::from((first.image_from_canonical(from) - to).length()))
            .collect();
        let mut sorted = distances.clone();
        sorted.sort_by(f64::total_cmp);
        let tolerance = (OUTLIER_DISTANCE * sorted[COUNT / 2]).max(f64::EPSILON);
        let weights: Vec<f64> = distances.iter().map(|d| 1.0 / (1.0 + (d / tolerance).powi(2))).collect();
        similarity::fit(canonical, seen, &weights).map(Self::from)
    }

    /// Takes a canonical point into the image.
    #[must_use]
    pub fn image_from_canonical(&self, p: Vec3) -> Vec3 {
        let turn = |row: [f32; 3]| (row[0] * p.x + row[1] * p.y + row[2] * p.z) * self.scale_px;
        Vec3::new(turn(self.rotation[0]), turn(self.rotation[1]), turn(self.rotation[2])) + self.translation
    }

    /// Takes an image point (z in pixels) back into the canonical face.
    #[must_use]
    pub fn canonical_from_image(&self, p: Vec3) -> Vec3 {
        let q = (p - self.translation) * (1.0 / self.scale_px);
        let r = &self.rotation;
        let turn = |column: usize| r[0][column] * q.x + r[1][column] * q.y + r[2][column] * q.z;
        Vec3::new(turn(0), turn(1), turn(2))
    }

    /// `[pitch, yaw, roll]` in degrees, as the viewer sees it: pitch above 0 when the nose points up, yaw above 0
    /// when it points to the right of the picture, roll above 0 when the head is tilted clockwise.
    ///
    /// The rotation is taken apart as yaw · pitch · roll: the head is tilted first and turned last.
    #[must_use]
    pub fn euler_degrees(&self) -> [f32; 3] {
        let r = &self.rotation;
        let pitch = r[1][2].clamp(-1.0, 1.0).asin();
        let yaw = (-r[0][2]).atan2(r[2][2]);
        let roll = r[1][0].atan2(r[1][1]);
        [pitch.to_degrees(), yaw.to_degrees(), roll.to_degrees()]
    }
}

impl From<similarity::Similarity> for HeadPose {
    fn from(found: similarity::Similarity) -> Self {
        Self { scale_px: found.scale, rotation: found.rotation, translation: found.translation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::head;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_pose_of_a_moved_canonical_face_is_found_again(
            pitch in -50f32..50.0, yaw in -70f32..70.0, roll in -170f32..170.0,
            scale in 5f32..900.0, x in -500f32..4000.0, y in -500f32..4000.0,
        ) {
            let truth = head([pitch, yaw, roll], scale, x, y);
            let points = CANONICAL_POINTS.map(|p| truth.image_from_canonical(p));
            let found = HeadPose::fit(&points).unwrap();
            prop_assert!((found.scale_px / scale - 1.0).abs() < 1e-3);
            for (angle, wanted) in found.euler_degrees().into_iter().zip([pitch, yaw, roll]) {
                prop_assert!((angle - wanted).abs() < 0.1, "{angle} instead of {wanted}");
            }
            for p in CANONICAL_POINTS {
                let back = found.canonical_from_image(truth.image_from_canonical(p));
                prop_assert!((back - p).length() < 2e-3);
            }
        }
    }

    #[test]
    fn signs_are_as_seen_by_the_viewer() {
        let nose_tip = Vec3::new(0.0, 0.0, -1.0);
        let right = head([0.0, 30.0, 0.0], 1.0, 0.0, 0.0).image_from_canonical(nose_tip);
        assert!(right.x > 0.4, "yaw above 0 takes the nose to the right of the picture: {right:?}");
        let up = head([20.0, 0.0, 0.0], 1.0, 0.0, 0.0).image_from_canonical(nose_tip);
        assert!(up.y < -0.3, "pitch above 0 takes the nose up: {up:?}");
        let chin = head([0.0, 0.0, 20.0], 1.0, 0.0, 0.0).image_from_canonical(Vec3::new(0.0, 1.0, 0.0));
        assert!(chin.x < -0.3, "roll above 0 is clockwise: the chin goes left: {chin:?}");
    }

    #[test]
    fn a_few_wild_points_hardly_move_the_pose() {
        let truth = head([5.0, -20.0, 8.0], 100.0, 640.0, 360.0);
        let mut points = CANONICAL_POINTS.map(|p| truth.image_from_canonical(p));
        for point in &mut points[STABLE.start..STABLE.start + 4] {
            point.x += 40.0;
        }
        let found = HeadPose::fit(&points).unwrap();
        let yaw_error = (found.euler_degrees()[1] + 20.0).abs();
        assert!(yaw_error < 2.0, "{yaw_error} degrees off");
        assert!((found.translation - truth.translation).length() < 4.0);
    }

    #[test]
    fn points_that_are_not_finite_have_no_pose() {
        assert_eq!(HeadPose::fit(&[Vec3::new(f32::NAN, 0.0, 0.0); POINT_COUNT]), None);
        assert_eq!(HeadPose::fit(&[Vec3::default(); POINT_COUNT]), None);
    }
}
