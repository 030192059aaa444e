//! Faces without pictures, for the tests of this crate.

use crate::canonical::CANONICAL_POINTS;
use crate::points::{INNER_LOWER_LIP, OUTER_LOWER_LIP};
use crate::{FaceObservation, HeadPose};
use viseme_core::geometry::Vec3;

/// The pose of a head with `[pitch, yaw, roll]` in degrees whose nose bridge is seen at (x, y).
pub(crate) fn head([pitch, yaw, roll]: [f32; 3], scale_px: f32, x: f32, y: f32) -> HeadPose {
    let (sp, cp) = (-pitch).to_radians().sin_cos();
    let (sy, cy) = (-yaw).to_radians().sin_cos();
    let (sr, cr) = roll.to_radians().sin_cos();
    let about_y = [[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]];
    let about_x = [[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]];
    let about_z = [[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]];
    let rotation = product(product(about_y, about_x), about_z);
    HeadPose { scale_px, rotation, translation: Vec3::new(x, y, 3.0) }
}

fn product(a: [[f32; 3]; 3], b: [[f32; 3]; 3]) -> [[f32; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// The canonical face in the given pose, its lower lip lowered by `opening` canonical units.
pub(crate) fn canonical_face(pose: &HeadPose, opening: f32) -> FaceObservation {
    let mut points = CANONICAL_POINTS;
    for lower in OUTER_LOWER_LIP.chain(INNER_LOWER_LIP) {
        points[lower].y += opening;
    }
    FaceObservation::new(Box::new(points.map(|p| pose.image_from_canonical(p))), 0.98, 0.97).unwrap()
}
