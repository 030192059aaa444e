//! The picture of what was changed.

use viseme_core::Pts;
use viseme_imaging::{ChromaSampling, Frame, Patch, PixelFormat, Plane, Samples};
use viseme_media::{ColourTags, OutputVideo};

/// 8-bit gray.
const FORMAT: PixelFormat = PixelFormat { chroma: ChromaSampling::Gray, bit_depth: 8, alpha: false };

/// The video that the masks of `video` make.
pub(crate) fn mask_video(video: &OutputVideo) -> OutputVideo {
    let colour_tags = ColourTags { range: Some("pc".to_owned()), ..ColourTags::default() };
    OutputVideo { format: FORMAT, colour_tags, ..video.clone() }
}

/// The mask of `patches` over `frame`: one sample per pixel, the largest weight that any plane has there, 0 to 255.
///
/// Weights are rounded up, so that 0 means that no sample of any plane belonging to the pixel was changed.
pub(crate) fn mask_frame(frame: &Frame, patches: &[Patch], pts: Pts) -> Frame {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut mask = vec![0; width * height];
    for patch in patches {
        for plane in 0..patch.planes.len() {
            paint(&mut mask, width, frame.format, patch, plane);
        }
    }
    let plane = Plane { width: frame.width, height: frame.height, samples: Samples::U8(mask) };
    Frame { pts, format: FORMAT, width: frame.width, height: frame.height, planes: vec![plane] }
}

/// The mask of a `frame` that is a blend of two: 255 all over, for none of its samples is the decoder's own.
pub(crate) fn mask_of_blend(frame: &Frame, pts: Pts) -> Frame {
    let (width, height) = (frame.width, frame.height);
    let samples = Samples::U8(vec![255; width as usize * height as usize]);
    Frame { pts, format: FORMAT, width, height, planes: vec![Plane { width, height, samples }] }
}

/// Raises the mask under one plane of a patch; a subsampled sample covers all of its pixels.
fn paint(mask: &mut [u8], width: usize, format: PixelFormat, patch: &Patch, plane: usize) {
    let (shift_x, shift_y) = format.plane_shift(plane);
    let weights = &patch.planes[plane];
    let (left, top) = (patch.region.x >> shift_x, patch.region.y >> shift_y);
    for y in patch.region.y..patch.region.bottom() {
        let weights = &weights.mask[((y >> shift_y) - top) as usize * weights.width as usize..];
        let row = &mut mask[y as usize * width..][..width];
        for x in patch.region.x..patch.region.right() {
            let weight = (weights[((x >> shift_x) - left) as usize].clamp(0.0, 1.0) * 255.0).ceil() as u8;
            let pixel = &mut row[x as usize];
            *pixel = weight.max(*pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::geometry::PixelRect;
    use viseme_imaging::PatchPlane;

    #[test]
    fn a_chroma_sample_marks_all_of_its_pixels_even_at_an_odd_edge() {
        let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 5, 3, &[0; 15 + 6 + 6]).unwrap();
        let plane = |width: u32, height: u32, marked: Option<usize>| {
            let mut mask = vec![0.0; (width * height) as usize];
            if let Some(index) = marked {
                mask[index] = 0.001;
            }
            PatchPlane { width, height, values: vec![0.0; mask.len()], mask }
        };
        let patch = Patch {
            region: PixelRect { x: 2, y: 0, width: 3, height: 3 },
            planes: vec![plane(3, 3, None), plane(2, 2, Some(3)), plane(2, 2, Some(0))],
        };
        let mask = mask_frame(&frame, &[patch], Pts(7));
        let Samples::U8(samples) = &mask.planes[0].samples else { panic!("8 bits") };
        #[rustfmt::skip]
        assert_eq!(samples, &[
            0, 0, 1, 1, 0,
            0, 0, 1, 1, 0,
            0, 0, 0, 0, 1,
        ]);
        assert_eq!(mask.pts, Pts(7));
    }
}
