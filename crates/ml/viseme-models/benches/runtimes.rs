//! One model on every runtime and device that is there: how fast, and how far from the first. Rounds are interleaved,
//! so that whatever else the machine does meets all alike.
//!
//!     VISEME_BENCH_MODEL=wav2lip.onnx ORT_DYLIB_PATH=… cargo bench -p viseme-models
//!
//! `VISEME_BENCH_REFERENCE`: the outputs that another program made of the same inputs, as 32-bit floats; every runtime
//! must come within 1e-4 of them. `VISEME_BENCH_ITEMS` (8), `VISEME_BENCH_ROUNDS` (7).

#![expect(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a measurement for people")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use viseme_models::{Device, InferenceSession, Library, ModelFile, OrtRuntime, RtenRuntime, Runtime, Tensor};

/// What conformance asks for, in every value.
const TOLERANCE: f32 = 1e-4;

struct Contestant {
    name: String,
    session: Arc<dyn InferenceSession>,
    load: Duration,
    /// Processor time of each round, in milliseconds.
    rounds: Vec<f64>,
    made: Vec<f32>,
}

fn main() {
    let Some(path) = std::env::var_os("VISEME_BENCH_MODEL").map(PathBuf::from) else {
        println!("skipped: set VISEME_BENCH_MODEL to an ONNX file");
        return;
    };
    let number =
        |name: &str, or: usize| std::env::var(name).ok().map_or(or, |text| text.parse().expect("a number"));
    let (items, rounds) = (number("VISEME_BENCH_ITEMS", 8), number("VISEME_BENCH_ROUNDS", 7));
    let mut contestants = contestants(&path);
    for round in 0..=rounds {
        for contestant in &mut contestants {
            contestant.run(items, round > 0);
        }
    }
    report(&contestants, items);
    check(&contestants);
}

fn contestants(path: &std::path::Path) -> Vec<Contestant> {
    let model = ModelFile::file("model", path).with_threads(NonZeroUsize::MIN).allowing_reduced_precision();
    let mut runtimes: Vec<(String, Box<dyn Runtime>)> =
        vec![("rten".to_owned(), Box::new(RtenRuntime::default()))];
    match Library::find(None, None) {
        Ok(library) => {
            for &device in library.devices.iter().filter(|device| device.is_present()) {
                let mut add = |reduced: bool| {
                    let name =
                        format!("ort {} {device}{}", library.version, if reduced { " reduced" } else { "" });
                    let runtime = OrtRuntime::new(Arc::clone(&library), device, reduced);
                    runtimes.push((name, Box::new(runtime)));
                };
                add(false);
                if device != Device::Cpu {
                    add(true);
                }
            }
        }
        Err(error) => println!("skipped: ort, because {error}"),
    }
    let load = |(name, runtime): (String, Box<dyn Runtime>)| {
        let start = Instant::now();
        match runtime.load(&model) {
            Ok(session) => {
                Some(Contestant { name, session, load: start.elapsed(), rounds: vec![], made: vec![] })
            }
            Err(error) => {
                println!("skipped: {name}, because {error}");
                None
            }
        }
    };
    runtimes.into_iter().filter_map(load).collect()
}

impl Contestant {
    fn run(&mut self, items: usize, counts: bool) {
        let info = self.session.info();
        let inputs = (1_u32..).zip(&info.inputs).map(|(seed, input)| {
            let shape: Vec<usize> = input.shape.iter().map(|extent| extent.unwrap_or(items)).collect();
            (input.name.as_str(), noise(shape, seed))
        });
        let (inputs, output) = (inputs.collect::<Vec<_>>(), info.outputs[0].name.as_str());
        let start = processor_ms();
        let mut made = self.session.run(inputs, &[output]).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        if counts {
            self.rounds.push(processor_ms() - start);
        }
        self.made = made.remove(0).into_floats().expect("floats");
    }

    fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    }
}

/// Values of a linear congruential generator, which the reference makes again: 0 to 1, and -4 to 4 in a mel spectrum.
fn noise(shape: Vec<usize>, seed: u32) -> Tensor {
    let (scale, shift) = if shape.get(1) == Some(&1) { (8.0, -4.0) } else { (1.0, 0.0) };
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 * scale + shift
    };
    let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|_| next()).collect();
    Tensor::new(shape, values).expect("a proper tensor")
}

/// Processor time that this process has used.
fn processor_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn report(contestants: &[Contestant], items: usize) {
    let first = &contestants[0];
    println!("{items} items, one thread, median processor time of {} interleaved rounds", first.rounds.len());
    for c in contestants {
        println!(
            "{:32} {:8.1} ms  {:5.2}x  loaded in {:4} ms  largest difference from {} {:.1e}",
            c.name,
            c.median(),
            first.median() / c.median(),
            c.load.as_millis(),
            first.name,
            largest_difference(&c.made, &first.made)
        );
    }
}

fn check(contestants: &[Contestant]) {
    let Some(path) = std::env::var_os("VISEME_BENCH_REFERENCE") else { return };
    let bytes = std::fs::read(path).expect("the reference");
    let wanted: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    for c in contestants {
        let difference = largest_difference(&c.made, &wanted);
        println!("{:32} largest difference from the reference {difference:.1e}", c.name);
        assert!(difference <= TOLERANCE || c.name.ends_with("reduced"), "{} is too far off", c.name);
    }
}
