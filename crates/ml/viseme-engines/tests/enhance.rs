//! Face restorers: what the nets are given, and how what they change comes back into a frame.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use proptest::prelude::*;
use std::sync::Arc;
use viseme_core::geometry::{Affine, Vec2};
use viseme_core::{ErrorKind, Pts};
use viseme_engines::enhance::{CodeFormer, FacePicture, FacePlace, Gfpgan, RestoreFormer};
use viseme_engines::{EnhanceArea, EnhanceOptions, EnhanceRequest, Enhancement, FaceEnhancer};
use viseme_face::alignment::{Template, five_points};
use viseme_face::{FaceObservation, points};
use viseme_imaging::{
    ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, Patch, PixelFormat, Samples, composite,
};
use viseme_models::{ModelFile, RtenRuntime, Runtime};
use viseme_testing::compare::{differing_samples, max_difference};
use viseme_testing::fake_enhancer::{RESTORER, RESTORER_ANSWERS, RESTORER_IDENTITY, RESTORER_WEIGHTED};
use viseme_testing::runtimes::NEIGHBOURS;
use viseme_testing::{FakeEnhancer, FakeFace, FakeSession};

/// Planes of red, green and blue themselves: a change of a colour is a change of a sample.
const GBR: PixelFormat = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: false };

fn colour() -> ColourInfo {
    ColourInfo::new(ColourRange::Full, ColourMatrix::Bt709)
}

fn session(onnx: &'static [u8]) -> Arc<dyn viseme_models::InferenceSession> {
    RtenRuntime::default().load(&ModelFile::bytes("tiny", onnx)).unwrap()
}

/// The picture of `reference/make_enhancer_models.py`.
fn picture() -> FacePicture {
    let side = FacePicture::SIDE;
    let value = |at: usize| {
        let (x, y, channel) = (at % side, at / side % side, at / side / side);
        ((x * 7 + y * 13 + channel * 29) % 256) as f32
    };
    FacePicture::new((0..3 * side * side).map(value).collect()).unwrap()
}

/// A frame of smooth texture in the middle half of the scale.
fn frame(format: PixelFormat, width: u32, height: u32) -> Frame {
    let mut bytes = Vec::new();
    for plane in 0..format.plane_count() {
        let (columns, rows) = format.plane_size(plane, width, height);
        for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))) {
            let wave = (x as f32 * 0.13 + plane as f32).sin() + (y as f32 * 0.17).cos();
            let value = ((0.5 + 0.1 * wave) * f32::from(format.max_value())) as u16;
            if format.bit_depth > 8 {
                bytes.extend(value.to_le_bytes());
            } else {
                bytes.push(value as u8);
            }
        }
    }
    Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap()
}

/// The canonical face, its nose bridge at (x, y), turned by `roll`.
fn face(x: f32, y: f32, scale_px: f32, roll: f32) -> FaceObservation {
    let turn = Affine::similarity(roll, 1.0, Vec2::new(x, y), Vec2::new(x, y));
    let mut points = FakeFace { x, y, scale_px }.points();
    for point in points.iter_mut() {
        let turned = turn.apply(point.xy());
        (point.x, point.y) = (turned.x, turned.y);
    }
    FaceObservation::new(points, 1.0, 1.0).unwrap()
}

fn enhance(
    enhancer: FakeEnhancer,
    options: EnhanceOptions,
    frame: &Frame,
    face: &FaceObservation,
) -> Option<Patch> {
    let enhancement = Enhancement::new(Arc::new(enhancer), options);
    let request = EnhanceRequest { frame, face, strength: 1.0 };
    let mut patches = enhancement.patches(&colour(), &[request]).unwrap();
    assert_eq!(patches.len(), 1);
    patches.remove(0)
}

/// Taken as it is, in that area.
fn plain(area: EnhanceArea) -> EnhanceOptions {
    EnhanceOptions { area, match_colour: false, ..EnhanceOptions::default() }
}

