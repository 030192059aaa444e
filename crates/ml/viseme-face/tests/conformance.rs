//! The reference vectors of `InsightFace`, facexlib and facefusion (`shared/vectors/align`): see docs/CONFORMANCE.md.

use viseme_core::geometry::{AffineF64, Rect, Vec2, Vec3};
use viseme_face::alignment::{LANDMARK_CROP_SIZE, Template, landmark_crop, pose_of_68};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::warp_affine;
use viseme_testing::compare::{max_error, max_step};
use viseme_testing::{Array, Vectors};

/// Prints what was found, for the table in docs/CONFORMANCE.md.
#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn found(what: &str, error: f64) {
    println!("{what}: {error:e}");
}

fn landmarks(points: &[f32]) -> [Vec2; 5] {
    std::array::from_fn(|i| Vec2::new(points[2 * i], points[2 * i + 1]))
}

#[test]
fn five_points_go_to_the_templates_of_the_references() {
    let mut align = Vectors::open(&viseme_testing::skip_without_shared!(), "align").npz("align5.npz");
    let points: Array<f32> = align.array("points");
    // The README allows 4e-4 between estimators: scikit-image computes in single precision, as the landmarks come.
    let matrices = [
        ("M_arcface112_umeyama", Template::ArcFace112),
        ("M_arcface128_umeyama", Template::ArcFace128),
        ("M_ffhq512_umeyama", Template::Ffhq512),
        ("M_ffhq512_cv2_LMEDS", Template::Ffhq512),
        ("M_facefusion_ffhq512_cv2_RANSAC100", Template::Ffhq512),
    ];
    for (name, template) in matrices {
        let expected: Array<f64> = align.array(name);
        let error = points.rows().zip(expected.rows()).map(|(points, expected)| {
            max_error(&template.crop_from_image(&landmarks(points)).unwrap().rows, expected)
        });
        let error = error.fold(0.0, f64::max);
        found(name, error);
        assert!(error <= 4e-4, "{name} differs by {error}");
    }
    let templates = [
        (
            "arcface_dst_112",
            align.array::<f32>("arcface_dst_112").values.iter().map(|&v| f64::from(v)).collect(),
        ),
        ("ffhq_dst_512", align.array::<f64>("ffhq_dst_512").values),
        ("facefusion_ffhq_dst_512", align.array::<f64>("facefusion_ffhq_dst_512").values),
    ];
    for ((name, expected), template) in
        templates.iter().zip([Template::ArcFace112, Template::Ffhq512, Template::Ffhq512])
    {
        let error = max_error(template.points().as_flattened(), expected);
        found(name, error);
        assert!(error < 1e-5, "{name} differs by {error}");
    }
}

#[test]
fn crops_made_with_our_maps_are_those_of_the_references() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "align");
    let image: ImageU8<3> = vectors.png("monalisa.png");
    let points: Array<f32> = vectors.npz("align5.npz").array("points");
    let map = Template::ArcFace112.crop_from_image(&landmarks(&points.values)).unwrap();
    let crop = warp_affine(&image, &map, 112, 112, [0; 3]).unwrap();
    let error = max_step(&crop, &vectors.png("monalisa_arcface112.png"));
    found("monalisa_arcface112.png", f64::from(error));
    assert!(error <= 1);

    let map = Template::Ffhq512.crop_from_image(&landmarks(&points.values)).unwrap();
    let expected: Vec<f64> = vectors.npy("monalisa_ffhq_inverse.npy").values;
    let error = max_error(&map.inverse().unwrap().rows, &expected);
    found("monalisa_ffhq_inverse.npy", error);
    assert!(error <= 4e-4);
}

#[test]
fn the_landmark_crop_is_that_of_insightface() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "align");
    let mut file = vectors.npz("lmk192.npz");
    let corners: Vec<f32> = file.array("bbox").values;
    let bbox = Rect {
        x: corners[0],
        y: corners[1],
        width: corners[2] - corners[0],
        height: corners[3] - corners[1],
    };
    let map: AffineF64 = landmark_crop(&bbox).unwrap();
    for (name, map) in [("M", map), ("IM", map.inverse().unwrap())] {
        let error = max_error(&map.rows, &file.array::<f64>(name).values);
        found(name, error);
        assert!(error < 1e-4, "{name} differs by {error}");
    }
    let image: ImageU8<3> = vectors.png("monalisa.png");
    let crop = warp_affine(&image, &map, LANDMARK_CROP_SIZE, LANDMARK_CROP_SIZE, [0; 3]).unwrap();
    let error = max_step(&crop, &vectors.png("monalisa_lmk192.png"));
    found("monalisa_lmk192.png", f64::from(error));
    assert!(error <= 1);
}

fn points_68(values: &[f64]) -> [Vec3; 68] {
    std::array::from_fn(|i| {
        Vec3::new(values[3 * i] as f32, values[3 * i + 1] as f32, values[3 * i + 2] as f32)
    })
}

#[test]
fn the_pose_of_68_points_is_that_of_insightface() {
    let mut file = Vectors::open(&viseme_testing::skip_without_shared!(), "align").npz("pose_1k3d68.npz");
    let mean: Vec<f64> = file.array::<f32>("mean_shape_68x3").values.into_iter().map(f64::from).collect();
    let expected: Array<f64> = file.array("pose_pitch_yaw_roll_deg");
    let seen: Array<f64> = file.array("landmarks");
    for (landmarks, expected) in seen.rows().zip(expected.rows()) {
        let pose = pose_of_68(&points_68(&mean), &points_68(landmarks)).unwrap();
        let error = max_error(&pose, expected);
        found("pose in degrees", error);
        assert!(error < 1e-3, "{pose:?} instead of {expected:?}");
    }
}
