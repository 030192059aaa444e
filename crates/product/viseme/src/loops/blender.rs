//! The pictures at the boundaries of a loop: our own, and over them what a net makes of the people.

use super::blend::{blended, boxes, distance};
use crate::plan::Blend;
use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_engines::FrameInterpolator;
use viseme_face::FaceObservation;
use viseme_imaging::{ColourInfo, Frame, ImageF32, Patch, composite, smoothstep};

/// Of a net's picture everything is taken up to so far from the box of a face, in box sizes, which is where its head and
/// shoulders are …
const PERSON_REACH: f32 = 0.8;
/// … and nothing from so far on: what is seen there in one of both pictures alone, a drawn figure, a title, is gone at once in a net's
/// picture, and fades evenly in ours.
const PERSON_END: f32 = 1.3;
/// Most bytes of pictures that are kept for the next round: ten of 1920 × 1080.
const KEPT_BYTES: usize = 32 << 20;

/// Makes the pictures at the boundaries of a loop. Each round passes over into the next by the same ones: they are made once, as far
/// as there is room for them.
pub(crate) struct Blender<'a> {
    /// Makes what lies between two pictures of one place; our own flow where there is none.
    interpolator: Option<&'a dyn FrameInterpolator>,
    kept: Vec<(Blend, Arc<Frame>)>,
    kept_bytes: usize,
}

impl<'a> Blender<'a> {
    pub(crate) fn new(interpolator: Option<&'a dyn FrameInterpolator>) -> Self {
        Self { interpolator, kept: Vec::new(), kept_bytes: 0 }
    }

    /// The picture of a blend, where it was made and kept.
    pub(crate) fn made(&self, blend: &Blend) -> Option<Arc<Frame>> {
        self.kept.iter().find(|(kept, _)| kept == blend).map(|(_, frame)| Arc::clone(frame))
    }

    /// The picture of a blend of two frames, whose samples mean `colour`, with the faces that are in both.
    ///
    /// # Errors
    /// When the net fails that makes it.
    pub(crate) fn make(
        &mut self,
        blend: &Blend,
        colour: &ColourInfo,
        [leaving, arriving]: [&Frame; 2],
        faces: &[[FaceObservation; 2]],
    ) -> Result<Arc<Frame>> {
        let mut frame = blended(leaving, arriving, faces, blend.share);
        // Without a face in both the two may show anything, which no net lies between.
        if let Some(net) = self.interpolator.filter(|_| !faces.is_empty()) {
            let planes = net.between(colour, leaving, arriving, blend.share)?;
            let region = PixelRect::of_size(frame.width, frame.height);
            let mask = around(faces, blend.share, region);
            let patch = Patch::new(frame.format, region, planes, &mask);
            composite(&mut frame, &patch)?;
        }
        let frame = Arc::new(frame);
        if self.kept_bytes + frame.byte_size() <= KEPT_BYTES {
            self.kept_bytes += frame.byte_size();
            self.kept.push((*blend, Arc::clone(&frame)));
        }
        Ok(frame)
    }
}

/// Where a net's picture is taken, 0 to 1, for each pixel of the frame.
fn around(faces: &[[FaceObservation; 2]], share: f32, region: PixelRect) -> ImageF32 {
    let boxes = boxes(faces, share);
    ImageF32::from_fn(region.width as usize, region.height as usize, |x, y| {
        smoothstep(PERSON_END, PERSON_REACH, distance(&boxes, Vec2::new(x as f32, y as f32)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::{FrameIndex, Pts};
    use viseme_imaging::{ColourMatrix, ColourRange, PixelFormat};
    use viseme_testing::{FakeFace, FakeInterpolator};

    const FACE: FakeFace = FakeFace { x: 100.0, y: 60.0, scale_px: 12.0 };
    const BLEND: Blend = Blend { leaving: FrameIndex(9), arriving: FrameIndex(0), share: 0.5 };

    fn made(blender: &mut Blender<'_>, blend: &Blend, faces: &[[FaceObservation; 2]]) -> Arc<Frame> {
        let flat = |value| {
            let bytes = vec![value; PixelFormat::YUV420P.frame_bytes(320, 120)];
            Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 320, 120, &bytes).unwrap()
        };
        let colour = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);
        blender.make(blend, &colour, [&flat(40), &flat(80)], faces).unwrap()
    }

    fn faces() -> Vec<[FaceObservation; 2]> {
        let face = FaceObservation::new(FACE.points(), 1.0, 1.0).unwrap();
        vec![[face.clone(), face]]
    }

    #[test]
    fn a_net_makes_the_people_and_our_flow_the_rest() {
        let net = FakeInterpolator::new(200.0);
        let frame = made(&mut Blender::new(Some(&net)), &BLEND, &faces());
        let luma = |x| frame.planes[0].value(x, 60) as u8;
        assert_eq!([luma(100), luma(130), luma(310)], [200, 200, 60]);
        assert_eq!(frame.planes[1].value(50, 30) as u8, 200);
        let ours = made(&mut Blender::new(None), &BLEND, &faces());
        assert_eq!(ours.planes[0].value(100, 60) as u8, 60);
    }

    #[test]
    fn no_net_is_asked_what_lies_between_two_places() {
        let net = FakeInterpolator::new(200.0);
        let frame = made(&mut Blender::new(Some(&net)), &BLEND, &[]);
        assert_eq!(frame.planes[0].value(100, 60) as u8, 60);
        assert!(net.asked().is_empty());
    }

    #[test]
    fn pictures_are_kept_for_the_next_round_as_far_as_there_is_room() {
        let mut blender = Blender::new(None);
        assert!(blender.made(&BLEND).is_none());
        let frame = made(&mut blender, &BLEND, &faces());
        assert!(Arc::ptr_eq(&frame, &blender.made(&BLEND).unwrap()));
        let other = Blend { share: 0.75, ..BLEND };
        assert!(blender.made(&other).is_none(), "another share is another picture");
        blender.kept_bytes = KEPT_BYTES;
        made(&mut blender, &other, &faces());
        assert!(blender.made(&other).is_none() && blender.made(&BLEND).is_some());
    }
}
