//! One frame's patch: the face warped to the target, the borrowed mouth over it, and the masks of what changed.

use super::grid::{Grid, smoothstep};
use super::overlay::{BorrowedMouth, MARGIN, Overlay};
use super::placement::Placement;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::{DisplacementField, Frame, ImageF32, Patch, PatchPlane, warp_plane};

/// Samples that move by less than the first, in pixels, keep the source's own; from the second on they are all new.
const VISIBLE_MOTION_PX: (f32, f32) = (0.15, 0.65);
/// The patch fades out so near to the edge of its region, in canonical units, unless that is the edge of the frame.
const EDGE: f32 = 0.08;

/// Makes the patch for a face; none when nothing would change.
pub(super) fn render(
    frame: &Frame,
    placement: &Placement,
    borrowed: &[BorrowedMouth<'_>],
    strength: f32,
) -> Option<Patch> {
    let region = placement.region(frame);
    if region.is_empty() {
        return None;
    }
    let field = placement.field(region);
    let moved = motion_mask(&field, placement, frame);
    let mouth_region = placement.mouth_region(MARGIN, frame);
    let overlay = (!borrowed.is_empty() && !mouth_region.is_empty())
        .then(|| Overlay::new(placement, borrowed, frame.format, mouth_region, strength));
    let planes: Vec<PatchPlane> = (0..frame.format.chroma.plane_count())
        .map(|plane| {
            let mut values = warp_plane(&frame.planes[plane], frame.format, plane, &field, region);
            let mut mask = moved.spread(frame.format, plane, region);
            if let Some(overlay) = &overlay {
                lay_over(&mut values, &mut mask, overlay, plane, inner(frame, plane, region, mouth_region));
            }
            PatchPlane { width: values.width as u32, height: values.height as u32, values: values.data, mask: mask.data }
        })
        .collect();
    let changes = planes.iter().any(|plane| plane.mask.iter().any(|&weight| weight > 0.0));
    changes.then_some(Patch { region, planes })
}

/// Where the warp visibly moves the picture, away from the edges of the region.
fn motion_mask(field: &DisplacementField, placement: &Placement, frame: &Frame) -> Grid {
    let region = field.region;
    let edge = EDGE * placement.scale_px;
    let step = placement.scale_px / 12.0;
    // Distance to the nearest edge of the region that is not an edge of the frame.
    let inwards = |p: Vec2| {
        let mut distance = f32::INFINITY;
        let mut consider = |inside: bool, d: f32| distance = if inside { distance.min(d) } else { distance };
        consider(region.x > 0, p.x - region.x as f32);
        consider(region.y > 0, p.y - region.y as f32);
        consider(region.right() < frame.width, region.right() as f32 - 1.0 - p.x);
        consider(region.bottom() < frame.height, region.bottom() as f32 - 1.0 - p.y);
        distance
    };
    Grid::sample(region, step, |p| {
        let motion = field.at(p).length();
        smoothstep(VISIBLE_MOTION_PX.0, VISIBLE_MOTION_PX.1, motion) * smoothstep(0.0, edge, inwards(p) - step)
    })
}

/// Where the part `mouth` of the frame lies within the part `region`, in samples of a plane: (x, y).
fn inner(frame: &Frame, plane: usize, region: PixelRect, mouth: PixelRect) -> (usize, usize) {
    let (outer, inner) = (frame.format.plane_region(plane, region), frame.format.plane_region(plane, mouth));
    ((inner.x - outer.x) as usize, (inner.y - outer.y) as usize)
}

/// Lays the borrowed mouth over the warped face.
fn lay_over(values: &mut ImageF32, mask: &mut ImageF32, overlay: &Overlay<'_>, plane: usize, at: (usize, usize)) {
    let weight = overlay.mask(plane);
    let base = values.cropped(at.0 as i64, at.1 as i64, weight.width, weight.height);
    let patch = overlay.plane(plane, &base);
    for y in 0..weight.height {
        let row = &mut values.row_mut(at.1 + y)[at.0..][..weight.width];
        for ((value, &new), &weight) in row.iter_mut().zip(patch.row(y)).zip(weight.row(y)) {
            *value += (new - *value) * weight;
        }
        let row = &mut mask.row_mut(at.1 + y)[at.0..][..weight.width];
        for (mask, &weight) in row.iter_mut().zip(weight.row(y)) {
            // The values are blended already: the mask only has to let them through.
            *mask = mask.max((8.0 * weight).min(1.0));
        }
    }
}
