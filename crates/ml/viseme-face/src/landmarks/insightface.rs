//! The landmark nets of `InsightFace`'s `buffalo_l`: 2d106det and 1k3d68.

use super::{HeadPoseModel, PointScheme, SchemeModel, SchemePoints};
use crate::HeadPose;
use crate::alignment::{LANDMARK_CROP_SIZE, landmark_crop};
use crate::blob::Blob;
use crate::canonical::CANONICAL_POINTS;
use crate::net::SingleInput;
use crate::similarity;
use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::{Rect, Vec3};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::warp_affine;
use viseme_models::InferenceSession;

/// RGB, 0 to 255: both graphs of `buffalo_l` start by normalising (`landmark.py`, `input_mean` 0 and `input_std` 1).
const BLOB: Blob = Blob::rgb(0.0, 1.0);
/// Half a crop, the unit in which the nets answer.
const UNIT: f32 = (LANDMARK_CROP_SIZE / 2) as f32;
/// Values that 1k3d68 gives: 1,103 points in space, of which the last 68 are used (`landmark.py`, `lmk_num`).
const DENSE_VALUES: usize = 3309;
/// Points of iBUG that speech does not move, and the same points among ours: corners of the eyes, bridge, tip and wings
/// of the nose, ends of the brows.
const STABLE_PAIRS: [(usize, usize); 16] = [
    (36, 85),
    (39, 86),
    (42, 87),
    (45, 88),
    (27, 89),
    (28, 91),
    (29, 93),
    (30, 114),
    (31, 111),
    (35, 112),
    (33, 115),
    (17, 121),
    (26, 122),
    (21, 119),
    (22, 120),
    (8, 46),
];

/// 2d106det: input `[1, 3, 192, 192]`, output `[1, 212]`.
#[derive(Debug, Clone)]
pub struct InsightFace106(SingleInput);

/// 1k3d68: input `[1, 3, 192, 192]`, output `[1, 3309]`.
#[derive(Debug, Clone)]
pub struct InsightFace68(SingleInput);

impl InsightFace106 {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when it does not take one picture of 192 × 192.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        SingleInput::new(session, LANDMARK_CROP_SIZE, BLOB).map(Self)
    }
}

impl InsightFace68 {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when it does not take one picture of 192 × 192.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        SingleInput::new(session, LANDMARK_CROP_SIZE, BLOB).map(Self)
    }
}

impl SchemeModel for InsightFace106 {
    fn scheme(&self) -> PointScheme {
        PointScheme::InsightFace106
    }

    fn locate(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<SchemePoints> {
        let points = locate(&self.0, image, bbox, 2 * self.scheme().count(), |values| {
            values.chunks_exact(2).map(|v| [v[0], v[1], 0.0]).collect()
        })?;
        Ok(SchemePoints { points, score: None })
    }
}

impl SchemeModel for InsightFace68 {
    fn scheme(&self) -> PointScheme {
        PointScheme::Ibug68
    }

    fn locate(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<SchemePoints> {
        let points = locate(&self.0, image, bbox, DENSE_VALUES, |values| {
            let last = &values[DENSE_VALUES - 3 * PointScheme::Ibug68.count()..];
            // The net counts depth towards the camera.
            last.chunks_exact(3).map(|v| [v[0], v[1], -v[2]]).collect()
        })?;
        Ok(SchemePoints { points, score: None })
    }
}

impl HeadPoseModel for InsightFace68 {
    /// Fitted to our own canonical face, so that all poses mean the same; `InsightFace` itself fits an affine map to its
    /// mean shape ([`pose_of_68`](crate::alignment::pose_of_68)), which differs by a few degrees.
    fn pose(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<Option<HeadPose>> {
        Ok(pose_of(&self.locate(image, bbox)?.points))
    }
}

/// The pose of 68 points in space, in our own conventions.
fn pose_of(points: &[Vec3]) -> Option<HeadPose> {
    let source = STABLE_PAIRS.map(|(_, ours)| CANONICAL_POINTS[ours]);
    let target = STABLE_PAIRS.map(|(theirs, _)| points[theirs]);
    similarity::fit(&source, &target, &[1.0; STABLE_PAIRS.len()]).map(HeadPose::from)
}

/// Crops, runs the net, and carries its answer (−1 to 1 across the crop, x, y, z) back into the picture
/// (`landmark.py`, `get`).
fn locate(
    net: &SingleInput,
    image: &ImageU8<3>,
    bbox: &Rect,
    count: usize,
    points: impl Fn(&[f32]) -> Vec<[f32; 3]>,
) -> Result<Vec<Vec3>> {
    let crop_from_image = landmark_crop(bbox)?;
    let crop = warp_affine(image, &crop_from_image, LANDMARK_CROP_SIZE, LANDMARK_CROP_SIZE, [0; 3])?;
    let values = net.run_one(&crop, count)?;
    // The crop is not turned: its inverse is a scale and a shift.
    let scale = (1.0 / crop_from_image.rows[0]) as f32;
    let [_, _, shift_x, _, _, shift_y] = crop_from_image.rows.map(|value| value as f32);
    let carried = |[x, y, z]: [f32; 3]| {
        Vec3::new(
            ((x + 1.0) * UNIT - shift_x) * scale,
            ((y + 1.0) * UNIT - shift_y) * scale,
            z * UNIT * scale,
        )
    };
    Ok(points(&values).into_iter().map(carried).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};

    #[test]
    fn the_pose_of_68_points_is_in_our_own_conventions() {
        let truth = head([8.0, -20.0, 15.0], 90.0, 300.0, 200.0);
        let face = canonical_face(&truth, 0.0);
        let mut points = vec![Vec3::default(); 68];
        for (theirs, ours) in STABLE_PAIRS {
            points[theirs] = face.points[ours];
        }
        let found = pose_of(&points).unwrap().euler_degrees();
        for (found, wanted) in found.into_iter().zip(truth.euler_degrees()) {
            assert!((found - wanted).abs() < 0.1, "{found} instead of {wanted}");
        }
    }
}
