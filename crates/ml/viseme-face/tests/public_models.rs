//! Public face models whose real weights are not here: nets with random weights and the same inputs and outputs, against
//! numbers that the reference code gives for them (`reference/make_face_vectors.py models`).

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme_core::geometry::{Rect, Vec2};
use viseme_face::Detection;
use viseme_face::detect::{S3fd, Scrfd, YuNet};
use viseme_face::identity::{FaceEmbedder, arcface, mobilefacenet, sface};
use viseme_face::landmarks::{Fan, HeadPoseModel, InsightFace68, InsightFace106, Pfld, SchemeModel};
use viseme_face::parse::{BiSeNet, FaceParser};
use viseme_imaging::ImageU8;
use viseme_models::{InferenceSession, ModelFile, RtenRuntime, Runtime};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn load(name: &str) -> Arc<dyn InferenceSession> {
    let file = ModelFile::file(name, here("models").join(format!("{name}.onnx")));
    RtenRuntime::default().load(&file).unwrap()
}

/// The numbers that the reference gives, of an array of any depth, in order.
fn expected(name: &str) -> Vec<f32> {
    fn flat(value: &Value) -> Vec<f32> {
        match value {
            Value::Array(items) => items.iter().flat_map(flat).collect(),
            other => vec![other.as_f64().unwrap() as f32],
        }
    }
    let all: Value = serde_json::from_slice(&std::fs::read(here("vectors/models.json")).unwrap()).unwrap();
    flat(&all[name])
}

/// The picture of the same formula in the script.
fn picture() -> ImageU8<3> {
    ImageU8::from_fn(400, 300, |x, y| {
        let value = |c: usize| ((x * x / 97 + y * y / 61 + x * y / 173 + 85 * c) % 256) as u8;
        [value(0), value(1), value(2)]
    })
    .unwrap()
}

const BBOX: Rect = Rect { x: 131.5, y: 62.25, width: 113.5, height: 148.5 };
const FIVE: [Vec2; 5] = [
    Vec2::new(160.5, 110.0),
    Vec2::new(219.0, 118.5),
    Vec2::new(186.0, 146.25),
    Vec2::new(161.0, 170.0),
    Vec2::new(209.5, 177.0),
];

#[track_caller]
fn assert_near(what: &str, found: &[f32], tolerance: f32) {
    let wanted = expected(what);
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= tolerance, "{what}, value {i}: {found} instead of {wanted}");
    }
}

fn rows(faces: &[Detection]) -> Vec<f32> {
    let row = |face: &Detection| {
        let Rect { x, y, width, height } = face.bbox;
        [x, y, x + width, y + height, face.score]
    };
    faces.iter().flat_map(row).collect()
}

#[test]
fn embedders_give_the_vectors_of_the_reference() {
    let picture = picture();
    let nets = [("w600k_r50", arcface(load("w600k_r50")).unwrap()), ("sface", sface(load("sface")).unwrap())];
    for (name, net) in nets {
        // Cosines of 1e-3 apart would not matter; the crops agree to single steps of 255.
        assert_near(name, net.embed_face(&picture, &FIVE).unwrap().values(), 1e-3);
        assert!(net.embed(&picture).is_err(), "{name} takes a picture of another size");
    }
}

#[test]
fn points_are_those_of_the_reference() {
    let picture = picture();
    let flat = |net: &dyn SchemeModel, depth: bool| {
        let found = net.locate(&picture, &BBOX).unwrap();
        assert_eq!(found.points.len(), net.scheme().count());
        let values: Vec<f32> = found
            .points
            .iter()
            .flat_map(|p| if depth { vec![p.x, p.y, -p.z] } else { vec![p.x, p.y] })
            .collect();
        (values, found.score)
    };
    assert_near("2d106det", &flat(&InsightFace106::new(load("2d106det")).unwrap(), false).0, 0.02);
    assert_near("1k3d68", &flat(&InsightFace68::new(load("1k3d68")).unwrap(), true).0, 0.02);
    let (points, score) = flat(&Fan::new(load("2dfan4")).unwrap(), false);
    assert_near("2dfan4", &points, 0.05);
    assert_near("2dfan4_score", &[score.unwrap()], 1e-3);
}

