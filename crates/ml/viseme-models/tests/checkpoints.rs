//! Original checkpoints become ONNX that `rten` runs with the results of torch.
//!
//! The small ones are in the repository or the shared vectors. At full width, with files that
//! `reference/make_checkpoint_vectors.py --full DIR` makes in `DIR/vectors/checkpoints` (1 GB):
//! `VISEME_CHECKPOINTS=DIR cargo test -p viseme-models --test checkpoints`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use viseme_core::{ErrorKind, Result};
use viseme_models::{Architecture, ModelFile, RtenRuntime, Runtime, Tensor, convert};
use viseme_testing::Vectors;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn floats(name: &str) -> Vec<f32> {
    fs::read(vector(name)).unwrap().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The values that `noise` of the script that made the vectors gives, from 0 to 1.
fn noise(shape: &[usize], scale: f32, offset: f32) -> Tensor {
    let mut state = 77_u32;
    let value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 * scale + offset
    };
    let values: Vec<f32> = std::iter::repeat_with(value).take(shape.iter().product()).collect();
    Tensor::new(shape.to_vec(), values).unwrap()
}

/// The pictures that `frames` of the script gives: two windows of five frames of squares.
fn frames() -> Tensor {
    let squares = noise(&[2, 3, 5, 14, 14], 255.0, 0.0);
    let rows = squares.floats().unwrap().chunks(14).flat_map(|row| {
        let wide: Vec<f32> = row.iter().flat_map(|value| [*value; 16]).collect();
        wide.repeat(16)
    });
    Tensor::new(vec![2, 3, 5, 224, 224], rows.collect::<Vec<f32>>()).unwrap()
}

/// Converts into a folder of its own.
fn converted(architecture: Architecture, source: &Path) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("net.onnx");
    convert(architecture, source, &target).unwrap();
    (folder, target)
}

/// All outputs in the order of `names`, behind each other.
fn run(onnx: &Path, inputs: Vec<(&str, Tensor)>, names: &[&str]) -> Vec<f32> {
    let session = RtenRuntime::default().load(&ModelFile::file("net", onnx)).unwrap();
    let outputs = session.run(inputs, names).unwrap();
    outputs.iter().flat_map(|output| output.floats().unwrap().to_vec()).collect()
}

/// The largest difference.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

const S3FD_OUTPUTS: [&str; 12] =
    ["cls1", "reg1", "cls2", "reg2", "cls3", "reg3", "cls4", "reg4", "cls5", "reg5", "cls6", "reg6"];

#[test]
fn wav2lip_paints_what_torch_paints() {
    let vectors = Vectors::open(&viseme_testing::skip_without_shared!(), "wav2lip_gen");
    let mut io = vectors.npz("io.npz");
    let [mel, face, pred] = ["mel", "face6", "pred"].map(|name| io.array::<f32>(name));
    let inputs = || {
        [("mel", &mel), ("face", &face)]
            .map(|(name, array)| (name, Tensor::new(array.shape.clone(), array.values.clone()).unwrap()))
            .to_vec()
    };
    let reference = run(&vectors.path("wav2lip_w4.onnx"), inputs(), &["out"]);
    let files = ["wav2lip_w4.pth", "wav2lip_w4_legacy.pth"].map(|file| {
        let (_folder, onnx) = converted(Architecture::Wav2Lip, &vectors.path(file));
        let found = run(&onnx, inputs(), &["out"]);
        assert!(distance(&found, &pred.values) < 1e-4, "{}", distance(&found, &pred.values));
        assert!(distance(&found, &reference) < 1e-4, "{}", distance(&found, &reference));
        let lower = RtenRuntime::default().load(&ModelFile::file("net", &onnx).with_first_row(40)).unwrap();
        let lower = lower.run(inputs(), &["out"]).unwrap().remove(0);
        assert_eq!(lower.shape()[1..], [3, 56, 96]);
        let planes = lower.floats().unwrap().chunks_exact(56 * 96).zip(found.chunks_exact(96 * 96));
        let distances = planes.map(|(lower, whole)| distance(lower, &whole[40 * 96..]));
        assert!(distances.fold(0.0, f32::max) < 1e-6, "rows left out change nothing in the others");
        fs::read(onnx).unwrap()
    });
    assert!(files[0] == files[1], "both forms give the same file");
}

