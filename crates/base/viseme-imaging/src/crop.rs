//! What the nets see: upright crops and small copies of frames, in RGB or gray on 0 to 255.

use crate::colour::ColourInfo;
use crate::frame::{Frame, Plane, Samples};
use crate::image::ImageF32;
use crate::rgb::RgbConversion;
use crate::siting::PlaneSiting;
use viseme_core::geometry::{Affine, Rect, Vec2};
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
        sample_plane(plane, PlaneSiting::of(frame.format, index), &image_from_crop, size, out);
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

/// Samples one plane at the pixels of the crop.
fn sample_plane(plane: &Plane, siting: PlaneSiting, image_from_crop: &Affine, size: usize, out: &mut [f32]) {
    let plane_from_crop = |x: f32, y: f32| siting.plane_from_frame(image_from_crop.apply(Vec2::new(x, y)));
    let (first, end) = (-0.5, size as f32 - 0.5);
    let corners =
        [(first, first), (end, first), (first, end), (end, end)].map(|(x, y)| plane_from_crop(x, y));
    let reduced = Reduced::new(plane, siting, image_from_crop, &corners);
    let origin = reduced.position(plane_from_crop(0.0, 0.0));
    let right = reduced.position(plane_from_crop(1.0, 0.0)) - origin;
    let down = reduced.position(plane_from_crop(0.0, 1.0)) - origin;
    for (j, row) in out.chunks_exact_mut(size.max(1)).enumerate() {
        let start = origin + down * j as f32;
        for (i, value) in row.iter_mut().enumerate() {
            *value = reduced.value(start + right * i as f32);
        }
    }
}

/// The part of a plane that a crop shows, shrunk by whole factors to about the resolution of the crop.
struct Reduced {
    image: ImageF32,
    /// The first column and row of the part.
    start: Vec2,
    /// Samples of the plane per value, in x and y.
    factor: Vec2,
}

impl Reduced {
    fn new(plane: &Plane, siting: PlaneSiting, image_from_crop: &Affine, corners: &[Vec2]) -> Self {
        let [a, b, _, d, e, _] = image_from_crop.rows;
        let pixels_per_pixel = (a * e - b * d).abs().sqrt();
        let factor = |step: f32, extent: u32| {
            (pixels_per_pixel / step).round().clamp(1.0, extent.max(1) as f32) as usize
        };
        let (across, down) = (factor(siting.step.x, plane.width), factor(siting.step.y, plane.height));
        // One more value on each side for the interpolation.
        let bounds = Rect::bounding(corners.iter().copied()).unwrap_or_default();
        let part = |low: f32, extent: f32, factor: usize, limit: u32| {
            let last = limit as usize - 1;
            let start = (low - factor as f32).clamp(0.0, last as f32) as usize;
            let end =
                (low + extent + factor as f32 + 1.0).ceil().clamp(start as f32 + 1.0, limit as f32) as usize;
            (start, end)
        };
        let columns = part(bounds.x, bounds.width, across, plane.width);
        let rows = part(bounds.y, bounds.height, down, plane.height);
        let stride = plane.width as usize;
        let image = match &plane.samples {
            Samples::U8(samples) => box_means(samples, stride, columns, rows, across, down),
            Samples::U16(samples) => box_means(samples, stride, columns, rows, across, down),
        };
        let start = Vec2::new(columns.0 as f32, rows.0 as f32);
        Self { image, start, factor: Vec2::new(across as f32, down as f32) }
    }

    /// The position among the means of a position in the plane.
    fn position(&self, p: Vec2) -> Vec2 {
        let axis = |p: f32, start: f32, factor: f32| (p - start + 0.5) / factor - 0.5;
        Vec2::new(axis(p.x, self.start.x, self.factor.x), axis(p.y, self.start.y, self.factor.y))
    }

    /// Bilinear, edges repeated.
    #[inline]
    fn value(&self, p: Vec2) -> f32 {
        let (columns, rows) = (self.image.width, self.image.height);
        let x = p.x.clamp(0.0, (columns - 1) as f32);
        let y = p.y.clamp(0.0, (rows - 1) as f32);
        // Not below zero: truncation is floor.
        let (column, row) = (x as i32 as usize, y as i32 as usize);
        let (u, v) = (x - column as f32, y - row as f32);
        let right = usize::from(column + 1 < columns);
        let top = &self.image.data[row * columns + column..];
        let bottom = if row + 1 < rows { &top[columns..] } else { top };
        let above = top[0] + (top[right] - top[0]) * u;
        let below = bottom[0] + (bottom[right] - bottom[0]) * u;
        above + (below - above) * v
    }
}

/// Means over boxes of `across` × `down` samples; the last of a row or column may cover fewer.
fn box_means<S: Copy + Into<u32> + Into<f32>>(
    samples: &[S],
    stride: usize,
    (left, right): (usize, usize),
    (top, bottom): (usize, usize),
    across: usize,
    down: usize,
) -> ImageF32 {
    let (width, height) = ((right - left).div_ceil(across), (bottom - top).div_ceil(down));
    let mut data = Vec::with_capacity(width * height);
    let mut sums = vec![0_u32; right - left];
    for box_top in (top..bottom).step_by(down) {
        let rows = box_top..(box_top + down).min(bottom);
        let count = rows.len();
        if across == 1 && count == 1 {
            data.extend(
                samples[box_top * stride..][left..right].iter().map(|&sample| -> f32 { sample.into() }),
            );
            continue;
        }
        sums.fill(0);
        for row in rows {
            for (sum, &sample) in sums.iter_mut().zip(&samples[row * stride..][left..right]) {
                let sample: u32 = sample.into();
                *sum += sample;
            }
        }
        let whole = 1.0 / (count * across) as f32;
        data.extend(sums.chunks(across).map(|part| {
            let scale = if part.len() == across { whole } else { 1.0 / (count * part.len()) as f32 };
            part.iter().sum::<u32>() as f32 * scale
        }));
    }
    ImageF32 { width, height, data }
}
