//! From the net's 96 × 96 pixels into the picture: only the mouth, in the colours of the face, with the source's own detail
//! where the net shows what the source shows.

use super::network::{FIRST_ROW, NetFace, SIDE};
use crate::engine::MouthRequest;
use viseme_core::geometry::{Affine, PixelRect, Rect, Vec2};
use viseme_face::FaceObservation;
use viseme_face::points::JAW;
use viseme_imaging::{
    ChromaSampling, ColourInfo, Frame, ImageF32, Patch, PixelFormat, PlaneSiting, low_pass_offset,
    planes_from_rgb, polygon_distance, smoothstep,
};

/// Above the jaw the part that may change is bounded by the cheeks (`FaceMesh` 425, 205) and the nose (327, 2, 98), right to
/// left.
const CHEEKS_AND_NOSE: [usize; 5] = [66, 112, 115, 111, 65];
/// It is whole up to this distance within its outline and gone at that beyond it, in canonical units: a jaw that drops, and
/// cheeks that are drawn in, need room.
const FEATHER: (f32, f32) = (-0.08, 0.14);
/// It fades out so near to the edge of what is taken of the net's picture, in pixels of that.
const EDGE: f32 = 5.0;

/// Colours of the net and the source are compared where the mask is neither whole nor gone, and the difference is spread with
/// this standard deviation, in pixels of the net's picture.
const MATCH_REACH: f32 = 10.0;

/// Differences between net and source are blurred by this much, in pixels of the net's picture, …
const DIFFERENCE_BLUR: f32 = 1.5;
/// … and below the first, on 0 to 255, both show the same: the source's own detail is kept. From the second on the net's
/// picture is taken as it is.
const DIFFERENCE: (f32, f32) = (5.0, 18.0);

/// The patch that shows the net's mouth; none where nothing of it lies in the frame.
///
/// `seen` is the face of the request as the net was shown it through `crop_from_image`, `spoken` its answer.
pub(super) fn patch(
    request: &MouthRequest<'_>,
    colour: &ColourInfo,
    crop_from_image: &Affine,
    seen: &NetFace,
    spoken: &NetFace,
) -> Option<Patch> {
    let frame = request.frame;
    let mask = mask(crop_from_image, request.face);
    let region = region(&mask, crop_from_image, frame)?;
    let seen = seen.to_rgb();
    let spoken = matched(&seen, spoken.to_rgb(), &mask);
    let kept = agreement(&seen, &spoken);
    let format = frame.format;
    let planes_of = |rgb: &[ImageF32; 3]| planes_from_rgb(rgb, unreduced(format), colour);
    let planes =
        planes_of(&spoken).into_iter().zip(planes_of(&seen)).enumerate().map(|(index, (new, old))| {
            // What the net's picture adds to the share of the source that is kept.
            let added = new.zip(&old.zip(&kept, |old, kept| old * kept), |new, kept| new - kept);
            let part = format.plane_region(index, region);
            let crop_from_part = crop_from_part(crop_from_image, PlaneSiting::of(format, index), part);
            let (width, height) = (part.width as usize, part.height as usize);
            let kept = kept.resampled_linear(&crop_from_part, width, height);
            let source = ImageF32::from_plane(&frame.planes[index], part);
            source
                .zip(&kept, |own, kept| own * kept)
                .zip(&added.resampled(&crop_from_part, width, height), |kept, added| kept + added)
        });
    let planes = planes.collect();
    let crop_from_region = crop_from_part(crop_from_image, PlaneSiting::of(format, 0), region);
    let mask = mask.resampled_linear(&crop_from_region, region.width as usize, region.height as usize);
    let strength = request.strength.min(1.0);
    Some(Patch::new(format, region, planes, &mask.map(|weight| weight * strength)))
}