fn with(frame: &Frame, patch: &Patch) -> Frame {
    let mut changed = frame.clone();
    composite(&mut changed, patch).unwrap();
    changed
}

#[test]
fn the_nets_answer_as_in_onnx_runtime() {
    let answers: serde_json::Value = serde_json::from_str(RESTORER_ANSWERS).unwrap();
    let check = |enhancer: &dyn FaceEnhancer, key: &str| {
        let made = enhancer.enhance(&[picture(), picture()]).unwrap();
        assert_eq!(made.len(), 2);
        assert_eq!(made[0], made[1]);
        for (point, wanted) in
            answers["points"].as_array().unwrap().iter().zip(answers[key].as_array().unwrap())
        {
            let [channel, y, x] = [0, 1, 2].map(|i| point[i].as_u64().unwrap() as usize);
            let found = made[0].values()[(channel * FacePicture::SIDE + y) * FacePicture::SIDE + x];
            let wanted = wanted.as_f64().unwrap();
            assert!((f64::from(found) - wanted).abs() < 1e-2, "{key} {point}: {found} for {wanted}");
        }
    };
    check(&Gfpgan::new(session(RESTORER)).unwrap(), "restorer");
    check(&RestoreFormer::new(session(RESTORER)).unwrap(), "restorer");
    for (weight, key) in
        [(0.0, "weighted_0.0"), (0.5, "weighted_0.5"), (1.0, "weighted_1.0"), (7.0, "weighted_1.0")]
    {
        check(&CodeFormer::new(session(RESTORER_WEIGHTED), weight).unwrap(), key);
    }
}

#[test]
fn nets_of_another_kind_are_refused() {
    for error in [
        Gfpgan::new(session(RESTORER_WEIGHTED)).unwrap_err(),
        Gfpgan::new(session(NEIGHBOURS)).unwrap_err(),
        RestoreFormer::new(session(NEIGHBOURS)).unwrap_err(),
        CodeFormer::new(session(RESTORER), 0.5).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("tiny") && error.hint().is_some(), "{error}");
    }
    // What only shows when it runs.
    let broken = FakeSession::new(|x| {
        let values = x.floats()?.iter().map(|_| f32::NAN).collect::<Vec<f32>>();
        viseme_models::Tensor::new(x.shape().to_vec(), values)
    });
    let error = Gfpgan::new(Arc::new(broken)).unwrap().enhance(&[picture()]).unwrap_err();
    assert!(error.to_string().contains("not finite"), "{error}");
    let small = FakeSession::new(|_| viseme_models::Tensor::new(vec![1, 3, 1, 1], vec![0.0_f32; 3]));
    assert!(Gfpgan::new(Arc::new(small)).unwrap().enhance(&[picture()]).is_err());
}

#[test]
fn a_net_that_changes_nothing_changes_nothing() {
    let identity = Gfpgan::new(session(RESTORER_IDENTITY)).unwrap();
    for (chroma, bit_depth) in [
        (ChromaSampling::Yuv420, 8),
        (ChromaSampling::Yuv422, 10),
        (ChromaSampling::Yuv444, 8),
        (ChromaSampling::Gbr, 12),
        (ChromaSampling::Gray, 8),
    ] {
        let format = PixelFormat { chroma, bit_depth, alpha: false };
        let frame = frame(format, 333, 251);
        // Larger than the template, smaller, and turned half out of the frame.
        for face in
            [face(160.0, 100.0, 150.0, 0.0), face(150.0, 90.0, 40.0, 0.4), face(5.0, 240.0, 60.0, -1.9)]
        {
            let enhancement = Enhancement::new(Arc::new(identity.clone()), plain(EnhanceArea::Face));
            let request = EnhanceRequest { frame: &frame, face: &face, strength: 1.0 };
            let patch = enhancement.patches(&colour(), &[request]).unwrap().remove(0).unwrap();
            assert_eq!(differing_samples(&frame, &with(&frame, &patch)), 0, "{format:?}");
        }
    }
}

