//! What every runtime must do, whatever is behind it; and a session that does what a test says.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use viseme_models::{
    Device, ElementType, InferenceSession, ModelFile, Placement, Runtime, RuntimeKind, SessionInfo, Tensor,
    TensorInfo,
};

/// The sum over 3×3 neighbours and two channels, plus 0.5: `image` `[n, 2, 4, 5]` to `sums` `[n, 1, 4, 5]`.
pub const NEIGHBOURS: &[u8] = include_bytes!("models/neighbours.onnx");
/// Inputs of 64-bit floats and integers and of bytes.
pub const KINDS: &[u8] = include_bytes!("models/kinds.onnx");
/// 16-bit floats in and out: `x` `[n, 4]` to `y` = 2x + 1.
pub const HALF: &[u8] = include_bytes!("models/half.onnx");
/// `GridSample` of five dimensions: `volume` `[1, 1, 2, 2, 2]` and `grid` `[1, 1, 1, n, 3]` to `sampled`.
pub const VOLUME: &[u8] = include_bytes!("models/volume.onnx");
/// To bytes and back in steps of 0.5: `x` `[n, 4]` to `y`.
pub const QUANTISED: &[u8] = include_bytes!("models/quantised.onnx");

/// The end of a net that paints: `small` `[n, 2, 6, 5]` and `picture` `[n, 2, 12, 10]` to `face` `[n, 3, 24, 20]`.
pub const PAINTER: &[u8] = include_bytes!("models/painter.onnx");

/// Runs the whole suite on a runtime.
pub fn conforms(runtime: &dyn Runtime) {
    says_what_it_takes(runtime);
    computes(runtime);
    leaves_out_rows(runtime);
    takes_other_types(runtime);
    takes_16_bit_floats(runtime);
    refuses_what_does_not_fit(runtime);
    refuses_what_is_no_model(runtime);
    loads_from_everywhere(runtime);
    serves_threads(runtime);
}

fn load(runtime: &dyn Runtime, name: &str, onnx: &'static [u8]) -> Arc<dyn InferenceSession> {
    runtime.load(&ModelFile::embedded(name, onnx)).unwrap_or_else(|e| panic!("{runtime:?} loads {name}: {e}"))
}

fn tensor(shape: &[usize], values: Vec<f32>) -> Tensor {
    Tensor::new(shape.to_vec(), values).expect("a proper test tensor")
}

/// Values that differ from place to place, in the shape that [`NEIGHBOURS`] takes.
fn image(items: usize, seed: usize) -> Tensor {
    tensor(&[items, 2, 4, 5], (0..items * 40).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 8.0).collect())
}

/// What [`NEIGHBOURS`] does, by its definition.
fn sums(image: &Tensor) -> Vec<f32> {
    let (values, items) = (image.floats().expect("floats"), image.shape()[0]);
    let mut sums = Vec::new();
    for item in 0..items {
        for y in 0..4_usize {
            for x in 0..5_usize {
                let mut sum = 0.5;
                for channel in 0..2 {
                    for ny in y.saturating_sub(1)..(y + 2).min(4) {
                        for nx in x.saturating_sub(1)..(x + 2).min(5) {
                            sum += values[((item * 2 + channel) * 4 + ny) * 5 + nx];
                        }
                    }
                }
                sums.push(sum);
            }
        }
    }
    sums
}

fn says_what_it_takes(runtime: &dyn Runtime) {
    let session = load(runtime, "neighbours", NEIGHBOURS);
    let info = session.info();
    assert_eq!(info.name, "neighbours");
    let [input] = info.inputs.as_slice() else { panic!("inputs {:?}", info.inputs) };
    let wanted = TensorInfo {
        name: "image".to_owned(),
        shape: vec![None, Some(2), Some(4), Some(5)],
        element: ElementType::F32,
    };
    assert_eq!(input, &wanted);
    assert_eq!(info.outputs.len(), 1);
    assert_eq!(info.output("sums").expect("an output").shape.len(), 4);
    assert!(info.output("image").is_err() && info.input("sums").is_err());
    assert_eq!(info.input_among(&["source", "image"]).map(|i| i.name.as_str()), Some("image"));
}

