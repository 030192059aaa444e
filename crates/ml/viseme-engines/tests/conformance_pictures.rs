//! The reference vectors of `MuseTalk` and `LivePortrait` (`shared/vectors`): see docs/CONFORMANCE.md.

use viseme_core::geometry::{AffineF64, Vec2};
use viseme_engines::liveportrait::{
    CropFraming, KEYPOINT_COUNT, Keypoints, Motion, RetargetingNet, crop_from_image, degrees_of_logits,
    eye_close_ratios, lip_close_ratio, paste_back, rotation, with_lips_of,
};
use viseme_engines::musetalk::{CHEEK_WIDTH, jaw_mask};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{StructuringElement, dilate, erode, warp_affine};
use viseme_models::{ModelFile, RtenRuntime, Runtime};
use viseme_testing::compare::{max_error, max_step};
use viseme_testing::vectors::Archive;
use viseme_testing::{Array, Vectors};

/// Prints what was found, for the table in docs/CONFORMANCE.md.
#[expect(clippy::print_stdout, reason = "shown with --nocapture alone")]
fn found(what: &str, error: impl Into<f64>) {
    println!("{what}: {:e}", error.into());
}

fn check(what: &str, error: impl Into<f64>, tolerance: f64) {
    let error = error.into();
    found(what, error);
    assert!(error <= tolerance, "{what} differs by {error}");
}

fn gray(file: &mut Archive, name: &str) -> ImageU8<1> {
    let array: Array<u8> = file.array(name);
    ImageU8::from_bytes(array.shape[1], array.shape[0], &array.values)
        .unwrap_or_else(|error| unreachable!("{error}"))
}

#[test]
fn the_jaw_mask_is_that_of_musetalk() {
    let mut file =
        Vectors::open(&viseme_testing::skip_without_shared!(), "musetalk_mask").npz("jaw_mask.npz");
    let labels = gray(&mut file, "labels");
    let expected = gray(&mut file, "mask_jaw_90");
    check("mask_jaw_90", max_step(&jaw_mask(&labels, CHEEK_WIDTH).unwrap(), &expected), 0.0);

    // The same with the kernels of the file: they are those that jaw_mask makes for itself.
    let mut element = |name: &str| {
        let cells = gray(&mut file, name);
        StructuringElement::from_fn(cells.width(), cells.height(), |x, y| cells.at(x, y) == [1]).unwrap()
    };
    let (cone, cheek) = (element("kernel_33x33"), element("cheek_kernel_3x35"));
    assert_eq!(cheek, StructuringElement::ellipse(35, 3).unwrap());
    let grown = dilate(&labels.map(|[label]| [if label == 1 { 255 } else { 0 }]), &cone, 1);
    let eroded = erode(&grown, &cheek, 2);
    for (y, x) in (0_usize..512).flat_map(|y| (0_usize..512).map(move |x| (y, x))) {
        let skin = if x.abs_diff(256) >= 90 { &eroded } else { &grown };
        let expected_skin = labels.at(x, y) != [10] && skin.at(x, y) == [255];
        assert!(!expected_skin || expected.at(x, y) == [255], "{x}, {y}");
    }
}

fn keypoints(values: &[f32]) -> Keypoints {
    std::array::from_fn(|i| [values[3 * i], values[3 * i + 1], values[3 * i + 2]])
}

#[test]
fn keypoints_move_as_in_liveportrait() {
    let mut file =
        Vectors::open(&viseme_testing::skip_without_shared!(), "liveportrait").npz("keypoints.npz");
    let mut read = |name: &str| -> Array<f32> { file.array(name) };
    let angles = ["pitch", "yaw", "roll"].map(|name| {
        let logits = read(&format!("{name}_logits"));
        let degrees: Vec<f32> = logits.rows().map(|row| degrees_of_logits(row.try_into().unwrap())).collect();
        check(name, max_error(&degrees, &read(&format!("{name}_deg")).values), 1e-4);
        degrees
    });
    let turns = angles[0].iter().zip(&angles[1]).zip(&angles[2]);
    let turns = turns.map(|((&pitch, &yaw), &roll)| rotation(pitch, yaw, roll));
    let [kp, exp, t, scale, rot, expected] =
        ["kp", "exp", "t", "scale", "rot", "kp_transformed"].map(&mut read);
    for (i, turn) in turns.enumerate() {
        check("rotation", max_error(turn.as_flattened(), rot.rows().nth(i).unwrap()), 1e-6);
        let motion = Motion {
            canonical: keypoints(kp.rows().nth(i).unwrap()),
            expression: keypoints(exp.rows().nth(i).unwrap()),
            rotation: turn,
            scale: scale.values[i],
            translation: t.rows().nth(i).unwrap().try_into().unwrap(),
        };
        let moved = motion.keypoints();
        check("kp_transformed", max_error(moved.as_flattened(), expected.rows().nth(i).unwrap()), 1e-5);
    }
}

fn points(array: &[f32]) -> Vec<Vec2> {
    array.chunks_exact(2).map(|p| Vec2::new(p[0], p[1])).collect()
}

/// The first two rows of a 3 × 3 matrix.
fn affine(matrix: &Array<f32>) -> AffineF64 {
    AffineF64 { rows: std::array::from_fn(|i| f64::from(matrix.values[i])) }
}

/// The reference computes crops in single precision, with translations of up to 600 pixels.
const CROP_TOLERANCE: f64 = 2e-4;

