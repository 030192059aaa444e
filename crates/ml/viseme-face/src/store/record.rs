//! How a face lies on disk: a fixed number of bytes, so that any one is found without an index.

use crate::FaceObservation;
use crate::points::POINT_COUNT;
use serde::{Deserialize, Serialize};
use viseme_core::geometry::{Rect, Vec3};

/// Bytes of a record: middle and longer side of the box, the two certainties, then three 16-bit coordinates per point.
pub(crate) const RECORD_BYTES: usize = HEADER_BYTES + POINT_COUNT * 3 * 2;
const HEADER_BYTES: usize = 5 * 4;

/// Coordinates reach this many box sides to either side of its middle. Depth is not bounded by the box, hence more
/// than the half that x and y need. A step is then 1/20 000 of the box: 0.015 px of a face of 300 px, half of that
/// the greatest error.
const REACH: f32 = 1.6;

/// Packs a face.
pub(crate) fn encode(face: &FaceObservation) -> [u8; RECORD_BYTES] {
    let center = face.bbox.center();
    let side = face.bbox.width.max(face.bbox.height);
    let mut record = [0; RECORD_BYTES];
    let (header, coordinates) = record.split_at_mut(HEADER_BYTES);
    for (bytes, value) in
        header.chunks_exact_mut(4).zip([center.x, center.y, side, face.presence, face.mouth_visible])
    {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    let steps_per_px = f32::from(i16::MAX) / (REACH * side);
    let values = face.points.iter().flat_map(|p| [p.x - center.x, p.y - center.y, p.z]);
    for (bytes, value) in coordinates.chunks_exact_mut(2).zip(values) {
        // A float that does not fit saturates.
        let step = (value * steps_per_px).round() as i16;
        bytes.copy_from_slice(&step.to_le_bytes());
    }
    record
}

/// Unpacks a face; `None` when the record is none (only a damaged file has such).
pub(crate) fn decode(record: &[u8; RECORD_BYTES]) -> Option<FaceObservation> {
    let header = |i: usize| {
        f32::from_le_bytes([record[4 * i], record[4 * i + 1], record[4 * i + 2], record[4 * i + 3]])
    };
    let (x, y, side) = (header(0), header(1), header(2));
    let px_per_step = REACH * side / f32::from(i16::MAX);
    let value = |i: usize| {
        let at = HEADER_BYTES + 2 * i;
        f32::from(i16::from_le_bytes([record[at], record[at + 1]])) * px_per_step
    };
    let points = std::array::from_fn(|i| Vec3::new(value(3 * i) + x, value(3 * i + 1) + y, value(3 * i + 2)));
    FaceObservation::new(Box::new(points), header(3), header(4))
}

/// The box and the few numbers of a face that stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FaceSummary {
    /// The box around all landmarks, in pixels.
    pub bbox: Rect,
    /// `[pitch, yaw, roll]` in degrees, signs as [`HeadPose::euler_degrees`](crate::HeadPose::euler_degrees).
    pub euler_degrees: [f32; 3],
    /// Height of the lip gap in canonical units.
    pub opening: f32,
    /// Distance of the mouth's corners in canonical units.
    pub width: f32,
    /// How sure the landmark net is, 0 to 1.
    pub presence: f32,
    /// How sure the mouth net is that nothing covers the lips, 0 to 1.
    pub mouth_visible: f32,
}

impl FaceSummary {
    /// Sums up a face.
    #[must_use]
    pub fn of(face: &FaceObservation) -> Self {
        let mouth = crate::MouthShape::of(face);
        Self {
            bbox: face.bbox,
            euler_degrees: face.pose.euler_degrees(),
            opening: mouth.opening(),
            width: mouth.width(),
            presence: face.presence,
            mouth_visible: face.mouth_visible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_face_comes_back_within_a_fiftieth_of_a_pixel(
            pitch in -40f32..40.0, yaw in -60f32..60.0, roll in -60f32..60.0,
            scale in 8f32..115.0, x in -100f32..3900.0, y in -100f32..2200.0, opening in 0f32..0.5,
        ) {
            // 115 px per canonical unit is a face of about 300 px.
            let face = canonical_face(&head([pitch, yaw, roll], scale, x, y), opening);
            let back = decode(&encode(&face)).unwrap();
            for (a, b) in back.points.iter().zip(face.points.iter()) {
                prop_assert!((a.x - b.x).abs() < 0.02 && (a.y - b.y).abs() < 0.02 && (a.z - b.z).abs() < 0.02);
            }
            prop_assert!((back.presence - face.presence).abs() < f32::EPSILON);
            prop_assert!((back.mouth_visible - face.mouth_visible).abs() < f32::EPSILON);
        }
    }

    #[test]
    fn a_record_of_zeros_is_no_face() {
        assert_eq!(decode(&[0; RECORD_BYTES]), None);
    }
}