/// How much of each pixel of the net's picture is taken, 0 to 1.
fn mask(crop_from_image: &Affine, face: &FaceObservation) -> ImageF32 {
    let outline: Vec<Vec2> =
        JAW.chain(CHEEKS_AND_NOSE).map(|point| crop_from_image.apply(face.points[point].xy())).collect();
    let [a, b, _, d, e, _] = crop_from_image.rows;
    let unit = face.pose.scale_px * (a * e - b * d).abs().sqrt();
    let side = SIDE as u32;
    let reach = unit.max(1.0) * FEATHER.0.abs().max(FEATHER.1);
    let distance = polygon_distance(&outline, PixelRect::of_size(side, side), reach);
    let inwards =
        |position: usize, first: usize| position.saturating_sub(first).min(SIDE - 1 - position) as f32;
    let edge = |x, y| smoothstep(0.0, EDGE, inwards(x, 0).min(inwards(y, FIRST_ROW)));
    let edge = ImageF32::from_fn(SIDE, SIDE, edge);
    distance.map(|d| smoothstep(FEATHER.1, FEATHER.0, d / unit.max(1.0))).zip(&edge, |mask, edge| mask * edge)
}

/// The part of the frame where the mask has weight, on chroma samples.
fn region(mask: &ImageF32, crop_from_image: &Affine, frame: &Frame) -> Option<PixelRect> {
    let weighty = |(at, weight): (usize, &f32)| {
        (*weight > 0.0).then_some(Vec2::new((at % SIDE) as f32, (at / SIDE) as f32))
    };
    let bounds = Rect::bounding(mask.data.iter().enumerate().filter_map(weighty))?.expanded(1.0);
    let image_from_crop = crop_from_image.inverse()?;
    let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(x, y)| {
        image_from_crop.apply(Vec2::new(bounds.x + x * bounds.width, bounds.y + y * bounds.height))
    });
    let rect = Rect::bounding(corners)?.to_pixels(frame.width, frame.height);
    let region = rect.aligned(frame.format.alignment(), frame.width, frame.height);
    (!region.is_empty()).then_some(region)
}

/// The net's picture in the colours of the source, as they are around the mouth.
fn matched(seen: &[ImageF32; 3], spoken: [ImageF32; 3], mask: &ImageF32) -> [ImageF32; 3] {
    let ring = mask.clone().map(|weight| 4.0 * weight * (1.0 - weight));
    let mut seen = seen.iter();
    spoken.map(|plane| match seen.next() {
        Some(base) => {
            let offset = low_pass_offset(base, &plane, &ring, MATCH_REACH);
            plane.zip(&offset, |value, offset| value + offset)
        }
        None => plane,
    })
}

/// How far net and source show the same, 0 to 1, at each pixel of the net's picture.
fn agreement(seen: &[ImageF32; 3], spoken: &[ImageF32; 3]) -> ImageF32 {
    let difference = |channel: usize| {
        spoken[channel]
            .clone()
            .zip(&seen[channel], |new, old| new - old)
            .blurred(DIFFERENCE_BLUR)
            .map(f32::abs)
    };
    let largest = difference(0).zip(&difference(1), f32::max).zip(&difference(2), f32::max);
    largest.map(|difference| smoothstep(DIFFERENCE.1, DIFFERENCE.0, difference))
}

/// A format with all planes of one size.
fn unreduced(format: PixelFormat) -> PixelFormat {
    let chroma = match format.chroma {
        ChromaSampling::Yuv420 | ChromaSampling::Yuv422 => ChromaSampling::Yuv444,
        same @ (ChromaSampling::Gray | ChromaSampling::Yuv444 | ChromaSampling::Gbr) => same,
    };
    PixelFormat { chroma, ..format }
}

/// The map from the samples of a part of a plane to the net's picture.
fn crop_from_part(crop_from_image: &Affine, siting: PlaneSiting, part: PixelRect) -> Affine {
    let [a, b, _, d, e, _] = crop_from_image.rows;
    let first = siting.frame_from_plane(Vec2::new(part.x as f32, part.y as f32));
    let origin = crop_from_image.apply(first);
    let Vec2 { x, y } = siting.step;
    Affine { rows: [a * x, b * y, origin.x, d * x, e * y, origin.y] }
}

