//! The embedded nets through our wrappers and our runtime, against what ONNX Runtime says of the same pictures
//! (`training/face/vectors.py`).

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::path::PathBuf;
use viseme_core::Pts;
use viseme_core::geometry::{Rect, Vec2};
use viseme_face::FaceNets;
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::framing::{AnalysisImage, Framing};
use viseme_imaging::{ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, PixelFormat};
use viseme_models::RtenRuntime;

/// Greatest difference of a landmark, in sides of the crop: the runtimes sum in different orders.
const TOLERANCE: f32 = 1e-3;

fn vectors(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(vectors(&format!("{name}.json"))).unwrap()).unwrap()
}

/// The numbers of a JSON array of any depth, in order.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap() as f32],
    }
}

/// The picture `name`_input.u8 (rows of pixels of 1 or 3 bytes) as a frame whose samples are gray or RGB themselves.
fn frame(name: &str) -> Frame {
    let shape = numbers(&expected(name)["input"]["shape"]);
    let (height, width) = (shape[0] as usize, shape[1] as usize);
    let bytes = std::fs::read(vectors(&format!("{name}_input.u8"))).unwrap();
    let (chroma, planes) = if shape.len() == 3 {
        // The planes of the format are green, blue, red.
        let plane = |channel: usize| bytes.iter().skip(channel).step_by(3).copied();
        (ChromaSampling::Gbr, plane(1).chain(plane(2)).chain(plane(0)).collect())
    } else {
        (ChromaSampling::Gray, bytes)
    };
    let format = PixelFormat { chroma, bit_depth: 8, alpha: false };
    Frame::from_bytes(Pts(0), format, width as u32, height as u32, &planes).unwrap()
}

fn colour() -> ColourInfo {
    ColourInfo::new(ColourRange::Full, ColourMatrix::Rgb)
}

fn nets() -> FaceNets {
    FaceNets::embedded(&RtenRuntime::default(), viseme_face::Weights::Default).unwrap()
}

/// The framing under which a crop of `size` pixels is the frame itself.
fn whole(size: f32) -> Framing {
    Framing { center: Vec2::new(size / 2.0, size / 2.0), side: size, roll: 0.0 }
}

#[test]
fn the_landmark_net_agrees_with_the_reference() {
    let (frame, colour, wanted) = (frame("landmarks"), colour(), expected("landmarks"));
    let image = AnalysisImage { frame: &frame, colour: &colour };
    let found = nets().landmarks.locate(image, &whole(128.0)).unwrap();
    let points = found.points.iter().flat_map(|p| [p.x, p.y, p.z]);
    for (i, (value, wanted)) in points.zip(numbers(&wanted["points"])).enumerate() {
        assert!((value / 128.0 - wanted).abs() < TOLERANCE, "value {i}: {value} instead of {wanted} × 128");
    }
    assert!((found.presence - numbers(&wanted["presence"])[0]).abs() < 2e-3);
}

#[test]
fn the_mouth_net_agrees_with_the_reference() {
    let (frame, colour, wanted) = (frame("mouth"), colour(), expected("mouth"));
    let image = AnalysisImage { frame: &frame, colour: &colour };
    let found = nets().mouth.refine(image, &whole(64.0)).unwrap();
    let points = found.points.iter().flat_map(|p| [p.x, p.y]);
    for (i, (value, wanted)) in points.zip(numbers(&wanted["points"])).enumerate() {
        assert!((value / 64.0 - wanted).abs() < TOLERANCE, "value {i}: {value} instead of {wanted} × 64");
    }
    assert!((found.visible - numbers(&wanted["visible"])[0]).abs() < 2e-3);
}

#[test]
fn the_detector_agrees_with_the_reference() {
    let (frame, colour, wanted) = (frame("detector"), colour(), expected("detector"));
    let image = AnalysisImage { frame: &frame, colour: &colour };
    let found = nets().detector.detect(image).unwrap();
    let (scores, boxes) = (numbers(&wanted["scores"]), numbers(&wanted["boxes"]));
    if scores[0] < 0.31 {
        assert_eq!(found, [], "the reference sees no face");
        return;
    }
    let best = &boxes[..4];
    let bbox =
        Rect { x: best[0] - best[2] / 2.0, y: best[1] - best[3] / 2.0, width: best[2], height: best[3] };
    assert!((found[0].score - scores[0]).abs() < 2e-3, "{} instead of {}", found[0].score, scores[0]);
    assert!(found[0].bbox.iou(&bbox) > 0.7, "{:?} instead of {bbox:?}", found[0].bbox);
}

#[test]
fn the_canonical_face_is_the_one_that_the_nets_were_trained_with() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("nets/canonical_points.f32");
    let bytes = std::fs::read(file).unwrap();
    let trained = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let ours = CANONICAL_POINTS.iter().flat_map(|p| [p.x, p.y, p.z]);
    assert_eq!(bytes.len(), 4 * 3 * CANONICAL_POINTS.len());
    assert!(ours.zip(trained).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn an_even_picture_has_no_face() {
    let (width, height) = (320, 180);
    let bytes = vec![120; PixelFormat::YUV420P.frame_bytes(width, height)];
    let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, width, height, &bytes).unwrap();
    let colour = colour();
    let image = AnalysisImage { frame: &frame, colour: &colour };
    assert_eq!(nets().detector.detect(image).unwrap(), []);
    let presence = nets().landmarks.locate(image, &whole(180.0)).unwrap().presence;
    assert!(presence < 0.5, "presence {presence}");
}
