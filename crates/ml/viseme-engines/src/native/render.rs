//! One frame's patch: the face warped to the target, the new mouth over it, and the mask of what changed.

use super::grid::Grid;
use super::overlay::Overlay;
use super::placement::Placement;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::{
    DisplacementField, Frame, ImageF32, Patch, PixelFormat, mask_of_plane, smoothstep, warp_plane_where,
};

/// Samples that move by less than the first, in pixels, keep the source's own; from the second on they are all new.
const VISIBLE_MOTION_PX: (f32, f32) = (0.15, 0.65);
/// The patch fades out so near to the edge of its region, in canonical units, unless that is the edge of the frame.
const EDGE: f32 = 0.08;

/// Makes the patch for a face; none when nothing would change.
pub(super) fn render(frame: &Frame, placement: &Placement, overlay: Option<&Overlay<'_>>) -> Option<Patch> {
    let region = placement.region(frame);
    if region.is_empty() {
        return None;
    }
    let field = placement.field(region);
    let mut mask = motion_mask(&field, placement, frame);
    if let Some(overlay) = overlay {
        let part = overlay.region();
        let (left, top) = ((part.x - region.x) as usize, (part.y - region.y) as usize);
        for (y, weights) in overlay.mask.rows().enumerate() {
            let row = &mut mask.row_mut(top + y)[left..][..weights.len()];
            // The samples are blended already: the mask only has to let them through.
            row.iter_mut().zip(weights).for_each(|(mask, weight)| *mask = mask.max((8.0 * weight).min(1.0)));
        }
    }
    if mask.data.iter().all(|&weight| weight <= 0.0) {
        return None;
    }
    let seen = seen(&mask, region, overlay);
    let warped = |plane: usize| {
        let seen = mask_of_plane(&seen, frame.format, plane);
        warp_plane_where(&frame.planes[plane], frame.format, plane, &field, region, &seen)
    };
    let mut planes: Vec<ImageF32> = (0..frame.format.chroma.plane_count()).map(warped).collect();
    if let Some(overlay) = overlay {
        lay_over(&mut planes, overlay, frame.format, region);
    }
    Some(Patch::new(frame.format, region, planes, &mask))
}

/// What of the region is looked at, above 0: what the mask lets through, and all that the overlay is matched to.
fn seen(mask: &ImageF32, region: PixelRect, overlay: Option<&Overlay<'_>>) -> ImageF32 {
    let mut seen = mask.clone();
    if let Some(part) = overlay.map(Overlay::region) {
        let (left, top) = ((part.x - region.x) as usize, (part.y - region.y) as usize);
        for y in top..top + part.height as usize {
            seen.row_mut(y)[left..][..part.width as usize].fill(1.0);
        }
    }
    seen
}

/// Replaces the part of `planes` (which cover `region` of the frame) that the overlay covers.
fn lay_over(planes: &mut [ImageF32], overlay: &Overlay<'_>, format: PixelFormat, region: PixelRect) {
    let place = |plane: usize| {
        let (part, whole) = (overlay.part(plane), format.plane_region(plane, region));
        (part, (part.x - whole.x) as usize, (part.y - whole.y) as usize)
    };
    let base = |(plane, samples): (usize, &ImageF32)| {
        let (part, left, top) = place(plane);
        samples.cropped(left as i64, top as i64, part.width as usize, part.height as usize)
    };
    let bases = planes.iter().enumerate().map(base).collect();
    for (plane, laid_over) in overlay.laid_over(bases).iter().enumerate() {
        let (_, left, top) = place(plane);
        for (y, row) in laid_over.rows().enumerate() {
            planes[plane].row_mut(top + y)[left..][..row.len()].copy_from_slice(row);
        }
    }
}

/// Where the warp visibly moves the picture, away from the edges of the region.
fn motion_mask(field: &DisplacementField, placement: &Placement, frame: &Frame) -> ImageF32 {
    let region = field.region;
    let step = (placement.scale_px / 12.0).max(1.0);
    // Distance to the nearest edge of the region that is not an edge of the frame.
    let inwards = |p: Vec2| {
        let edges = [
            (region.x > 0, p.x - region.x as f32),
            (region.y > 0, p.y - region.y as f32),
            (region.right() < frame.width, region.right() as f32 - 1.0 - p.x),
            (region.bottom() < frame.height, region.bottom() as f32 - 1.0 - p.y),
        ];
        edges.iter().filter(|edge| edge.0).fold(f32::INFINITY, |least, edge| least.min(edge.1))
    };
    Grid::sample(region, step, |p| {
        let motion = field.at(p).length();
        let within = smoothstep(0.0, EDGE * placement.scale_px, inwards(p) - step);
        smoothstep(VISIBLE_MOTION_PX.0, VISIBLE_MOTION_PX.1, motion) * within
    })
    .spread(region)
}
