//! The reference vectors of `OpenCV` 4.10 (`shared/vectors`): see docs/CONFORMANCE.md.

use serde_json::Value;
use viseme_core::geometry::AffineF64;
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{
    Interpolation, filled_ellipse, gaussian_blur, resize, seamless_clone, warp_affine,
};
use viseme_testing::Vectors;
use viseme_testing::compare::max_step;

/// Prints what was found, for the table in docs/CONFORMANCE.md.
#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn found(what: &str, error: impl std::fmt::Display) {
    println!("{what}: {error}");
}

#[test]
fn resized_pictures_are_those_of_cv2_resize() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "cv2_resample");
    let image: ImageU8<3> = vectors.png("in.png");
    for (name, interpolation, tolerance) in [
        ("linear", Interpolation::Linear, 0),
        ("area", Interpolation::Area, 0),
        ("cubic", Interpolation::Cubic, 1),
        ("lanczos4", Interpolation::Lanczos4, 1),
    ] {
        for (width, height) in [(96, 96), (256, 256), (317, 401)] {
            let file = format!("{name}_{width}x{height}.png");
            let error = max_step(&resize(&image, width, height, interpolation).unwrap(), &vectors.png(&file));
            found(&file, error);
            assert!(error <= tolerance, "{file} differs by {error}");
        }
    }
}

/// A matrix of a vector file.
fn affine(values: &[f64]) -> AffineF64 {
    AffineF64 { rows: std::array::from_fn(|i| values[i]) }
}

#[test]
fn warped_pictures_are_those_of_cv2_warp_affine() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "align");
    let image: ImageU8<3> = vectors.png("monalisa.png");
    let mut align = vectors.npz("align5.npz");
    let first = |values: Vec<f64>| affine(&values[..6]);
    let (black, gray) = ([0; 3], [132, 133, 135]);
    for (map, size, border, file) in [
        (first(align.array("M_arcface112_umeyama").values), 112, black, "monalisa_arcface112.png"),
        (first(align.array("M_ffhq512_cv2_LMEDS").values), 512, gray, "monalisa_ffhq512_LMEDS_const135.png"),
        (first(vectors.npz("lmk192.npz").array("M").values), 192, black, "monalisa_lmk192.png"),
    ] {
        let error = max_step(&warp_affine(&image, &map, size, size, border).unwrap(), &vectors.png(file));
        found(file, error);
        assert_eq!(error, 0, "{file}");
    }
}

#[test]
fn cloned_pictures_are_those_of_cv2_seamless_clone() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "seamless_clone");
    let (source, target): (ImageU8<3>, ImageU8<3>) = (vectors.png("src.png"), vectors.png("dst.png"));
    let meta: Value = serde_json::from_slice(&vectors.bytes("meta.json")).unwrap();
    for (name, case) in meta.as_object().unwrap() {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let range = |key: &str| case[key].as_array().map(|ends| number(&ends[0])..=number(&ends[1]));
        let centre = (number(&case["center"][0]), number(&case["center"][1]));
        let mask = vectors.png(&format!("mask_{name}.png"));
        let cloned = seamless_clone(&source, &target, &mask, centre).unwrap();
        let expected: ImageU8<3> = vectors.png(&format!("out_{name}.png"));
        let error = max_step(&cloned, &expected);
        found(name, error);
        assert!(error <= 1, "{name} differs by {error}");
        // Nothing changes outside the patch, nor, where the file says what OpenCV changed, outside that.
        let [left, top, width, height] = std::array::from_fn(|i| number(&case["patch_xywh"][i]));
        let rows = range("changed_rows").unwrap_or(top..=top + height - 1);
        let columns = range("changed_cols").unwrap_or(left..=left + width - 1);
        for (y, x) in (0..target.height()).flat_map(|y| (0..target.width()).map(move |x| (y, x))) {
            if !rows.contains(&y) || !columns.contains(&x) {
                assert_eq!(cloned.at(x, y), target.at(x, y), "{name} at {x}, {y}");
            }
        }
    }
}

#[test]
fn the_masks_of_the_services_are_blurred_ellipses() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "seamless_clone");
    let (width, height) = (70, 96);
    for (name, inset, size, sigma) in [("seed_blend", 2, 7, 3.0), ("seed_enhance", 5, 21, 11.0)] {
        let axes = (width / 2 - inset, height / 2 - inset);
        let ellipse = filled_ellipse(width.into(), height.into(), (width / 2, height / 2), axes).unwrap();
        let mask = gaussian_blur(&ellipse, size, sigma).unwrap();
        let error = max_step(&mask, &vectors.png(&format!("mask_{name}.png")));
        found(name, error);
        assert_eq!(error, 0, "{name}");
    }
}
