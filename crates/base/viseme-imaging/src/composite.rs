//! Blending a patch over a frame: the only place where decoded samples are changed.

use crate::frame::{Frame, Plane, Samples};
use crate::patch::{Patch, PatchPlane};
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, Result};

/// Blends `patch` over `frame`: each sample becomes `round(sample + (new - sample) * mask)`, clamped to the range of
/// the format. Samples whose mask is 0 keep every bit; alpha is never touched.
///
/// # Errors
/// When the patch does not fit the frame: its region, number of planes or their sizes. The frame is then unchanged.
pub fn composite(frame: &mut Frame, patch: &Patch) -> Result<()> {
    check(frame, patch)?;
    let limit = f32::from(frame.format.max_value());
    for (index, (plane, new)) in frame.planes.iter_mut().zip(&patch.planes).enumerate() {
        blend_plane(plane, new, frame.format.plane_region(index, patch.region), limit);
    }
    Ok(())
}

fn check(frame: &Frame, patch: &Patch) -> Result<()> {
    let (region, format) = (patch.region, frame.format);
    let fits = |start: u32, extent: u32, whole: u32| {
        start.checked_add(extent).is_some_and(|end| end <= whole) && start.is_multiple_of(format.alignment())
    };
    if !fits(region.x, region.width, frame.width) || !fits(region.y, region.height, frame.height) {
        return Err(Error::internal(format!(
            "a patch at {region:?} of a {}x{} frame",
            frame.width, frame.height
        )));
    }
    if patch.planes.len() != format.chroma.plane_count() {
        return Err(Error::internal(format!("a patch of {} planes", patch.planes.len())));
    }
    for (index, plane) in patch.planes.iter().enumerate() {
        let part = format.plane_region(index, region);
        let count = part.width as usize * part.height as usize;
        let sized = (plane.width, plane.height) == (part.width, part.height);
        if !sized || plane.values.len() != count || plane.mask.len() != count {
            return Err(Error::internal(format!("plane {index} of a patch does not cover {part:?}")));
        }
    }
    Ok(())
}

fn blend_plane(plane: &mut Plane, new: &PatchPlane, region: PixelRect, limit: f32) {
    let stride = plane.width as usize;
    match &mut plane.samples {
        Samples::U8(samples) => blend(samples, stride, new, region, |value| value.clamp(0.0, limit) as u8),
        Samples::U16(samples) => blend(samples, stride, new, region, |value| value.clamp(0.0, limit) as u16),
    }
}

fn blend<S: Copy + Into<f32>>(
    samples: &mut [S],
    stride: usize,
    new: &PatchPlane,
    region: PixelRect,
    store: impl Fn(f32) -> S,
) {
    let width = new.width as usize;
    if width == 0 {
        return;
    }
    let rows = samples.chunks_exact_mut(stride).skip(region.y as usize);
    let values = new.values.chunks_exact(width).zip(new.mask.chunks_exact(width));
    for (row, (values, mask)) in rows.zip(values) {
        let row = &mut row[region.x as usize..][..width];
        for ((sample, &value), &weight) in row.iter_mut().zip(values).zip(mask) {
            let old: f32 = (*sample).into();
            // Truncation after adding a half rounds to nearest: values below zero are clamped to it.
            let blended = store(old + (value - old) * weight + 0.5);
            // Chosen, not jumped over: then several samples are blended at once.
            *sample = if weight > 0.0 { blended } else { *sample };
        }
    }
}
