//! Laying a new mouth over the warped face: its masks, and the match of colour and sharpness.

use super::borrowed::{Fitting, Layers};
use super::interior::DrawnMouth;
use super::placement::Placement;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_face::points::{INNER_LOWER_LIP, INNER_UPPER_LIP, OUTER_LOWER_LIP, OUTER_UPPER_LIP};
use viseme_imaging::{ImageF32, PixelFormat, low_pass_offset, mask_of_plane, polygon_distance, smoothstep};

/// Room that the overlay and its colour match need around the lips, in canonical units.
pub(super) const MARGIN: f32 = 0.24;
/// The overlay is whole up to this distance from the lip line and gone at that, in canonical units.
const FEATHER: (f32, f32) = (0.02, 0.12);
/// The overlay reaches further at the corners of the mouth, in canonical units: the folds of a smile begin there.
const CORNERS: f32 = 0.05;
/// Colours are compared on a ring of skin between these distances from the lip line: (rises from, to, falls from, to).
const RING: (f32, f32, f32, f32) = (0.02, 0.05, 0.13, 0.20);
/// The inside of the mouth begins so far within the inner lip line and is whole at that.
const INSIDE: (f32, f32) = (0.004, -0.016);
/// An opening of less than this, in canonical units, shows nothing inside.
const LEAST_OPENING: f32 = 0.02;
/// Half of the width over which the upper lip's side passes into the lower's, at least 0.6 px.
const SEAM_SOFTNESS: f32 = 0.004;
/// Reach of the colour match (standard deviation of its blur), as a share of the width of the mouth.
const MATCH_REACH: f32 = 0.22;
/// The detail of the borrowed mouth is scaled between these to look as sharp as the face around it.
const DETAIL_RANGE: (f32, f32) = (0.25, 1.4);
/// Standard deviation of the blur that separates detail from the rest, in canonical units, at least 0.8 px.
const DETAIL_SCALE: f32 = 0.010;

/// A mouth laid over a region of the frame.
#[derive(Debug)]
pub(super) struct Overlay<'a> {
    region: PixelRect,
    format: PixelFormat,
    mouths: Vec<Fitting<'a>>,
    /// The inside of the mouth, when the mouths do not show one.
    drawn: Option<DrawnMouth>,
    /// Weight of the overlay, one value per pixel of the region.
    pub(super) mask: ImageF32,
    ring: ImageF32,
    inside: ImageF32,
    upper_side: ImageF32,
    match_px: f32,
    detail_px: f32,
}

impl<'a> Overlay<'a> {
    /// Plans to lay `mouths` over the lips of `placement` in `region` of a frame of `format`.
    pub(super) fn new(
        placement: &Placement,
        mouths: Vec<Fitting<'a>>,
        drawn: Option<DrawnMouth>,
        format: PixelFormat,
        region: PixelRect,
        strength: f32,
    ) -> Self {
        let scale = placement.scale_px;
        // Lips that close over drawn teeth need a line between them even when they touch.
        let open = if drawn.is_some() { 1.0 } else { (placement.opening() / LEAST_OPENING).min(1.0) };
        // At least a pixel wide: a harder edge would show the pixels of the lip line.
        let soft = (INSIDE.0 * scale).max(0.4)..(INSIDE.1 * scale).min(-0.8);
        let seam = (SEAM_SOFTNESS * scale).max(0.6);
        let lips = placement.outline(INNER_UPPER_LIP, INNER_LOWER_LIP);
        let outer = polygon_distance(&rim(placement), region, RING.3 * scale);
        let inner = polygon_distance(&lips, region, soft.start.max(-soft.end));
        let above = polygon_distance(&placement.above_the_seam(), region, seam);
        Self {
            region,
            format,
            mouths,
            drawn,
            mask: outer.clone().map(|d| strength * smoothstep(FEATHER.1, FEATHER.0, d / scale)),
            ring: outer
                .map(|d| smoothstep(RING.0, RING.1, d / scale) * smoothstep(RING.3, RING.2, d / scale)),
            inside: inner.map(|d| open * smoothstep(soft.start, soft.end, d)),
            upper_side: above.map(|d| smoothstep(seam, -seam, d)),
            match_px: MATCH_REACH * placement.mouth_width(),
            detail_px: (DETAIL_SCALE * scale).max(0.8),
        }
    }

    /// The part of plane `plane` that the overlay covers.
    pub(super) fn part(&self, plane: usize) -> PixelRect {
        self.format.plane_region(plane, self.region)
    }

    /// The region in pixels of the frame.
    pub(super) fn region(&self) -> PixelRect {
        self.region
    }

