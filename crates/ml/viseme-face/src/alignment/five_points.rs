//! The five points of the templates, read off our landmarks.

use crate::FaceObservation;
use crate::points::position_of;
use viseme_core::geometry::Vec2;

/// What each point is the middle of, in `FaceMesh` indices: the corners of the left and right eye (as the viewer sees
/// them), the tip of the nose, the left and right corner of the mouth.
///
/// Of the points on the nose, 1 lies nearest to where the template has its tip when the canonical face is carried onto it:
/// 3 of 512 pixels off, 4 is 14 pixels off.
const MESH_POINTS: [[u16; 2]; 5] = [[33, 133], [362, 263], [1, 1], [61, 61], [291, 291]];

/// The eyes, the nose and the corners of the mouth of a face, in pixels of the frame and in the order that
/// [`Template::crop_from_image`](super::Template::crop_from_image) takes.
#[must_use]
pub fn five_points(face: &FaceObservation) -> [Vec2; 5] {
    // All indices above are landmarks: the test below looks at each.
    let point = |index: u16| position_of(index).map_or_else(Vec2::default, |at| face.points[at].xy());
    MESH_POINTS.map(|[a, b]| (point(a) + point(b)) * 0.5)
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;
    use crate::canonical::CANONICAL_POINTS;

    #[test]
    fn the_canonical_face_lies_on_the_template() {
        assert!(MESH_POINTS.iter().flatten().all(|&index| position_of(index).is_some()));
        let points = CANONICAL_POINTS.map(|p| p * 100.0);
        let face = FaceObservation::new(Box::new(points), 1.0, 1.0).unwrap();
        let five = five_points(&face);
        let map = Template::Ffhq512.crop_from_image(&five).unwrap();
        for (point, [x, y]) in five.iter().zip(Template::Ffhq512.points()) {
            let [found_x, found_y] = map.apply([f64::from(point.x), f64::from(point.y)]);
            assert!((found_x - x).hypot(found_y - y) < 8.0, "{found_x}, {found_y} for {x}, {y}");
        }
    }
}
