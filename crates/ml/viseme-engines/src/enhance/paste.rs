//! The way back into the frame: what a net changed is added to the frame's own samples.
//!
//! The references warp the net's picture over the frame, which blurs a face that is larger than the template. Here only the
//! difference between what the net was shown and what it made goes that way: where it changes nothing, nothing changes.

use super::picture::{FacePicture, PIXELS, SIDE};
use super::place::position;
use super::{EnhanceArea, EnhanceOptions, FacePlace};
use viseme_core::geometry::{PixelRect, Rect, Vec2};
use viseme_imaging::{ColourInfo, Frame, ImageF32, Patch, PixelFormat, planes_from_rgb};

/// What a net changed, in steps of 0 to 255: red, green and blue of the template's pixels.
pub(super) struct Change([ImageF32; 3]);

impl Change {
    /// What was changed from `shown` to `made`.
    pub(super) fn between(shown: &FacePicture, made: &FacePicture) -> Self {
        let plane = |channel: usize| {
            let part = channel * PIXELS..(channel + 1) * PIXELS;
            let pairs = shown.values()[part.clone()].iter().zip(&made.values()[part]);
            ImageF32 { width: SIDE, height: SIDE, data: pairs.map(|(shown, made)| made - shown).collect() }
        };
        Self([plane(0), plane(1), plane(2)])
    }

    /// The same without the shift of colours that it has where the area fades out: there both pictures meet.
    fn with_colours_matched(self, frame: &Frame, place: &FacePlace, area: EnhanceArea) -> Self {
        let rim = |at: usize| {
            let weight = area.weight(position(at));
            if place.is_inside(frame, at) { weight * (1.0 - weight) } else { 0.0 }
        };
        let rim: Vec<f32> = (0..PIXELS).map(rim).collect();
        let total: f64 = rim.iter().copied().map(f64::from).sum();
        Self(self.0.map(|plane| {
            let sum: f64 = plane.data.iter().zip(&rim).map(|(v, weight)| f64::from(v * weight)).sum();
            let shift = if total > 0.0 { (sum / total) as f32 } else { 0.0 };
            plane.map(|value| value - shift)
        }))
    }

    /// The same at the pixels of `region` of the frame. Averaged first where the frame is coarser than the template.
    fn in_frame(&self, place: &FacePlace, region: PixelRect) -> [ImageF32; 3] {
        // A pixel of the frame is `scale` wide: the Gaussian makes up the difference to the pixel of the template.
        let sigma = 0.5 * (place.scale().powi(2) - 1.0).max(0.0).sqrt();
        let carried = |plane: &ImageF32| {
            let smooth = plane.blurred(sigma);
            over(region, |p| smooth.bilinear(place.crop_from_image.apply(p)))
        };
        let [red, green, blue] = &self.0;
        let (red, (green, blue)) =
            rayon::join(|| carried(red), || rayon::join(|| carried(green), || carried(blue)));
        [red, green, blue]
    }
}

/// What changes in `frame`; none when that is nothing.
pub(super) fn patch(
    frame: &Frame,
    colour: &ColourInfo,
    place: &FacePlace,
    options: EnhanceOptions,
    change: Change,
) -> Option<Patch> {
    let EnhanceOptions { strength, area, match_colour } = options;
    let region = region(frame, place, area);
    let mask = over(region, |p| strength * area.weight(place.crop_from_image.apply(p)));
    if mask.data.iter().all(|&weight| weight <= 0.0) {
        return None;
    }
    let change = if match_colour { change.with_colours_matched(frame, place, area) } else { change };
    let steps = steps(&change.in_frame(place, region), frame.format, colour);
    let planes = steps.into_iter().enumerate().map(|(index, steps)| {
        let own = ImageF32::from_plane(&frame.planes[index], frame.format.plane_region(index, region));
        own.zip(&steps, |own, step| own + step)
    });
    Some(Patch::new(frame.format, region, planes.collect(), &mask))
}

/// The part of the frame that the area touches, its edges on chroma samples.
fn region(frame: &Frame, place: &FacePlace, area: EnhanceArea) -> PixelRect {
    let Rect { x, y, width, height } = area.bounds();
    let corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)];
    let corners = corners.map(|(x, y)| place.image_from_crop.apply(Vec2::new(x, y)));
    let touched = Rect::bounding(corners).unwrap_or_default().expanded(1.0);
    let pixels = touched.to_pixels(frame.width, frame.height);
    pixels.aligned(frame.format.alignment(), frame.width, frame.height)
}

/// The value at each pixel of `region`.
fn over(region: PixelRect, value: impl Fn(Vec2) -> f32) -> ImageF32 {
    ImageF32::from_fn(region.width as usize, region.height as usize, |x, y| {
        value(Vec2::new((region.x as usize + x) as f32, (region.y as usize + y) as f32))
    })
}

/// A change of red, green and blue as one of the planes of a format.
fn steps(change: &[ImageF32; 3], format: PixelFormat, colour: &ColourInfo) -> Vec<ImageF32> {
    // The way into the planes is affine: without what it makes of black it is linear.
    let black = planes_from_rgb(&[(); 3].map(|()| ImageF32::filled(1, 1, 0.0)), format, colour);
    let planes = planes_from_rgb(change, format, colour).into_iter().zip(black);
    planes.map(|(plane, black)| plane.map(|value| value - black.at(0, 0))).collect()
}
