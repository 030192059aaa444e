//! A changed region of a frame, ready to be blended over it: the only thing that an engine hands to the compositor.

use crate::frame::PixelFormat;
use crate::image::ImageF32;
use viseme_core::geometry::PixelRect;

/// One plane of a [`Patch`].
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPlane {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// New samples, `width * height`, on the scale of the frame's format (0 to 255 for 8 bits).
    pub values: Vec<f32>,
    /// Weight of each new sample, 0 to 1. Where it is 0 the frame keeps its own sample, bit for bit.
    pub mask: Vec<f32>,
}

/// New samples for a region of a frame, with a soft mask for each plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The region, in pixels of the frame, its edges on chroma samples or on the edge of the frame.
    pub region: PixelRect,
    /// One per colour plane of the frame (alpha is never changed); sizes as `PixelFormat::plane_region` gives them.
    pub planes: Vec<PatchPlane>,
}

impl Patch {
    /// A patch of new samples and one mask for all planes.
    ///
    /// `region` has its edges on chroma samples or on the edge of the frame; `planes` are of the sizes that
    /// [`PixelFormat::plane_region`] gives, on the scale of the format; `mask` has one weight per pixel of the region.
    #[must_use]
    pub fn new(format: PixelFormat, region: PixelRect, planes: Vec<ImageF32>, mask: &ImageF32) -> Self {
        let planes = planes.into_iter().enumerate().map(|(index, plane)| PatchPlane {
            width: plane.width as u32,
            height: plane.height as u32,
            values: plane.data,
            mask: mask_of_plane(mask, format, index).data,
        });
        Self { region, planes: planes.collect() }
    }
}

/// A mask with one weight per pixel of a region, on the samples of plane `index` of that region.
///
/// Chroma that is halved gets the mean over the pixels around its sample: across columns 1 2 1, because it lies on a
/// column of luma (see [`PlaneSiting`](crate::PlaneSiting)), down rows 1 1. The region must start on a chroma sample.
#[must_use]
pub fn mask_of_plane(mask: &ImageF32, format: PixelFormat, index: usize) -> ImageF32 {
    let (shift_x, shift_y) = format.plane_shift(index);
    if (shift_x, shift_y) == (0, 0) {
        return mask.clone();
    }
    let (width, height) = format.plane_size(index, mask.width as u32, mask.height as u32);
    let mut small = ImageF32::filled(width as usize, height as usize, 0.0);
    if mask.data.is_empty() {
        return small;
    }
    // The sums of both rows, the first and the last of them repeated beyond the edges.
    let mut sums = vec![0.0; 2 * small.width + 1];
    for y in 0..small.height {
        let above = mask.row(y << shift_y);
        let below = mask.row(((y << shift_y) + shift_y as usize).min(mask.height - 1));
        for ((sum, above), below) in sums[1..].iter_mut().zip(above).zip(below) {
            *sum = above + below;
        }
        sums[0] = sums[1];
        let last = sums[mask.width];
        sums[mask.width + 1..].fill(last);
        let values = small.row_mut(y).iter_mut();
        for ((value, pair), after) in values.zip(sums.chunks_exact(2)).zip(sums[2..].iter().step_by(2)) {
            *value = (pair[0] + after + 2.0 * pair[1]) / 8.0;
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ChromaSampling;

    #[test]
    fn masks_of_chroma_stay_between_those_of_luma() {
        for chroma in [ChromaSampling::Yuv420, ChromaSampling::Yuv422, ChromaSampling::Yuv444] {
            let format = PixelFormat { chroma, ..PixelFormat::YUV420P };
            for (width, height) in [(7, 5), (8, 6), (1, 1)] {
                let ones = mask_of_plane(&ImageF32::filled(width, height, 1.0), format, 1);
                let (w, h) = format.plane_size(1, width as u32, height as u32);
                assert_eq!((ones.width, ones.height), (w as usize, h as usize));
                assert!(ones.data.iter().all(|&weight| (weight - 1.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn a_slope_keeps_its_place_on_left_sited_chroma() {
        let slope = ImageF32::from_fn(10, 8, |x, y| x as f32 + 10.0 * y as f32);
        let small = mask_of_plane(&slope, PixelFormat::YUV420P, 2);
        // Chroma sample (2, 1) lies at luma (4, 2.5).
        assert!((small.at(2, 1) - 29.0).abs() < 1e-5);
    }
}