#[test]
fn a_net_with_random_weights_sees_a_pose_or_none_but_never_fails() {
    let net = InsightFace68::new(load("1k3d68")).unwrap();
    if let Some(pose) = net.pose(&picture(), &BBOX).unwrap() {
        assert!(pose.euler_degrees().iter().all(|angle| angle.is_finite()));
    }
}

#[test]
fn empty_boxes_are_bad_input() {
    let picture = picture();
    let nets: [Box<dyn SchemeModel>; 3] = [
        Box::new(InsightFace106::new(load("2d106det")).unwrap()),
        Box::new(InsightFace68::new(load("1k3d68")).unwrap()),
        Box::new(Fan::new(load("2dfan4")).unwrap()),
    ];
    for net in nets {
        for bad in [0.0, -3.0, f32::NAN] {
            assert!(net.locate(&picture, &Rect { width: bad, ..BBOX }).is_err());
        }
    }
}

#[test]
fn regions_are_those_of_the_reference() {
    let labels = BiSeNet::new(load("bisenet")).unwrap().parse(&picture()).unwrap();
    assert_eq!((labels.width(), labels.height()), (512, 512));
    let wanted = expected("bisenet_rows");
    let found = (0..512).step_by(64).flat_map(|y| (0..512).step_by(16).map(move |x| (x, y)));
    let differing = found
        .zip(&wanted)
        .filter(|&((x, y), &wanted)| (f32::from(labels.at(x, y)[0]) - wanted).abs() > 0.5)
        .count();
    // Where two regions are about equal a single step of the resize decides.
    assert!(differing <= 2, "{differing} of {} labels differ", wanted.len());
}

#[test]
fn det_10g_finds_what_the_reference_finds() {
    let net = Scrfd::new(load("det_10g")).unwrap().with_input_size(320, 320);
    let faces = net.detect_in(&picture()).unwrap();
    assert_near("det_10g", &rows(&faces), 0.02);
    let points: Vec<f32> =
        faces.iter().flat_map(|face| face.points.unwrap()).flat_map(|p| [p.x, p.y]).collect();
    assert_near("det_10g_points", &points, 0.02);
}

#[test]
fn s3fd_finds_what_the_reference_finds() {
    let faces = S3fd::new(load("s3fd")).unwrap().detect_in(&picture()).unwrap();
    assert_near("s3fd", &rows(&faces), 0.02);
    assert!(faces.iter().all(|face| face.points.is_none()));
}

#[test]
fn a_file_of_another_model_is_refused_with_a_hint() {
    let wrong = [
        Scrfd::new(load("s3fd")).map(|_| ()),
        Scrfd::new(load("2dfan4")).map(|_| ()),
        S3fd::new(load("det_10g")).map(|_| ()),
        YuNet::new(load("det_10g")).map(|_| ()),
        arcface(load("2dfan4")).map(|_| ()),
        mobilefacenet(load("bisenet")).map(|_| ()),
        BiSeNet::new(load("sface")).map(|_| ()),
        Fan::new(load("sface")).map(|_| ()),
        Pfld::new(load("2d106det")).map(|_| ()),
        InsightFace106::new(load("bisenet")).map(|_| ()),
        // The right input, but another output.
        arcface(load("sface"))
            .and_then(|net| net.embed(&ImageU8::filled(112, 112, [9; 3]).unwrap()))
            .map(|_| ()),
        InsightFace106::new(load("1k3d68")).and_then(|net| net.locate(&picture(), &BBOX)).map(|_| ()),
    ];
    for (index, result) in wrong.into_iter().enumerate() {
        assert!(result.is_err(), "case {index}");
    }
}