fn computes(runtime: &dyn Runtime) {
    let session = load(runtime, "neighbours", NEIGHBOURS);
    for items in [1, 3, 2] {
        let image = image(items, items);
        let run = || session.run(vec![("image", image.clone())], &["sums"]).expect("a run");
        let made = run();
        assert_eq!(made[0].shape(), [items, 1, 4, 5]);
        for (found, wanted) in made[0].floats().expect("floats").iter().zip(sums(&image)) {
            assert!((found - wanted).abs() < 1e-4, "{found} for {wanted}");
        }
        assert_eq!(run(), made, "the same input gives the same output");
    }
}

fn leaves_out_rows(runtime: &dyn Runtime) {
    let (model, values) =
        (ModelFile::embedded("painter", PAINTER), |i: usize| ((i * 37) % 101) as f32 / 25.0 - 2.0);
    let small = tensor(&[2, 2, 6, 5], (0..120).map(values).collect());
    let picture = tensor(&[2, 2, 12, 10], (0..480).map(values).collect());
    let paint = |model: &ModelFile| {
        let session = runtime.load(model).unwrap_or_else(|e| panic!("{runtime:?}: {e}"));
        let inputs = vec![("small", small.clone()), ("picture", picture.clone())];
        session.run(inputs, &["face"]).expect("a face").remove(0)
    };
    let whole = paint(&model);
    for first in [1, 5, 12, 13, 23] {
        let lower = paint(&model.clone().with_first_row(first));
        assert_eq!(lower.shape(), [2, 3, 24 - first, 20]);
        let planes = lower.floats().expect("floats").chunks_exact((24 - first) * 20);
        for (lower, whole) in planes.zip(whole.floats().expect("floats").chunks_exact(24 * 20)) {
            for (found, wanted) in lower.iter().zip(&whole[first * 20..]) {
                assert!((found - wanted).abs() < 1e-6, "{found} for {wanted} from row {first}");
            }
        }
    }
    assert_eq!(paint(&model.clone().with_first_row(0)), whole);
    assert_eq!(paint(&model.with_first_row(24)), whole, "no row is not asked for");
    let other = ModelFile::embedded("neighbours", NEIGHBOURS).with_first_row(2);
    let made = runtime.load(&other).expect("a net").run(vec![("image", image(1, 0))], &["sums"]);
    assert_eq!(made.expect("sums")[0].shape(), [1, 1, 4, 5], "a graph that does not double is left whole");
}

fn takes_other_types(runtime: &dyn Runtime) {
    let session = load(runtime, "kinds", KINDS);
    let run = |factor: Tensor, outputs: &[&str]| {
        let inputs = vec![
            ("bytes", Tensor::new(vec![4], vec![0_u8, 1, 128, 255]).expect("bytes")),
            ("index", Tensor::new(vec![1], vec![2_i64]).expect("an index")),
            ("factor", factor),
            ("image", tensor(&[2, 3], vec![1., 2., 3., 4., 5., 6.])),
        ];
        session.run(inputs, outputs).expect("a run")
    };
    // In the order asked for, and with the factor in either type of float.
    let made =
        run(Tensor::new(vec![1], vec![0.5_f64]).expect("a factor"), &["picked", "scaled", "shape", "floats"]);
    assert_eq!(made[0], tensor(&[2, 1], vec![3., 6.]));
    assert_eq!(made[1], tensor(&[2, 3], vec![0.5, 1., 1.5, 2., 2.5, 3.]));
    let shape = made[2].clone().cast(ElementType::I64).expect("integers");
    assert_eq!(shape, Tensor::new(vec![2], vec![2_i64, 3]).expect("a shape"));
    assert_eq!(made[3], tensor(&[4], vec![0., 1., 128., 255.]));
    assert_eq!(run(tensor(&[1], vec![0.5]), &["scaled"])[0], made[1]);
}

fn takes_16_bit_floats(runtime: &dyn Runtime) {
    let session = load(runtime, "half", HALF);
    let made = session.run(vec![("x", tensor(&[1, 4], vec![0., 0.5, -3., 100.]))], &["y"]).expect("a run");
    assert_eq!(made[0], tensor(&[1, 4], vec![1., 2., -5., 201.]));
}