#[test]
fn syncnet_embeds_as_torch_does() {
    for form in ["syncnet.pth", "syncnet_legacy.pth"] {
        let (_folder, onnx) = converted(Architecture::SyncNetLip, &vector(form));
        let (found, expected) =
            (run(&onnx, vec![("lip", frames())], &["embedding"]), floats("syncnet_lip.f32"));
        assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));

        let (_folder, onnx) = converted(Architecture::SyncNetAudio, &vector(form));
        let mfcc = noise(&[4, 1, 13, 20], 20.0, -10.0);
        let (found, expected) =
            (run(&onnx, vec![("mfcc", mfcc)], &["embedding"]), floats("syncnet_audio.f32"));
        assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));
    }
}

#[test]
fn s3fd_answers_what_torch_answers() {
    for form in ["s3fd.pth", "s3fd_legacy.pth", "s3fd_script.pt"] {
        let (_folder, onnx) = converted(Architecture::S3fd, &vector(form));
        let image = noise(&[1, 3, 96, 160], 255.0, -114.0);
        let (found, expected) = (run(&onnx, vec![("image", image)], &S3FD_OUTPUTS), floats("s3fd.f32"));
        assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));
    }
}

/// The faces and the coefficients that `lr_asd_inputs` of the script gives.
fn spoken() -> Vec<(&'static str, Tensor)> {
    let squares = noise(&[25, 14, 14], 255.0, 0.0);
    let rows = squares.floats().unwrap().chunks(14).flat_map(|row| {
        let wide: Vec<f32> = row.iter().flat_map(|value| [*value; 8]).collect();
        wide.repeat(8)
    });
    let face = Tensor::new(vec![25, 112, 112], rows.collect::<Vec<f32>>()).unwrap();
    vec![("face", face), ("mfcc", noise(&[100, 13], 20.0, -10.0))]
}

#[test]
fn lr_asd_tells_who_speaks_as_torch_does() {
    let (_folder, onnx) = converted(Architecture::LrAsd, &vector("lr_asd.pth"));
    let (found, expected) = (run(&onnx, spoken(), &["logits"]), floats("lr_asd.f32"));
    assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));
}

#[test]
fn the_real_weights_of_lr_asd_answer_as_in_torch() {
    let shared = viseme_testing::skip_without_shared!();
    let weights = shared.join("weights/lr_asd_finetuning_TalkSet.model");
    let (_folder, onnx) = converted(Architecture::LrAsd, &weights);
    let (found, expected) = (run(&onnx, spoken(), &["logits"]), floats("lr_asd_talkset.f32"));
    assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));
}

/// What a conversion that must fail says; it leaves nothing behind.
fn refusal(architecture: Architecture, source: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = convert(architecture, source, &folder.path().join("net.onnx")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.hint().is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    error.to_string()
}

/// A copy of a vector in which a text is replaced by one of the same length.
fn forged(folder: &TempDir, name: &str, from: &str, to: &str) -> PathBuf {
    let mut bytes = fs::read(vector(name)).unwrap();
    let position = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[position..position + to.len()].copy_from_slice(to.as_bytes());
    let path = folder.path().join("forged.pth");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_checkpoint_of_another_net_is_refused_by_its_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(Architecture::Wav2Lip, &vector("s3fd.pth"));
    assert!(said.contains("no tensor audio_encoder.0.conv_block.0.weight"), "{said}");
    let missing = forged(&folder, "s3fd_legacy.pth", "conv7_2.bias", "conv7_2.bixs");
    assert!(refusal(Architecture::S3fd, &missing).contains("no tensor conv7_2.bias"));
    let unexpected = forged(&folder, "syncnet_legacy.pth", "netcnnaud.0.bias", "xetcnnaud.0.bias");
    assert!(refusal(Architecture::SyncNetLip, &unexpected).contains("no layer: xetcnnaud.0.bias"));
    let misshaped = forged(&folder, "s3fd_legacy.pth", "fc6.weight", "fc7.weight");
    assert!(refusal(Architecture::S3fd, &misshaped).contains("no tensor fc6.weight"));
    let swapped = forged(&folder, "s3fd_legacy.pth", "conv1_2.weight", "conv1_1.weight");
    let said = refusal(Architecture::S3fd, &swapped);
    assert!(said.contains("conv1_1.weight has the shape [2, 2, 3, 3] instead of [2, 3, 3, 3]"), "{said}");
}

#[test]
fn missing_files_and_folders_are_told_from_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("net.onnx");
    let kind = |source: &Path, target: &Path| convert(Architecture::S3fd, source, target).unwrap_err().kind();
    assert_eq!(kind(Path::new("/nowhere/s3fd.pth"), &target), ErrorKind::NotFound);
    assert_eq!(kind(&vector("s3fd.pth"), &folder.path().join("no/net.onnx")), ErrorKind::NotFound);
    assert!(!target.exists());
}

