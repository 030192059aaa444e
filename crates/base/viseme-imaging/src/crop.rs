//! What the nets see: upright crops and small copies of frames, in RGB or gray on 0 to 255.

mod sampling;

use crate::colour::ColourInfo;
use crate::frame::Frame;
use crate::image::ImageF32;
use crate::rgb::RgbConversion;
use crate::simd::widest;
use crate::siting::PlaneSiting;
use sampling::Sampling;
use viseme_core::geometry::{Affine, Vec2};
use viseme_core::{Error, Result};

/// Red, green and blue in gray (ITU-R BT.601), as `OpenCV`'s `COLOR_RGB2GRAY` weighs them.
const GRAY_WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];

/// A square crop of a frame as `[3, size, size]`, planes red, green and blue, row by row, values 0 to 255.
///
/// `crop_from_image` takes pixels of the frame to pixels of the crop, pixel centres at integers in both. Where the crop
/// shrinks the picture it is averaged first, so that nothing aliases; outside the frame its edge is repeated.
///
/// # Errors
/// When `crop_from_image` cannot be inverted.
pub fn crop_rgb(
    frame: &Frame,
    colour: &ColourInfo,
    crop_from_image: &Affine,
    size: usize,
) -> Result<Vec<f32>> {
    let image_from_crop =
        crop_from_image.inverse().ok_or_else(|| Error::internal("a crop that flattens the picture"))?;
    let count = size * size;
    let mut pixels = vec![0.0; 3 * count];
    let planes = frame.format.chroma.plane_count();
    for (index, (plane, out)) in
        frame.planes.iter().zip(pixels.chunks_exact_mut(count.max(1))).enumerate().take(planes)
    {
        widest(Sampling { plane, siting: PlaneSiting::of(frame.format, index), image_from_crop, size, out });
    }
    to_rgb(frame, colour, &mut pixels);
    Ok(pixels)
}

/// A square crop of a frame as `[1, size, size]`: 0.299 R + 0.587 G + 0.114 B, values 0 to 255. Otherwise as
/// [`crop_rgb`].
///
/// # Errors
/// When `crop_from_image` cannot be inverted.
pub fn crop_gray(
    frame: &Frame,
    colour: &ColourInfo,
    crop_from_image: &Affine,
    size: usize,
) -> Result<Vec<f32>> {
    let mut pixels = crop_rgb(frame, colour, crop_from_image, size)?;
    let (red, rest) = pixels.split_at_mut(size * size);
    let (green, blue) = rest.split_at(size * size);
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        *r = GRAY_WEIGHTS[0] * *r + GRAY_WEIGHTS[1] * g + GRAY_WEIGHTS[2] * b;
    }
    pixels.truncate(size * size);
    Ok(pixels)
}

/// A whole frame in the top left corner of a smaller picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Letterbox {
    /// The small frame as `[3, height, width]`, planes red, green and blue, row by row, values 0 to 255. What lies
    /// around it is left to the caller, who knows what 0 means after normalisation.
    pub pixels: Vec<f32>,
    /// Columns of the small frame, at most the width asked for.
    pub width: usize,
    /// Rows of the small frame, at most the height asked for.
    pub height: usize,
    /// Pixels of the small frame per pixel of the frame, in x and y (nearly equal; at most 1). Edges map to edges:
    /// `small + 0.5 = (frame + 0.5) * scale` for pixel centres.
    pub scale: Vec2,
}

/// The whole frame scaled down by area averaging to fit `width` × `height`, its proportions kept. Never enlarged.
///
/// Chroma is taken as centred on its luma samples: half a pixel of the frame does not matter in what is smaller.
#[must_use]
pub fn letterbox_rgb(frame: &Frame, colour: &ColourInfo, width: usize, height: usize) -> Letterbox {
    let (full_width, full_height) = (frame.width as f32, frame.height as f32);
    let scale = (width as f32 / full_width).min(height as f32 / full_height).min(1.0);
    let fit = |full: f32, limit: usize| ((full * scale).round() as usize).clamp(1, limit.max(1));
    let (width, height) = (fit(full_width, width), fit(full_height, height));
    let mut pixels = Vec::with_capacity(3 * width * height);
    for plane in frame.planes.iter().take(frame.format.chroma.plane_count()) {
        pixels.extend_from_slice(&ImageF32::resized_plane(plane, width, height).data);
    }
    pixels.resize(3 * width * height, 0.0);
    to_rgb(frame, colour, &mut pixels);
    Letterbox {
        pixels,
        width,
        height,
        scale: Vec2::new(width as f32 / full_width, height as f32 / full_height),
    }
}

/// Converts three planes, one after the other, in place.
fn to_rgb(frame: &Frame, colour: &ColourInfo, planes: &mut [f32]) {
    let count = planes.len() / 3;
    let (first, rest) = planes.split_at_mut(count);
    let (second, third) = rest.split_at_mut(count);
    RgbConversion::new(frame.format, colour).convert(first, second, third);
}