    /// The samples of all planes with the mouth laid over `bases`, the warped face there.
    pub(super) fn laid_over(&self, bases: Vec<ImageF32>) -> Vec<ImageF32> {
        let mut light = None;
        let planes = bases.into_iter().enumerate();
        planes.map(|(plane, base)| self.plane_laid_over(plane, base, &mut light)).collect()
    }

    /// The first plane fills in `light`, the others need it.
    fn plane_laid_over(&self, plane: usize, base: ImageF32, light: &mut Option<ImageF32>) -> ImageF32 {
        let on_plane = |mask: &ImageF32| mask_of_plane(mask, self.format, plane);
        let empty = ImageF32::filled(base.width, base.height, 0.0);
        let layers = Layers { upper_side: on_plane(&self.upper_side), inside: on_plane(&self.inside) };
        let mouth =
            self.mouths.iter().fold(empty, |sum, mouth| mouth.add_to(sum, self.format, plane, &layers));
        let new = if let Some(drawn) = &self.drawn {
            mouth.blended(drawn.plane(plane), &layers.inside)
        } else {
            let light = light.get_or_insert_with(|| light_on(&mouth, &self.ring, &self.inside));
            self.matched(plane, &base, mouth, &on_plane(&self.ring), &on_plane(light))
        };
        base.blended(&new, &on_plane(&self.mask))
    }

    fn matched(
        &self,
        plane: usize,
        base: &ImageF32,
        patch: ImageF32,
        ring: &ImageF32,
        light: &ImageF32,
    ) -> ImageF32 {
        let (shift, _) = self.format.plane_shift(plane);
        let patch = if plane == 0 { match_detail(patch, base, ring, self.detail_px) } else { patch };
        let offset = low_pass_offset(base, &patch, ring, self.match_px / (1 << shift) as f32);
        patch.zip(&offset.zip(light, |offset, light| offset * light), |value, offset| value + offset)
    }
}

/// How much of the colour match a place takes: all of it outside the mouth, and inside as much as the place is bright
/// against the skin on `ring`. Light scales colours: what is black stays black under any lamp.
fn light_on(luma: &ImageF32, ring: &ImageF32, inside: &ImageF32) -> ImageF32 {
    let weight: f32 = ring.data.iter().sum();
    let sum: f32 = luma.data.iter().zip(&ring.data).map(|(value, weight)| value * weight).sum();
    let skin = (sum / weight.max(1e-6)).max(1.0);
    luma.clone().zip(inside, |value, inside| 1.0 - inside * (1.0 - (value / skin).clamp(0.0, 1.0)))
}

/// The outer lip line with its corners drawn out.
fn rim(placement: &Placement) -> Vec<Vec2> {
    let mut rim = placement.outline(OUTER_UPPER_LIP, OUTER_LOWER_LIP);
    let (left, right) = (OUTER_UPPER_LIP.start, OUTER_UPPER_LIP.end - 1);
    let outwards =
        (rim[right] - rim[left]) * (CORNERS * placement.scale_px / placement.mouth_width().max(1.0));
    rim[left] = rim[left] - outwards;
    rim[right] = rim[right] + outwards;
    rim
}

/// Scales the fine detail of `patch` so that on the ring, where both show the same skin, it is as strong as in `base`.
fn match_detail(patch: ImageF32, base: &ImageF32, ring: &ImageF32, sigma: f32) -> ImageF32 {
    let smooth = patch.blurred(sigma);
    let energy = |image: &ImageF32, smooth: &ImageF32| -> f32 {
        let squares = image.data.iter().zip(&smooth.data).map(|(v, s)| (v - s) * (v - s));
        squares.zip(&ring.data).map(|(square, weight)| square * weight).sum()
    };
    let wanted = energy(base, &base.blurred(sigma));
    let present = energy(&patch, &smooth);
    let gain = (wanted / present.max(1e-6)).sqrt().clamp(DETAIL_RANGE.0, DETAIL_RANGE.1);
    patch.zip(&smooth, |value, smooth| smooth + (value - smooth) * gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_takes_no_colour_from_the_light_and_teeth_take_what_skin_takes() {
        let row = |values: [f32; 4]| ImageF32::from_fn(4, 1, |x, _| values[x]);
        // Skin of the ring, a dark cheek outside of the mouth, the dark between the lips, a tooth.
        let (luma, ring) = (row([120.0, 30.0, 0.0, 200.0]), row([1.0, 0.0, 0.0, 0.0]));
        let light = light_on(&luma, &ring, &row([0.0, 0.0, 1.0, 1.0]));
        assert_eq!(light.data, [1.0, 1.0, 0.0, 1.0]);
    }
}