#[test]
fn a_failed_conversion_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("net.onnx");
    fs::write(&target, "precious").unwrap();
    let cut = folder.path().join("cut.pth");
    let bytes = fs::read(vector("s3fd_legacy.pth")).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    convert(Architecture::S3fd, &cut, &target).unwrap_err();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    convert(Architecture::S3fd, &vector("s3fd_legacy.pth"), &target).unwrap();
    assert!(fs::read(&target).unwrap().len() > 100_000);
}

fn convert_bytes(folder: &Path, bytes: &[u8]) -> Result<()> {
    let source = folder.join("flipped.pth");
    fs::write(&source, bytes).unwrap();
    convert(Architecture::S3fd, &source, &folder.join("net.onnx"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn flipped_bytes_never_panic(
        is_zip in any::<bool>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let mut bytes = fs::read(vector(if is_zip { "s3fd.pth" } else { "s3fd_legacy.pth" })).unwrap();
        // The pickle, where the structure is, comes first.
        for (index, value) in flips {
            let index = index.index(9_000);
            bytes[index] = value;
        }
        let folder = tempfile::tempdir().unwrap();
        let _ = convert_bytes(folder.path(), &bytes);
    }
}

#[test]
fn nets_at_full_width_answer_what_torch_answers() {
    let Some(folder) = std::env::var_os("VISEME_CHECKPOINTS").map(PathBuf::from) else {
        viseme_testing::skipped("no checkpoints of full width; the top of this file says how to make them");
        return;
    };
    let vectors = Vectors::open(&folder, "checkpoints");
    let mut io = vectors.npz("outputs.npz");
    let mut check =
        |architecture, file, inputs: &[(&'static str, &str)], outputs: &[&str], names: &[&str]| {
            let mut array = |name: &str| io.array::<f32>(name);
            let tensors = inputs.iter().map(|&(input, name)| {
                let array = array(name);
                (input, Tensor::new(array.shape, array.values).unwrap())
            });
            let tensors = tensors.collect();
            let (_folder, onnx) = converted(architecture, &vectors.path(file));
            let found = run(&onnx, tensors, outputs);
            let expected: Vec<f32> = names.iter().flat_map(|name| array(name).values).collect();
            assert!(distance(&found, &expected) < 1e-4, "{}", distance(&found, &expected));
        };
    for file in ["wav2lip.pth", "wav2lip_legacy.pth"] {
        check(Architecture::Wav2Lip, file, &[("mel", "mel"), ("face", "face")], &["out"], &["out"]);
    }
    check(Architecture::SyncNetLip, "syncnet.pth", &[("lip", "lip_in")], &["embedding"], &["lip"]);
    check(Architecture::SyncNetAudio, "syncnet.pth", &[("mfcc", "mfcc")], &["embedding"], &["audio"]);
    let names: Vec<String> = (0..12).map(|index| format!("s3fd{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check(Architecture::S3fd, "s3fd.pth", &[("image", "image")], &S3FD_OUTPUTS, &names);
}
