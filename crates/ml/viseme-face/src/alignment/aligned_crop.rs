//! A followed face as a template shows it.

use super::{Template, five_points};
use crate::FaceObservation;
use crate::framing::AnalysisImage;
use viseme_core::Result;
use viseme_core::geometry::Affine;
use viseme_imaging::{ImageU8, crop_rgb};

/// The crop (red, green, blue) in which the five points of `face` lie where `template` has them. Where it shrinks the
/// picture it is averaged first; outside the picture the edge is repeated. None when the landmarks are no face.
///
/// # Errors
/// When the crop cannot be made, which does not happen with a face.
pub fn aligned_crop(
    image: AnalysisImage<'_>,
    face: &FaceObservation,
    template: Template,
) -> Result<Option<ImageU8<3>>> {
    let Ok(map) = template.crop_from_image(&five_points(face)) else { return Ok(None) };
    let crop_from_image = Affine { rows: map.rows.map(|value| value as f32) };
    let size = template.size();
    let planes = crop_rgb(image.frame, image.colour, &crop_from_image, size)?;
    let value = |channel: usize, at: usize| (planes[channel * size * size + at] + 0.5) as u8;
    ImageU8::from_fn(size, size, |x, y| std::array::from_fn(|channel| value(channel, y * size + x))).map(Some)
}
