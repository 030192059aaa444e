//! The borrowed mouth: warped onto the target, matched in colour and sharpness to the face around it, laid over with a
//! soft edge.

use super::grid::{Grid, signed_distance, smoothstep};
use super::placement::Placement;
use super::study::Candidate;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::{ControlPoint, DisplacementField, Frame, ImageF32, PixelFormat, warp_plane};

/// Room that the overlay and its colour match need around the lips, in canonical units.
pub(super) const MARGIN: f32 = 0.24;
/// The overlay is whole up to this distance from the lip line and gone at that, in canonical units.
const FEATHER: (f32, f32) = (0.01, 0.10);
/// Colours are compared on a ring of skin between these distances from the lip line: (rises from, to, falls from, to).
const RING: (f32, f32, f32, f32) = (0.02, 0.05, 0.13, 0.20);
/// Reach of the colour match (standard deviation of its blur), as a share of the width of the mouth.
const MATCH_REACH: f32 = 0.22;
/// Nodes of masks per canonical unit, and of the colour match.
const MASK_NODES: f32 = 24.0;
const MATCH_NODES: f32 = 16.0;
/// Nodes of the warp per canonical unit: finer than the face's, lips are thin.
const WARP_NODES: f32 = 18.0;
/// The detail of the borrowed mouth is scaled between these to look as sharp as the face around it.
const DETAIL_RANGE: (f32, f32) = (0.25, 1.4);
/// Standard deviation of the blur that separates detail from the rest, in canonical units, at least 0.8 px.
const DETAIL_SCALE: f32 = 0.010;

/// A mouth of another frame and its share in the overlay.
#[derive(Debug)]
pub(super) struct BorrowedMouth<'a> {
    pub(super) candidate: &'a Candidate,
    /// Its part of its frame.
    pub(super) crop: Frame,
    pub(super) weight: f32,
}

/// What is the same for all planes of an overlay.
#[derive(Debug)]
pub(super) struct Overlay<'a> {
    region: PixelRect,
    format: PixelFormat,
    mouths: Vec<(&'a BorrowedMouth<'a>, DisplacementField)>,
    mask: Grid,
    ring: Grid,
    matching: Grid,
    /// Reach of the colour match in nodes of `matching`.
    reach_nodes: f32,
    detail_px: f32,
}

impl<'a> Overlay<'a> {
    /// Plans to lay `mouths` over the lips of `placement` in `region` of a frame of `format`.
    pub(super) fn new(
        placement: &Placement,
        mouths: &'a [BorrowedMouth<'a>],
        format: PixelFormat,
        region: PixelRect,
        strength: f32,
    ) -> Self {
        let scale = placement.scale_px;
        let outline = placement.lip_outline();
        let distance = |p: Vec2| signed_distance(&outline, p) / scale;
        let mouth_width = (placement.target[10] - placement.target[0]).length();
        let matching = Grid::sample(region, scale / MATCH_NODES, |_| 0.0);
        Self {
            region,
            format,
            mouths: mouths.iter().map(|mouth| (mouth, mouth_field(placement, mouth, region))).collect(),
            mask: Grid::sample(region, scale / MASK_NODES, |p| {
                strength * (1.0 - smoothstep(FEATHER.0, FEATHER.1, distance(p)))
            }),
            ring: Grid::sample(region, scale / MASK_NODES, |p| {
                let d = distance(p);
                smoothstep(RING.0, RING.1, d) * (1.0 - smoothstep(RING.2, RING.3, d))
            }),
            reach_nodes: MATCH_REACH * mouth_width / (scale / MATCH_NODES).max(1.0),
            matching,
            detail_px: (DETAIL_SCALE * scale).max(0.8),
        }
    }

    /// The weight of the overlay at the samples of a plane.
    pub(super) fn mask(&self, plane: usize) -> ImageF32 {
        self.mask.spread(self.format, plane, self.region)
    }

    /// The new samples of a plane, `base` being the warped face there.
    pub(super) fn plane(&self, plane: usize, base: &ImageF32) -> ImageF32 {
        let mut patch = ImageF32::filled(base.width, base.height, 0.0);
        for (mouth, field) in &self.mouths {
            let warped = warp_plane(&mouth.crop.planes[plane], self.format, plane, field, self.region);
            patch = patch.zip(&warped, |sum, value| sum + value * mouth.weight);
        }
        let ring = self.ring.spread(self.format, plane, self.region);
        if plane == 0 || self.format.chroma.plane_count() == 1 {
            patch = match_detail(patch, base, &ring, self.detail_px);
        }
        let offset = self.colour_offset(plane, base, &patch, &ring);
        patch.zip(&offset, |value, offset| value + offset)
    }

    /// How much brighter `base` is than `patch`, known on the ring and carried smoothly into the mouth (normalised
    /// convolution: Knutsson, Westin 1993).
    fn colour_offset(&self, plane: usize, base: &ImageF32, patch: &ImageF32, ring: &ImageF32) -> ImageF32 {
        let difference = |i: usize| base.data[i] - patch.data[i];
        let (sum, weight) = self.matching.gather(self.format, plane, self.region, difference, ring);
        let sum = blurred(&sum, self.reach_nodes);
        let weight = blurred(&weight, self.reach_nodes);
        let offset = sum.zip(&weight, |sum, weight| sum / (weight + 1e-3));
        self.matching.with_values(offset).spread(self.format, plane, self.region)
    }
}

/// The warp that brings a borrowed mouth onto the target.
fn mouth_field(placement: &Placement, mouth: &BorrowedMouth<'_>, region: PixelRect) -> DisplacementField {
    let candidate = mouth.candidate;
    let corner = Vec2::new(candidate.crop.region.x as f32, candidate.crop.region.y as f32);
    let lips = placement.target.iter().zip(&candidate.points);
    let guides = placement.guides.iter().zip(&candidate.guides);
    let points: Vec<ControlPoint> =
        lips.chain(guides).map(|(&target, &source)| ControlPoint { target, source: source - corner }).collect();
    DisplacementField::mls_similarity(&points, region, placement.scale_px / WARP_NODES)
}

/// Scales the fine detail of `patch` so that on the ring, where both show the same skin, it is as strong as in `base`.
fn match_detail(patch: ImageF32, base: &ImageF32, ring: &ImageF32, sigma: f32) -> ImageF32 {
    let smooth = blurred(&patch, sigma);
    let energy = |image: &ImageF32, smooth: &ImageF32| -> f32 {
        let squares = image.data.iter().zip(&smooth.data).map(|(v, s)| (v - s) * (v - s));
        squares.zip(&ring.data).map(|(square, weight)| square * weight).sum()
    };
    let wanted = energy(base, &blurred(base, sigma));
    let present = energy(&patch, &smooth);
    let gain = (wanted / present.max(1e-6)).sqrt().clamp(DETAIL_RANGE.0, DETAIL_RANGE.1);
    patch.zip(&smooth, |value, smooth| smooth + (value - smooth) * gain)
}

/// Gaussian blur, edges repeated.
fn blurred(image: &ImageF32, sigma: f32) -> ImageF32 {
    let reach = (3.0 * sigma).ceil() as i64;
    let kernel: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = kernel.iter().sum();
    let along = |image: &ImageF32, dx: i64, dy: i64| {
        ImageF32::from_fn(image.width, image.height, |x, y| {
            let sum: f32 = kernel
                .iter()
                .zip(-reach..)
                .map(|(weight, k)| weight * image.at(x as i64 + k * dx, y as i64 + k * dy))
                .sum();
            sum / total
        })
    };
    along(&along(image, 1, 0), 0, 1)
}