#[test]
fn colours_meet_at_the_edge_of_the_area() {
    let frame = frame(GBR, 320, 240);
    let face = face(160.0, 100.0, 40.0, 0.2);
    let matched = EnhanceOptions::default();
    let patch = enhance(FakeEnhancer::adding(25.0), matched, &frame, &face).unwrap();
    assert_eq!(differing_samples(&frame, &with(&frame, &patch)), 0);
    // What changes inside stays: a dark mouth in an unchanged face.
    let dark = FakeEnhancer::new(|faces| {
        let side = FacePicture::SIDE;
        let darken = |(at, &value): (usize, &f32)| {
            let (x, y) = ((at % side) as f32, (at / side % side) as f32);
            if (x - 256.0).hypot(y - 380.0) < 40.0 { value - 60.0 } else { value + 10.0 }
        };
        faces
            .iter()
            .map(|face| FacePicture::new(face.values().iter().enumerate().map(darken).collect()))
            .collect()
    });
    let changed = with(&frame, &enhance(dark, matched, &frame, &face).unwrap());
    let place = FacePlace::of(&face).unwrap();
    let step = |x: f32, y: f32| {
        let p = place.image_from_crop.apply(Vec2::new(x, y));
        let (x, y) = (p.x.round() as i64, p.y.round() as i64);
        changed.planes[0].value(x, y) - frame.planes[0].value(x, y)
    };
    assert!((step(256.0, 380.0) + 70.0).abs() < 1.5, "{}", step(256.0, 380.0));
    assert!(step(170.0, 430.0).abs() < 1.5, "{}", step(170.0, 430.0));
}

#[test]
fn what_the_net_paints_lands_where_it_was_seen() {
    let frame = frame(GBR, 640, 480);
    for (scale_px, roll) in [(30.0, 0.0), (90.0, 0.5), (160.0, -0.3)] {
        let face = face(320.0, 200.0, scale_px, roll);
        let five = five_points(&face);
        let place = FacePlace::of(&face).unwrap();
        for (point, template) in five.into_iter().zip(Template::Ffhq512.points()) {
            assert!(
                (place.crop_from_image.apply(point) - Vec2::new(template[0] as f32, template[1] as f32))
                    .length()
                    < 8.0
            );
            let spot = place.crop_from_image.apply(point);
            let paint = FakeEnhancer::new(move |faces| {
                let side = FacePicture::SIDE;
                let paint = |(at, &value): (usize, &f32)| {
                    let offset = Vec2::new((at % side) as f32, (at / side % side) as f32) - spot;
                    value + 90.0 * (-offset.dot(offset) / (2.0 * 12.0_f32.powi(2))).exp()
                };
                faces
                    .iter()
                    .map(|face| FacePicture::new(face.values().iter().enumerate().map(paint).collect()))
                    .collect()
            });
            let changed = with(&frame, &enhance(paint, plain(EnhanceArea::Face), &frame, &face).unwrap());
            // The centre of what was added.
            let (mut sum, mut centre) = (0.0, Vec2::default());
            for (x, y) in (0..480).flat_map(|y| (0..640).map(move |x| (x, y))) {
                let step = changed.planes[0].value(x, y) - frame.planes[0].value(x, y);
                sum += step;
                centre = centre + Vec2::new(x as f32, y as f32) * step;
            }
            let off = (centre * (1.0 / sum) - point).length();
            assert!(off < 0.3, "{off} pixels off at scale {scale_px}");
        }
    }
}