fn refuses_what_does_not_fit(runtime: &dyn Runtime) {
    let session = load(runtime, "neighbours", NEIGHBOURS);
    let fails = |inputs: Vec<(&str, Tensor)>, outputs: &[&str]| {
        let error = session.run(inputs, outputs).expect_err("an error");
        assert!(error.to_string().contains("neighbours"), "{error}");
    };
    fails(vec![("picture", image(1, 0))], &["sums"]);
    fails(vec![("image", image(1, 0))], &["total"]);
    fails(vec![], &["sums"]);
    fails(vec![("image", image(1, 0)), ("image", image(1, 0))], &["sums"]);
    fails(vec![("image", tensor(&[1, 3, 4, 5], vec![0.0; 60]))], &["sums"]);
    fails(vec![("image", tensor(&[40], vec![0.0; 40]))], &["sums"]);
    fails(vec![("image", Tensor::new(vec![1, 2, 4, 5], vec![0_u8; 40]).expect("bytes"))], &["sums"]);
    session.run(vec![("image", image(1, 0))], &["sums"]).expect("it goes on after errors");
}

fn refuses_what_is_no_model(runtime: &dyn Runtime) {
    let refused = |what: &str, bytes: Vec<u8>| {
        let error = runtime.load(&ModelFile::bytes(what, bytes)).expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
    };
    refused("text", b"once upon a time".to_vec());
    refused("half a model", NEIGHBOURS[..NEIGHBOURS.len() / 2].to_vec());
    refused("a checkpoint", b"PK\x03\x04archive/data.pkl".to_vec());
    let missing = ModelFile::file("missing", "/nowhere/missing.onnx");
    assert!(runtime.load(&missing).expect_err("an error").to_string().contains("missing"));
}

fn loads_from_everywhere(runtime: &dyn Runtime) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |model: &ModelFile| {
        let session = runtime.load(model).unwrap_or_else(|e| panic!("{model:?}: {e}"));
        session.run(vec![("image", image(2, 5))], &["sums"]).expect("a run")
    };
    let wanted = run(&ModelFile::embedded("embedded", NEIGHBOURS));
    assert_eq!(run(&ModelFile::bytes("bytes", NEIGHBOURS)), wanted);
    for name in ["model.onnx", "model", "mödel name.bin"] {
        let path = folder.path().join(Path::new(name));
        std::fs::write(&path, NEIGHBOURS).expect("a file");
        let two = NonZeroUsize::MIN.saturating_add(1);
        assert_eq!(run(&ModelFile::file(name, &path).with_threads(two)), wanted);
    }
}

fn serves_threads(runtime: &dyn Runtime) {
    let session = load(runtime, "neighbours", NEIGHBOURS);
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let session = &session;
            scope.spawn(move || {
                for round in 0..20 {
                    let image = image(1 + seed % 3, seed + round);
                    let wanted = sums(&image);
                    let made = session.run(vec![("image", image)], &["sums"]).expect("a run");
                    for (found, wanted) in made[0].floats().expect("floats").iter().zip(wanted) {
                        assert!((found - wanted).abs() < 1e-4, "{found} for {wanted}");
                    }
                }
            });
        }
    });
}

/// What a [`FakeSession`] does with the tensor `x` of its input.
type Behaviour = dyn Fn(&Tensor) -> viseme_core::Result<Tensor> + Send + Sync;

/// A session with one input `x` of any shape `[n, …]` and one output `y`.
pub struct FakeSession {
    info: SessionInfo,
    behaviour: Box<Behaviour>,
}

impl std::fmt::Debug for FakeSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeSession").finish_non_exhaustive()
    }
}

impl FakeSession {
    /// A session that makes `y` of `x` by `behaviour`.
    pub fn new(behaviour: impl Fn(&Tensor) -> viseme_core::Result<Tensor> + Send + Sync + 'static) -> Self {
        let tensor =
            |name: &str| TensorInfo { name: name.to_owned(), shape: Vec::new(), element: ElementType::F32 };
        let info = SessionInfo {
            name: "fake".to_owned(),
            inputs: vec![tensor("x")],
            outputs: vec![tensor("y")],
            placement: Placement { runtime: RuntimeKind::Rten, device: Device::Cpu },
        };
        Self { info, behaviour: Box::new(behaviour) }
    }
}

impl InferenceSession for FakeSession {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, _: &[&str]) -> viseme_core::Result<Vec<Tensor>> {
        Ok(vec![(self.behaviour)(&inputs[0].1)?])
    }
}
