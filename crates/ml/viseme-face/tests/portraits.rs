//! Real weights on real portraits, against the reference code (`reference/make_face_vectors.py portraits`).

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Portrait, load, portraits};
use serde_json::Value;
use std::path::Path;
use viseme_core::geometry::Rect;
use viseme_face::detect::{Scrfd, YuNet};
use viseme_face::framing::AnalysisImage;
use viseme_face::landmarks::{Pfld, SchemeModel};
use viseme_face::{Detection, FaceDetector, FaceNets, Weights};
use viseme_models::RtenRuntime;

/// The faces that the reference finds in a portrait: left, top, right, bottom, score, five points.
fn wanted(all: &Value, detector: &str) -> Vec<[f32; 15]> {
    let row = |row: &Value| std::array::from_fn(|i| row[i].as_f64().unwrap() as f32);
    all[detector].as_array().unwrap().iter().map(row).collect()
}

fn reference() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/portraits.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// The largest distance of an edge from that of the reference, over all faces of the portraits. The decoders of JPEG
/// differ: `OpenCV`'s there, ffmpeg's here.
#[track_caller]
fn worst_edge(detector: &dyn FaceDetector, portraits: &[Portrait], name: &str, tolerance_px: f32) -> f32 {
    let all = reference();
    let mut worst = 0.0_f32;
    for portrait in portraits {
        let wanted = wanted(&all[&portrait.name], name);
        let faces = detector.detect(portrait.image()).unwrap();
        assert_eq!(faces.len(), wanted.len(), "{name}, faces of {}", portrait.name);
        for face in faces {
            let Rect { x, y, width, height } = face.bbox;
            let edges = [x, y, x + width, y + height];
            let distance = |row: &[f32; 15]| {
                edges.iter().zip(row).map(|(edge, wanted)| (edge - wanted).abs()).fold(0.0, f32::max)
            };
            let nearest = wanted.iter().map(distance).fold(f32::MAX, f32::min);
            assert!(nearest <= tolerance_px, "{name}: a face of {} is {nearest} pixels off", portrait.name);
            worst = worst.max(nearest);
        }
    }
    worst
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn found(what: &str, value: impl std::fmt::Display) {
    println!("{what}: {value}");
}

#[test]
fn scrfd_finds_every_face_that_the_reference_finds() {
    let shared = viseme_testing::skip_without_shared!();
    let portraits = portraits(&shared);
    for name in ["scrfd_2.5g_bnkps", "scrfd_2.5g_kps"] {
        let detector = Scrfd::new(load(&shared, name)).unwrap();
        found(&format!("{name}, worst edge in pixels"), worst_edge(&detector, &portraits, name, 1.0));
    }
}

#[test]
fn yunet_finds_every_face_that_the_reference_finds() {
    let shared = viseme_testing::skip_without_shared!();
    let detector = YuNet::new(load(&shared, "yunet_n_dynamic")).unwrap();
    found("YuNet, worst edge in pixels", worst_edge(&detector, &portraits(&shared), "yunet", 2.0));
}

#[test]
fn detectors_agree_on_real_faces_and_their_points_are_ordered() {
    let shared = viseme_testing::skip_without_shared!();
    let scrfd = Scrfd::new(load(&shared, "scrfd_2.5g_bnkps")).unwrap();
    let yunet = YuNet::new(load(&shared, "yunet_n_dynamic")).unwrap();
    let native = FaceNets::embedded(&RtenRuntime::default(), Weights::Default).unwrap().detector;
    let (mut faces, mut seen_by_native) = (0, 0);
    for portrait in portraits(&shared) {
        let theirs = yunet.detect(portrait.image()).unwrap();
        let ours = native.detect(portrait.image()).unwrap();
        for face in scrfd.detect(portrait.image()).unwrap() {
            let overlap =
                |others: &[Detection]| others.iter().map(|o| o.bbox.iou(&face.bbox)).fold(0.0, f32::max);
            assert!(overlap(&theirs) > 0.5, "{}: {} with YuNet", portrait.name, overlap(&theirs));
            faces += 1;
            seen_by_native += usize::from(overlap(&ours) > 0.4);
            let [left_eye, right_eye, nose, left_corner, right_corner] = face.points.unwrap();
            assert!(left_eye.x < right_eye.x && left_corner.x < right_corner.x, "{}", portrait.name);
            assert!(left_eye.y < left_corner.y && nose.y < right_corner.y, "{}", portrait.name);
        }
    }
    found("faces of SCRFD that the native detector sees", format_args!("{seen_by_native} of {faces}"));
}

#[test]
fn the_tracker_starts_from_five_points_of_any_detector() {
    let shared = viseme_testing::skip_without_shared!();
    let nets = FaceNets::embedded(&RtenRuntime::default(), Weights::Default).unwrap();
    let scrfd = Scrfd::new(load(&shared, "scrfd_2.5g_bnkps")).unwrap();
    for portrait in portraits(&shared).iter().filter(|p| p.name.starts_with("generated")) {
        for face in scrfd.detect(portrait.image()).unwrap() {
            let seen = nets.observe(portrait.image(), &face.framing(), 0.5).unwrap();
            let seen = seen.unwrap_or_else(|| unreachable!("no landmarks in {}", portrait.name));
            assert!(seen.bbox.iou(&face.bbox) > 0.5, "{}", portrait.name);
        }
    }
}

#[test]
fn the_points_of_pfld_lie_where_those_of_scrfd_do() {
    let shared = viseme_testing::skip_without_shared!();
    let scrfd = Scrfd::new(load(&shared, "scrfd_2.5g_bnkps")).unwrap();
    let pfld = Pfld::new(load(&shared, "pfld_68")).unwrap();
    let mut worst = 0.0_f32;
    for portrait in portraits(&shared).iter().filter(|p| p.name.starts_with("generated")) {
        let AnalysisImage { frame, colour } = portrait.image();
        let image = viseme_imaging::rgb_image(frame, colour).unwrap();
        for face in scrfd.detect_in(&image).unwrap() {
            let points = pfld.locate(&image, &face.bbox).unwrap().points;
            let wanted = face.points.unwrap();
            // Tip of the nose and corners of the mouth.
            for (ibug, five) in [(30, 2), (48, 3), (54, 4)] {
                worst = worst.max((points[ibug].xy() - wanted[five]).length() / face.bbox.width);
            }
        }
    }
    found("PFLD against SCRFD, widths of the face", worst);
    assert!(worst < 0.12, "{worst} widths of the face apart");
}