#[test]
fn faces_that_get_nothing_are_not_shown_to_the_net() {
    let frame = frame(PixelFormat::YUV420P, 64, 48);
    let faces = [face(30.0, 20.0, 3.0, 0.0), face(30.0, 20.0, 10.0, 0.0), face(30.0, 20.0, 10.0, 0.0)];
    let enhancer = FakeEnhancer::adding(20.0);
    let enhancement = Enhancement::new(Arc::new(enhancer.clone()), plain(EnhanceArea::Mouth));
    let strengths = [1.0, 0.0, 0.5];
    let requests: Vec<_> = faces
        .iter()
        .zip(strengths)
        .map(|(face, strength)| EnhanceRequest { frame: &frame, face, strength })
        .collect();
    let patches = enhancement.patches(&colour(), &requests).unwrap();
    assert_eq!(patches.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(enhancer.mouths_shown().len(), 1);
    let largest = patches[2].as_ref().unwrap().planes[0].mask.iter().fold(0.0_f32, |a, &b| a.max(b));
    assert!((largest - 0.5).abs() < 1e-6);
    let forgetful =
        Enhancement::new(Arc::new(FakeEnhancer::new(|_| Ok(Vec::new()))), EnhanceOptions::default());
    assert_eq!(forgetful.patches(&colour(), &requests).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(forgetful.patches(&colour(), &requests[..2]).unwrap(), [None, None]);
}

#[test]
fn the_face_is_shown_upright_with_gray_outside_the_frame() {
    // Left half black, right half white, seen lying on its side.
    let mut bytes = vec![0_u8; 3 * 400 * 300];
    bytes.iter_mut().enumerate().for_each(|(at, value)| *value = if at % 400 < 200 { 0 } else { 255 });
    let frame = Frame::from_bytes(Pts(0), GBR, 400, 300, &bytes).unwrap();
    let face = face(200.0, 60.0, 60.0, std::f32::consts::FRAC_PI_2);
    let shown = FacePlace::of(&face).unwrap().cut_out(&frame, &colour()).unwrap();
    let at = |x: usize, y: usize| [0, 1, 2].map(|c| shown.values()[(c * 512 + y) * 512 + x].round() as i32);
    // Turned from x towards y: the chin lies to the left, so the crown looks right, where it is white.
    assert_eq!((at(256, 150), at(256, 400)), ([255; 3], [0; 3]));
    assert_eq!(at(1, 1), [132, 133, 135]);
    let tip = face.points[points::position_of(1).unwrap()];
    assert!(tip.x < 200.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Wherever the face is: an added constant comes out as that constant under the mask, by its weight, and nothing
    /// changes elsewhere.
    #[test]
    fn a_constant_comes_back_as_that_constant(
        x in -80.0_f32..400.0, y in -80.0_f32..320.0, scale_px in 1.0_f32..300.0, roll in -3.1_f32..3.1,
        steps in -40.0_f32..40.0, in_face: bool,
    ) {
        let area = if in_face { EnhanceArea::Face } else { EnhanceArea::Mouth };
        let (frame, face) = (frame(GBR, 321, 239), face(x, y, scale_px, roll));
        if let Some(patch) = enhance(FakeEnhancer::adding(steps), plain(area), &frame, &face) {
            let changed = with(&frame, &patch);
            let region = patch.region;
            prop_assert!(f32::from(max_difference(&frame, &changed)) <= steps.abs().ceil());
            for (plane, (before, after)) in frame.planes.iter().zip(&changed.planes).enumerate() {
                let (Samples::U8(before), Samples::U8(after)) = (&before.samples, &after.samples) else { panic!() };
                for (at, (&before, &after)) in before.iter().zip(after).enumerate() {
                    let (column, row) = (at as u32 % 321, at as u32 / 321);
                    let is_inside = (region.x..region.right()).contains(&column)
                        && (region.y..region.bottom()).contains(&row);
                    let weight = if is_inside {
                        let index = (row - region.y) * region.width + column - region.x;
                        patch.planes[plane].mask[index as usize]
                    } else {
                        0.0
                    };
                    prop_assert!((0.0..=1.0).contains(&weight));
                    let wanted = f32::from(before) + steps * weight;
                    prop_assert!((f32::from(after) - wanted).abs() < 0.501, "{} {} {}", before, after, weight);
                }
            }
        }
    }
}
