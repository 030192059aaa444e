//! Where a face lies: the way between the frame and the FFHQ template.

use super::picture::{FacePicture, PIXELS, SIDE};
use viseme_core::Result;
use viseme_core::geometry::{Affine, Vec2};
use viseme_face::FaceObservation;
use viseme_face::alignment::{RESTORATION_BORDER_RGB, Template, five_points};
use viseme_imaging::{ColourInfo, Frame, crop_rgb};

/// Faces whose eyes are nearer to each other, in pixels, are left alone: a net would invent them (GFPGAN's
/// `inference_gfpgan.py` passes `eye_dist_threshold=5` to facexlib).
const LEAST_EYE_DISTANCE_PX: f32 = 5.0;

/// Where a face lies in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FacePlace {
    /// From pixels of the frame to pixels of the template, pixel centres at integers in both: turn, scale, shift.
    pub crop_from_image: Affine,
    /// The way back.
    pub image_from_crop: Affine,
}

impl FacePlace {
    /// The place of a face; none when it is too small or its landmarks are no face.
    #[must_use]
    pub fn of(face: &FaceObservation) -> Option<Self> {
        let points = five_points(face);
        let is_large = (points[1] - points[0]).length() >= LEAST_EYE_DISTANCE_PX;
        let crop_from_image = Template::Ffhq512.crop_from_image(&points).ok().filter(|_| is_large)?;
        let image_from_crop = crop_from_image.inverse()?;
        let single = |rows: [f64; 6]| Affine { rows: rows.map(|value| value as f32) };
        Some(Self {
            crop_from_image: single(crop_from_image.rows),
            image_from_crop: single(image_from_crop.rows),
        })
    }

    /// Pixels of the template per pixel of the frame, along a line.
    #[must_use]
    pub fn scale(&self) -> f32 {
        let [a, b, _, d, e, _] = self.crop_from_image.rows;
        (a * e - b * d).abs().sqrt()
    }

    /// What a net is shown of the frame. Outside the frame there is facexlib's gray.
    ///
    /// # Errors
    /// When the map flattens the picture, which it does not.
    pub fn cut_out(&self, frame: &Frame, colour: &ColourInfo) -> Result<FacePicture> {
        let mut planes = crop_rgb(frame, colour, &self.crop_from_image, SIDE)?;
        for at in 0..PIXELS {
            if !self.is_inside(frame, at) {
                for (channel, gray) in RESTORATION_BORDER_RGB.into_iter().enumerate() {
                    planes[channel * PIXELS + at] = f32::from(gray);
                }
            }
        }
        FacePicture::new(planes)
    }

    /// Whether pixel `at` of the template, counted row by row, shows a part of the frame.
    pub(super) fn is_inside(&self, frame: &Frame, at: usize) -> bool {
        let p = self.image_from_crop.apply(position(at));
        let within = |value: f32, extent: u32| (-0.5..extent as f32 - 0.5).contains(&value);
        within(p.x, frame.width) && within(p.y, frame.height)
    }
}

/// Where pixel `at` of the template, counted row by row, lies.
pub(super) fn position(at: usize) -> Vec2 {
    Vec2::new((at % SIDE) as f32, (at / SIDE) as f32)
}
