//! A face cut out along its landmarks: upright, and as steady as they are.

use super::face_box::s3fd_like;
use super::network::{NetFace, SIDE};
use viseme_core::Result;
use viseme_core::geometry::{Affine, Rect, Vec2};
use viseme_face::FaceObservation;
use viseme_face::framing::eye_line;
use viseme_imaging::{ColourInfo, Frame, crop_rgb};

/// Added below the box, in its heights: the ten pixels of the reference on a face of 250.
const PAD_BELOW: f32 = 0.04;

/// What the net is shown of a frame. Beyond the frame its edge is repeated.
///
/// # Errors
/// When the face has no extent.
pub(super) fn net_face(frame: &Frame, colour: &ColourInfo, crop_from_image: &Affine) -> Result<NetFace> {
    NetFace::from_rgb(&crop_rgb(frame, colour, crop_from_image, SIDE)?)
}

/// The map from pixels of the frame to those of the net's picture, pixel centres at integers in both: the head upright, the
/// box of the reference's detector around it.
pub(super) fn crop_from_image(face: &FaceObservation) -> Affine {
    let roll = eye_line(&face.points);
    let upright_from_image = Affine::similarity(-roll, 1.0, Vec2::default(), Vec2::default());
    let landmarks = Rect::bounding(face.points.iter().map(|p| upright_from_image.apply(p.xy())));
    let face = s3fd_like(&landmarks.unwrap_or_default());
    let (across, down) = (SIDE as f32 / face.width, SIDE as f32 / (face.height * (1.0 + PAD_BELOW)));
    let [a, b, _, d, e, _] = upright_from_image.rows;
    // Edges on edges: the first pixel of the crop begins half a pixel before its centre.
    let start = |corner: f32, scale: f32| (0.5 - corner) * scale - 0.5;
    Affine { rows: [a * across, b * across, start(face.x, across), d * down, e * down, start(face.y, down)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::face;

    #[test]
    fn the_face_fills_the_crop_upright() {
        let level = face(100.0, 80.0, 40.0, 0.1);
        let turn = Affine::similarity(0.3, 1.4, Vec2::new(20.0, 70.0), Vec2::new(300.0, 200.0));
        let mut points = level.points.clone();
        for point in points.iter_mut() {
            let turned = turn.apply(point.xy());
            (point.x, point.y, point.z) = (turned.x, turned.y, point.z * 1.4);
        }
        let tilted = FaceObservation::new(points, 1.0, 1.0).unwrap();
        let (level_map, tilted_map) = (crop_from_image(&level), crop_from_image(&tilted));
        for (a, b) in level.points.iter().zip(tilted.points.iter()) {
            let (a, b) = (level_map.apply(a.xy()), tilted_map.apply(b.xy()));
            assert!((a - b).length() < 1.0, "{a:?} and {b:?}");
            assert!((-3.0..98.0).contains(&a.x) && (5.0..96.0).contains(&a.y), "{a:?}");
        }
    }
}
