//! The reference vectors of SCRFD and S3FD (`shared/vectors/scrfd`, `shared/vectors/s3fd`): see docs/CONFORMANCE.md.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use viseme_core::geometry::{Rect, Vec2};
use viseme_face::Detection;
use viseme_face::detect::{S3fd, Scrfd, keep_central};
use viseme_imaging::ImageU8;
use viseme_models::{ModelFile, RtenRuntime, Runtime, Tensor};
use viseme_testing::compare::max_error;
use viseme_testing::{Archive, Array, Vectors};

/// The three files: the net, the side of its input, the file of the arrays, and the picture.
const SCRFD: [(&str, usize, &str, &str); 3] = [
    ("scrfd_2.5g_kps", 640, "monalisa.npz", "monalisa.png"),
    ("scrfd_2.5g_kps", 640, "mosaic.npz", "mosaic.png"),
    ("scrfd_2.5g_bnkps", 320, "mosaic320_bnkps.npz", "mosaic.png"),
];
/// Pixels of the picture: rounding of the box to corner and extent.
const TOLERANCE: f64 = 1e-3;

/// Prints what was found, for the table in docs/CONFORMANCE.md.
#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn found(what: &str, error: f64) {
    println!("{what}: {error:e}");
}

fn scrfd(shared: &Path, name: &str, side: usize) -> Scrfd {
    let file = ModelFile::file(name, shared.join("weights").join(format!("{name}.onnx")));
    Scrfd::new(RtenRuntime::default().load(&file).unwrap()).unwrap().with_input_size(side, side)
}

fn rows(faces: &[Detection]) -> Vec<f32> {
    let row = |face: &Detection| {
        let Rect { x, y, width, height } = face.bbox;
        [x, y, x + width, y + height, face.score]
    };
    faces.iter().flat_map(row).collect()
}

fn points(faces: &[Detection]) -> Vec<f32> {
    faces.iter().flat_map(|face| face.points.unwrap()).flat_map(|Vec2 { x, y }| [x, y]).collect()
}

fn tensor(array: Array<f32>) -> Tensor {
    Tensor::new(array.shape, array.values).unwrap()
}

/// The largest error of boxes, scores and points against two arrays.
fn error(faces: &[Detection], archive: &mut Archive, boxes: &str, kps: &str) -> f64 {
    let (boxes, kps): (Array<f32>, Array<f32>) = (archive.array(boxes), archive.array(kps));
    max_error(&rows(faces), &boxes.values).max(max_error(&points(faces), &kps.values))
}

#[test]
fn scrfd_reads_the_outputs_of_both_ranks_as_insightface_does() {
    let shared = viseme_testing::skip_without_shared!();
    let vectors = Vectors::open(&shared, "scrfd");
    for (net, side, file, picture) in SCRFD {
        let mut archive = vectors.npz(file);
        let outputs: Vec<Tensor> = (0..9).map(|i| tensor(archive.array(&format!("raw{i}")))).collect();
        let scale: f64 = archive.scalar("det_scale");
        let faces = scrfd(&shared, net, side).decode(&outputs, scale as f32).unwrap();
        let worst = error(&faces, &mut archive, "boxes", "kps");
        let size: ImageU8<3> = vectors.png(picture);
        let central = keep_central(faces, 3, size.width(), size.height());
        let worst = worst.max(error(&central, &mut archive, "boxes_max3", "kps_max3"));
        found(&format!("SCRFD decode, {file}"), worst);
        assert!(worst <= TOLERANCE, "{file}: {worst}");
    }
}

#[test]
fn scrfd_finds_the_same_faces_from_the_picture_on() {
    let shared = viseme_testing::skip_without_shared!();
    let vectors = Vectors::open(&shared, "scrfd");
    for (net, side, file, picture) in SCRFD {
        let faces = scrfd(&shared, net, side).detect_in(&vectors.png(picture)).unwrap();
        let worst = error(&faces, &mut vectors.npz(file), "boxes", "kps");
        found(&format!("SCRFD from the picture, {file}"), worst);
        assert!(worst <= 0.01, "{file}: {worst}");
    }
}

#[test]
fn s3fd_reads_the_outputs_as_wav2lip_does() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "s3fd");
    let mut archive = vectors.npz("decode.npz");
    let outputs: Vec<Tensor> = (0..12).map(|i| tensor(archive.array(&format!("out{i}")))).collect();
    let rects: Array<i64> = archive.array("rects");
    for image in 0..2 {
        let one: Vec<Tensor> = outputs.iter().map(|output| output.items(image, 1).unwrap()).collect();
        let faces = S3fd::decode(&one, 1.0).unwrap();
        let wanted: Array<f32> = archive.array(&format!("final{image}"));
        let worst = max_error(&rows(&faces), &wanted.values);
        found(&format!("S3FD decode, picture {image}"), worst);
        assert!(worst <= TOLERANCE, "picture {image}: {worst}");
        let whole: Vec<i64> = rows(&faces[..1])[..4].iter().map(|&value| value as i64).collect();
        assert_eq!(whole, rects.rows().nth(image).unwrap());
    }
}