#[cfg(test)]
mod tests {
    use super::super::aligned::{crop_from_image, net_face};
    use super::*;
    use crate::engine::PlannedMouth;
    use crate::testing::{face, frame};
    use proptest::prelude::*;
    use viseme_core::FrameIndex;
    use viseme_face::TrackId;
    use viseme_imaging::{ColourMatrix, ColourRange, composite};

    const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

    /// The frame with the net's answer in it, and the patch that did it.
    fn made(
        frame: &Frame,
        face: &FaceObservation,
        strength: f32,
        spoken: impl Fn(NetFace) -> NetFace,
    ) -> (Frame, Option<Patch>) {
        let planned = PlannedMouth { output: FrameIndex(0), source: FrameIndex(0), speech_s: 0.0 };
        let request = MouthRequest { track: TrackId(0), planned, frame, face, strength };
        let map = crop_from_image(face);
        let seen = net_face(frame, &COLOUR, &map).unwrap();
        let patch = patch(&request, &COLOUR, &map, &seen, &spoken(seen.clone()));
        let mut made = frame.clone();
        if let Some(patch) = &patch {
            composite(&mut made, patch).unwrap();
        }
        (made, patch)
    }

    /// The face with its lower half in stripes.
    fn striped(seen: &NetFace) -> NetFace {
        let mut planes = seen.to_rgb().map(|plane| plane.data).concat();
        for (at, value) in planes.iter_mut().enumerate() {
            if at % (SIDE * SIDE) >= SIDE * SIDE / 2 {
                *value = if at % 16 < 8 { 0.0 } else { 255.0 };
            }
        }
        NetFace::from_rgb(&planes).unwrap()
    }

    #[test]
    fn what_the_net_leaves_as_it_is_stays_the_sources_own() {
        for chroma in [ChromaSampling::Yuv420, ChromaSampling::Gbr, ChromaSampling::Gray] {
            let format = PixelFormat { chroma, ..PixelFormat::YUV420P };
            let (source, face) = (frame(format, 320, 240, 3), face(160.0, 100.0, 60.0, 0.1));
            let (made, patch) = made(&source, &face, 1.0, |seen| seen);
            assert!(patch.is_some_and(|patch| patch.planes[0].mask.contains(&1.0)));
            assert_eq!(made, source, "{chroma:?}");
        }
    }

    #[test]
    fn a_new_mouth_comes_through_and_the_upper_face_stays() {
        let (source, face) = (frame(PixelFormat::YUV420P, 320, 240, 3), face(160.0, 100.0, 60.0, 0.1));
        let (made, patch) = made(&source, &face, 1.0, |seen| striped(&seen));
        let change = |point: usize| {
            let (x, y) = (face.points[point].x as i64, face.points[point].y as i64);
            let around = (-12..12)
                .map(|dx| (made.planes[0].value(x + dx, y) - source.planes[0].value(x + dx, y)).abs());
            around.fold(0.0, f32::max)
        };
        // The lips, the chin, an eye, the tip of the nose.
        assert!(change(25) > 60.0 && change(53) > 60.0, "{} {}", change(25), change(53));
        assert!(change(85) < 0.5 && change(114) < 0.5, "{} {}", change(85), change(114));
        let top = patch.unwrap().region.y as f32;
        assert!(top > face.points[114].y - 10.0, "{top}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn patches_fit_the_frame_wherever_the_face_is(
            x in -150_f32..500.0, y in -150_f32..400.0, scale in 3_f32..150.0,
            width in 1_u32..320, height in 1_u32..240, strength in 0.01_f32..1.0,
        ) {
            let (source, face) = (frame(PixelFormat::YUV420P, width, height, 3), face(x, y, scale, 0.1));
            let (_, patch) = made(&source, &face, strength, |seen| striped(&seen));
            let weights = patch.iter().flat_map(|patch| &patch.planes).flat_map(|plane| &plane.mask);
            prop_assert!(weights.into_iter().all(|weight| (0.0..=strength).contains(weight)));
        }
    }
}
