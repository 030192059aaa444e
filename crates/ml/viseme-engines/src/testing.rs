//! Faces and frames without pictures, for tests.

use viseme_core::Pts;
use viseme_core::geometry::Vec3;
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::points::{INNER_LOWER_LIP, OUTER_LOWER_LIP};
use viseme_face::{FaceObservation, HeadPose};
use viseme_imaging::{Frame, PixelFormat};

/// The canonical face seen from the front, its nose bridge at (x, y), its lower lip lowered by `opening` units.
pub(crate) fn face(x: f32, y: f32, scale_px: f32, opening: f32) -> FaceObservation {
    let upright = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let pose = HeadPose { scale_px, rotation: upright, translation: Vec3::new(x, y, 0.0) };
    let mut points = CANONICAL_POINTS;
    for lower in OUTER_LOWER_LIP.chain(INNER_LOWER_LIP) {
        points[lower].y += opening;
    }
    FaceObservation::new(Box::new(points.map(|p| pose.image_from_canonical(p))), 0.98, 0.97).unwrap()
}

/// A frame of smooth texture that differs with `seed`.
pub(crate) fn frame(format: PixelFormat, width: u32, height: u32, seed: u32) -> Frame {
    let mut bytes = Vec::with_capacity(format.frame_bytes(width, height));
    for plane in 0..format.plane_count() {
        let (columns, rows) = format.plane_size(plane, width, height);
        for y in 0..rows {
            for x in 0..columns {
                let wave =
                    ((x * (2 + plane as u32) + seed * 3) as f32 * 0.11).sin() + (y as f32 * 0.17).cos();
                let value = ((0.5 + 0.2 * wave) * f32::from(format.max_value())) as u16;
                if format.bit_depth > 8 {
                    bytes.extend(value.to_le_bytes());
                } else {
                    bytes.push(value as u8);
                }
            }
        }
    }
    Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap()
}
