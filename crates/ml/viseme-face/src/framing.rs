//! Where a net looks: a square region of the picture, turned with the head.

use crate::HeadPose;
use crate::alignment::similarity;
use crate::canonical::CANONICAL_POINTS;
use crate::points::{LIP_COUNT, NOSE_TIP, OUTER_UPPER_LIP, POINT_COUNT, STABLE};
use viseme_core::geometry::{Affine, Rect, Vec2, Vec3};
use viseme_imaging::{ColourInfo, Frame};

/// A frame with what its samples mean: what the nets look at.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisImage<'a> {
    /// The decoded planes.
    pub frame: &'a Frame,
    /// Their range and matrix.
    pub colour: &'a ColourInfo,
}

/// Side of the landmark crop over the longer side of the box around all landmarks; the nets were trained with it.
const FACE_MARGIN: f32 = 1.5;
/// Side of the mouth crop in canonical units; the nets were trained with it.
const MOUTH_REACH: f32 = 1.25;

/// A square region of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Framing {
    /// The middle, in pixels.
    pub center: Vec2,
    /// Length of a side, in pixels.
    pub side: f32,
    /// How far the head is tilted, in radians, clockwise. The crop shows it upright.
    pub roll: f32,
}

impl Framing {
    /// The region that the landmark net wants to see of a face in `bbox` (the box around all landmarks), upright.
    #[must_use]
    pub fn of_box(bbox: &Rect) -> Self {
        Self { center: bbox.center(), side: FACE_MARGIN * bbox.width.max(bbox.height), roll: 0.0 }
    }

    /// The region that the landmark net wants to see of a face whose eyes (left and right as the viewer sees them), tip
    /// of the nose and corners of the mouth lie at `points`: where the other landmarks would lie if it looked into the
    /// camera. `None` when the points lie in one place or are not finite.
    #[must_use]
    pub fn of_five_points(points: &[Vec2; 5]) -> Option<Self> {
        let pairs = |points: &[Vec2; 5]| points.map(|p| [f64::from(p.x), f64::from(p.y)]);
        let image_from_canonical = similarity(&pairs(&canonical_five()), &pairs(points))?;
        let [a, b, c, d, e, f] = image_from_canonical.rows.map(|value| value as f32);
        let map = Affine { rows: [a, b, c, d, e, f] };
        let bbox = Rect::bounding(CANONICAL_POINTS.iter().map(|p| p.xy()))?;
        let side = FACE_MARGIN * bbox.width.max(bbox.height) * a.hypot(d);
        Some(Self { center: map.apply(bbox.center()), side, roll: d.atan2(a) })
    }

    /// The region that the landmark net wants to see of a face with these landmarks.
    #[must_use]
    pub fn of_face(points: &[Vec3; POINT_COUNT]) -> Self {
        let roll = eye_line(points);
        let upright = Affine::similarity(-roll, 1.0, Vec2::default(), Vec2::default());
        let bbox = Rect::bounding(points.iter().map(|p| upright.apply(p.xy()))).unwrap_or_default();
        let center = Affine::similarity(roll, 1.0, Vec2::default(), Vec2::default()).apply(bbox.center());
        Self { center, side: FACE_MARGIN * bbox.width.max(bbox.height), roll }
    }

    /// The region that the mouth net wants to see around `lips`.
    #[must_use]
    pub fn of_mouth(lips: &[Vec2; LIP_COUNT], pose: &HeadPose, roll: f32) -> Self {
        let sum = lips.iter().fold(Vec2::default(), |sum, &p| sum + p);
        Self { center: sum * (1.0 / LIP_COUNT as f32), side: MOUTH_REACH * pose.scale_px, roll }
    }

    /// The map from the picture to a crop of `size` × `size` pixels, pixel centres at integers in both.
    #[must_use]
    pub fn crop_from_image(&self, size: usize) -> Affine {
        let middle = size as f32 / 2.0;
        Affine::similarity(-self.roll, size as f32 / self.side, self.center, Vec2::new(middle, middle))
    }
}

/// The angle of the line from the corners of the left eye (33, 133) to those of the right (362, 263), in radians.
#[must_use]
pub fn eye_line(points: &[Vec3; POINT_COUNT]) -> f32 {
    let eye = |first: usize| points[STABLE.start + first].xy() + points[STABLE.start + first + 1].xy();
    let line = eye(2) - eye(0);
    line.y.atan2(line.x)
}

/// Eyes, tip of the nose (4) and corners of the mouth (61, 291) of the canonical face.
fn canonical_five() -> [Vec2; 5] {
    let p = |index: usize| CANONICAL_POINTS[index].xy();
    let eye = |corner: usize| (p(STABLE.start + corner) + p(STABLE.start + corner + 1)) * 0.5;
    [eye(0), eye(2), p(NOSE_TIP), p(OUTER_UPPER_LIP.start), p(OUTER_UPPER_LIP.end - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};

    #[test]
    fn a_tilted_head_is_shown_upright_in_the_middle_of_its_crop() {
        let face = canonical_face(&head([0.0, 0.0, 25.0], 80.0, 300.0, 200.0), 0.0);
        let framing = Framing::of_face(&face.points);
        assert!((framing.roll.to_degrees() - 25.0).abs() < 1.0, "{}", framing.roll.to_degrees());
        let crop_from_image = framing.crop_from_image(128);
        let seen = Rect::bounding(face.points.iter().map(|p| crop_from_image.apply(p.xy()))).unwrap();
        assert!((seen.center() - Vec2::new(64.0, 64.0)).length() < 0.1, "{seen:?}");
        assert!((seen.width.max(seen.height) - 128.0 / FACE_MARGIN).abs() < 0.1, "{seen:?}");
        let level = face.points.map(|p| {
            let q = crop_from_image.apply(p.xy());
            Vec3::new(q.x, q.y, 0.0)
        });
        assert!(eye_line(&level).abs() < 1e-4);
    }

    #[test]
    fn five_points_frame_the_face_as_all_landmarks_do() {
        let pose = head([4.0, -8.0, 30.0], 80.0, 300.0, 200.0);
        let framing = Framing::of_face(&canonical_face(&pose, 0.1).points);
        let five = canonical_five().map(|p| pose.image_from_canonical(Vec3::new(p.x, p.y, 0.0)).xy());
        let found = Framing::of_five_points(&five).unwrap();
        assert!((found.side / framing.side - 1.0).abs() < 0.1, "{found:?} for {framing:?}");
        assert!((found.center - framing.center).length() < 0.1 * framing.side, "{found:?} for {framing:?}");
        assert!((found.roll - framing.roll).abs() < 0.1, "{found:?} for {framing:?}");
        assert_eq!(Framing::of_five_points(&[Vec2::new(3.0, 4.0); 5]), None);
    }
}
