//! Where a net looks: a square region of the picture, turned with the head.

use crate::HeadPose;
use crate::points::{LIP_COUNT, POINT_COUNT, STABLE};
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
}
