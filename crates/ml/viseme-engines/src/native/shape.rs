//! Mouth shapes: the moving points of a face with the head's own motion taken out, in canonical units
//! (inter-ocular distance 1, x right, y down, z away from the camera).

use viseme_core::geometry::Vec3;
use viseme_face::FaceObservation;
use viseme_face::points::{
    INNER_LOWER_LIP, INNER_UPPER_LIP, LIP_COUNT, MOUTH_COUNT, OUTER_LOWER_LIP, OUTER_UPPER_LIP,
};

/// The 85 mouth points of [`viseme_face::points`] in canonical units, or a motion of them.
pub(super) type MouthShape = [Vec3; MOUTH_COUNT];

/// The motion that moves nothing.
pub(super) const STILL: MouthShape = [Vec3::new(0.0, 0.0, 0.0); MOUTH_COUNT];

/// The middle of the inner upper lip line (`FaceMesh` 13).
pub(super) const INNER_UPPER_MIDDLE: usize = 25;
/// The middle of the inner lower lip line (`FaceMesh` 14).
pub(super) const INNER_LOWER_MIDDLE: usize = 35;

/// The smallest distance that the inner lips keep, in canonical units: points that coincide would fold the warp.
const LEAST_GAP: f32 = 0.006;

/// The mouth of a face, seen from the head.
pub(super) fn mouth_of(face: &FaceObservation) -> MouthShape {
    std::array::from_fn(|i| face.pose.canonical_from_image(face.points[i]))
}

/// How far the lips are apart: the mean of the middle gap and the mean of its neighbours, in the shape's unit.
///
/// The same measure taught the speech net, so that its opening of 1 and ours agree.
pub(super) fn opening(shape: &MouthShape) -> f32 {
    let gap = |offset: isize| {
        let upper = shape[INNER_UPPER_MIDDLE.saturating_add_signed(offset)];
        let lower = shape[INNER_LOWER_MIDDLE.saturating_add_signed(offset)];
        (upper - lower).length()
    };
    0.5 * gap(0) + 0.25 * (gap(-1) + gap(1))
}

/// Vertical distance of the middle of the inner lips: negative where they cross.
pub(super) fn inner_gap(shape: &MouthShape) -> f32 {
    shape[INNER_LOWER_MIDDLE].y - shape[INNER_UPPER_MIDDLE].y
}

/// `shape + motion * amount`, point by point.
pub(super) fn moved(shape: &MouthShape, motion: &MouthShape, amount: f32) -> MouthShape {
    std::array::from_fn(|i| shape[i] + motion[i] * amount)
}

/// Keeps the inner lips from crossing: pairs closer than a hair are set that far apart about their middle.
pub(super) fn with_lips_apart(mut shape: MouthShape) -> MouthShape {
    for (upper, lower) in INNER_UPPER_LIP.skip(1).zip(INNER_LOWER_LIP) {
        if shape[lower].y < shape[upper].y + LEAST_GAP {
            let middle = 0.5 * (shape[lower].y + shape[upper].y);
            shape[upper].y = middle - 0.5 * LEAST_GAP;
            shape[lower].y = middle + 0.5 * LEAST_GAP;
        }
    }
    shape
}

/// Brings lips that are further apart than `gap` together to it, pair by pair along the lip lines: a smile closes
/// otherwise than an open mouth. The lower lip goes most of the way.
pub(super) fn with_lips_closed(mut shape: MouthShape, gap: f32) -> MouthShape {
    const UPPER_SHARE: f32 = 0.3;
    /// The outer lip lines follow the inner ones so far: lips that are pressed together grow a little thicker.
    const OUTER_SHARE: f32 = 0.8;
    for k in 0..INNER_LOWER_LIP.len() {
        let (upper, lower) = (INNER_UPPER_LIP.start + 1 + k, INNER_LOWER_LIP.start + k);
        let excess = (shape[lower].y - shape[upper].y - gap).max(0.0);
        let (fall, rise) = (UPPER_SHARE * excess, (1.0 - UPPER_SHARE) * excess);
        shape[upper].y += fall;
        shape[lower].y -= rise;
        shape[OUTER_UPPER_LIP.start + 1 + k].y += OUTER_SHARE * fall;
        shape[OUTER_LOWER_LIP.start + k].y -= OUTER_SHARE * rise;
    }
    shape
}

/// The lips about their own centre, seen from the front: what the eye compares two mouths by.
pub(super) fn lip_profile(shape: &MouthShape) -> [[f32; 2]; LIP_COUNT] {
    let sum = shape[..LIP_COUNT].iter().fold(Vec3::default(), |sum, &p| sum + p);
    let centre = sum * (1.0 / LIP_COUNT as f32);
    std::array::from_fn(|i| [shape[i].x - centre.x, shape[i].y - centre.y])
}

/// Mean distance of the lip points of two profiles.
pub(super) fn profile_distance(a: &[[f32; 2]; LIP_COUNT], b: &[[f32; 2]; LIP_COUNT]) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(p, q)| (p[0] - q[0]).hypot(p[1] - q[1])).sum();
    sum / LIP_COUNT as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossed_lips_are_parted_about_their_middle() {
        let mut shape = STILL;
        shape[INNER_UPPER_MIDDLE].y = 0.1;
        shape[INNER_LOWER_MIDDLE].y = -0.1;
        let parted = with_lips_apart(shape);
        assert!((inner_gap(&parted) - LEAST_GAP).abs() < 1e-6);
        assert!((parted[INNER_UPPER_MIDDLE].y + parted[INNER_LOWER_MIDDLE].y).abs() < 1e-6);
    }

    #[test]
    fn a_profile_does_not_see_where_the_mouth_is() {
        let mut shape = STILL;
        shape[3].x = 0.4;
        let elsewhere = moved(&shape, &[Vec3::new(0.2, -0.3, 0.1); MOUTH_COUNT], 1.0);
        assert!(profile_distance(&lip_profile(&shape), &lip_profile(&elsewhere)) < 1e-6);
    }
}