#[test]
fn crops_lie_where_liveportrait_puts_them() {
    let mut file =
        Vectors::open(&viseme_testing::skip_without_shared!(), "liveportrait").npz("crop_and_ratios.npz");
    for count in [5, 68, 101, 106, 203] {
        let landmarks = points(&file.array(&format!("pts{count}")).values);
        for is_upright in [true, false] {
            let framing = CropFraming { is_upright, ..CropFraming::SOURCE };
            let map = crop_from_image(&landmarks, &framing).unwrap();
            let rot = u8::from(is_upright);
            for (name, map) in [("M_o2c", map), ("M_c2o", map.inverse().unwrap())] {
                let name = format!("{name}_{count}_rot{rot}");
                check(&name, max_error(&map.rows, &affine(&file.array(&name)).rows), CROP_TOLERANCE);
            }
        }
    }
    let landmarks = points(&file.array("pts203").values);
    let map = crop_from_image(&landmarks, &CropFraming::LANDMARKS).unwrap();
    let expected = affine(&file.array("M_o2c_203_lmk224"));
    check("M_o2c_203_lmk224", max_error(&map.rows, &expected.rows), CROP_TOLERANCE);

    let faces: Array<f32> = file.array("lmk203");
    let (mut eyes, mut lips) = (Vec::new(), Vec::new());
    for face in faces.rows().map(points) {
        let face: &[Vec2; 203] = face.as_slice().try_into().unwrap();
        eyes.extend(eye_close_ratios(face));
        lips.push(lip_close_ratio(face));
    }
    check("eye_close_ratio", max_error(&eyes, &file.array::<f32>("eye_close_ratio").values), 1e-5);
    check("lip_close_ratio", max_error(&lips, &file.array::<f32>("lip_close_ratio").values), 1e-5);
}

#[test]
fn crops_and_pasted_pictures_are_those_of_liveportrait() {
    let shared = viseme_testing::skip_without_shared!();
    let vectors = Vectors::open(&shared, "liveportrait");
    let image: ImageU8<3> = Vectors::open(&shared, "align").png("monalisa.png");
    let mut file = vectors.npz("crop_and_ratios.npz");
    let landmarks = points(&file.array("pts5").values);
    for rot in [0, 1] {
        let name = format!("crop512_pts5_rot{rot}.png");
        let expected: ImageU8<3> = vectors.png(&name);
        let map = affine(&file.array(&format!("M_o2c_5_rot{rot}")));
        check(&name, max_step(&warp_affine(&image, &map, 512, 512, [0; 3]).unwrap(), &expected), 0.0);
        let framing = CropFraming { is_upright: rot == 1, ..CropFraming::SOURCE };
        let ours = crop_from_image(&landmarks, &framing).unwrap();
        let crop = warp_affine(&image, &ours, 512, 512, [0; 3]).unwrap();
        check(&format!("{name} with our map"), max_step(&crop, &expected), 2.0);
    }
    let mask = gray(&mut vectors.npz("mask_template_gray.npz"), "mask");
    let map = affine(&file.array("M_c2o_5_rot1"));
    let pasted = paste_back(&vectors.png("gen512.png"), &mask, &map, &image).unwrap();
    check("pasteback.png", max_step(&pasted, &vectors.png("pasteback.png")), 0.0);
}

#[test]
fn the_retargeting_nets_answer_as_in_liveportrait() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "liveportrait");
    let mut file = vectors.npz("mlp_io.npz");
    let mut read = |name: &str| file.array::<f32>(name).values;
    let runtime = RtenRuntime::default();
    let net = |name: &str| {
        let model = ModelFile::file(name, vectors.path(&format!("{name}.onnx")));
        RetargetingNet::new(runtime.load(&model).unwrap()).unwrap()
    };
    let (source, driving) = (keypoints(&read("x_s")), keypoints(&read("x_d")));
    assert_eq!([source, driving].as_flattened().as_flattened(), read("stitching_in"));
    let stitched = net("stitching").stitch(&source, &driving).unwrap();
    check("kp_driving_stitched", max_error(stitched.as_flattened(), &read("kp_driving_stitched")), 1e-5);
    let out = read("stitching_out");
    let by_hand: Vec<f32> =
        (0..63).map(|i| driving.as_flattened()[i] + out[i] + [out[63], out[64], 0.0][i % 3]).collect();
    check("stitching_out", max_error(stitched.as_flattened(), &by_hand), 1e-5);

    let row = read("lip_in");
    let moved = net("lip").lip_move(&keypoints(&row), row[63], row[64]).unwrap();
    check("lip_out", max_error(moved.as_flattened(), &read("lip_out")), 1e-5);
    let row = read("eye_in");
    let moved = net("eye").eye_move(&keypoints(&row), [row[63], row[64]], row[65]).unwrap();
    check("eye_out", max_error(moved.as_flattened(), &read("eye_out")), 1e-5);
    assert!(net("lip").stitch(&source, &driving).is_err(), "the input of another net fits");
}

#[test]
fn lips_driven_by_the_neutral_lips_do_not_move() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "liveportrait");
    let neutral: Array<f64> = vectors.npy("lip_array.npy");
    assert_eq!(neutral.shape, [1, KEYPOINT_COUNT, 3]);
    let neutral = keypoints(&neutral.values.iter().map(|&value| value as f32).collect::<Vec<_>>());
    let exp: Array<f32> = vectors.npz("keypoints.npz").array("exp");
    let source = keypoints(exp.rows().next().unwrap());
    let same = with_lips_of(&source, &neutral, &neutral);
    check("lip_array", max_error(same.as_flattened(), source.as_flattened()), 0.0);
}
