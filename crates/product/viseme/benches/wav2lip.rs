//! Whole jobs with Wav2Lip beside its bare net in a loop: what everything around the net costs. Rounds are interleaved, so
//! that whatever else the machine does meets both alike. The bare net makes whole faces; our own profile runs it without the rows
//! above the mouth.
//!
//!     VISEME_BENCH_MODEL=wav2lip.onnx VISEME_BENCH_VIDEO=clip.mp4 VISEME_BENCH_AUDIO=speech.wav \
//!         cargo bench -p viseme --bench wav2lip
//!
//! `ORT_DYLIB_PATH` adds ONNX Runtime. `VISEME_BENCH_ROUNDS` (3), `VISEME_BENCH_SECONDS` of the video (4),
//! `VISEME_BENCH_PRESET` of the encoder (medium). With `VISEME_BENCH_RUNTIME` (`rten` or `ort`) only that one is in memory, which the peak needs.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measurement for people")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use viseme::{JobSpec, LoopMode, Report, Runner, Weights};
use viseme_core::{Result, Silent, Stage};
use viseme_engines::{Profile, Wav2LipEngine, Wav2LipOptions};
use viseme_face::FaceNets;
use viseme_media::Tools;
use viseme_models::{
    InferenceSession, ModelFile, RtenRuntime, Runtime, RuntimeKind, RuntimeRequest, Runtimes, SessionInfo,
    Tensor,
};

/// Faces of one run of the bare net, which has all cores.
const ITEMS: usize = 8;

/// A session that adds up the time of its runs.
#[derive(Debug)]
struct Timed {
    session: Arc<dyn InferenceSession>,
    microseconds: AtomicU64,
}

impl InferenceSession for Timed {
    fn info(&self) -> &SessionInfo {
        self.session.info()
    }

    fn lanes(&self) -> NonZeroUsize {
        self.session.lanes()
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>> {
        let started = Instant::now();
        let made = self.session.run(inputs, outputs);
        self.microseconds.fetch_add(started.elapsed().as_micros() as u64, Ordering::Relaxed);
        made
    }
}

/// Milliseconds per frame.
#[derive(Debug, Default)]
struct Round {
    bare: f64,
    whole: f64,
    analyse: f64,
    render: f64,
    net: f64,
    peak_mb: f64,
}

fn main() {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(model), Some(video), Some(audio)) =
        (path("VISEME_BENCH_MODEL"), path("VISEME_BENCH_VIDEO"), path("VISEME_BENCH_AUDIO"))
    else {
        println!("skipped: set VISEME_BENCH_MODEL, VISEME_BENCH_VIDEO and VISEME_BENCH_AUDIO");
        return;
    };
    let number = |name: &str, or: f64| std::env::var(name).map_or(or, |text| text.parse().expect("a number"));
    let rounds = number("VISEME_BENCH_ROUNDS", 3.0) as usize;
    let folder = tempfile::tempdir().expect("a folder");
    let mut spec = JobSpec::new(video, audio, folder.path().join("out.mp4"));
    spec.encode.preset = std::env::var("VISEME_BENCH_PRESET").ok();
    (spec.loop_mode, spec.end_s) = (LoopMode::None, Some(number("VISEME_BENCH_SECONDS", 4.0)));
    let only = std::env::var("VISEME_BENCH_RUNTIME").ok();
    for kind in [RuntimeKind::Rten, RuntimeKind::Ort] {
        if only.as_ref().is_some_and(|only| *only != kind.to_string()) {
            continue;
        }
        let request = RuntimeRequest { runtime: Some(kind), ..RuntimeRequest::default() };
        match Runtimes::find(request, None) {
            Ok(runtimes) => measure(&runtimes, &ModelFile::file("net", &model), &spec, rounds),
            Err(error) => println!("{kind}: {error}"),
        }
    }
}

fn measure(runtimes: &Runtimes, model: &ModelFile, spec: &JobSpec, rounds: usize) {
    for profile in Profile::ALL {
        let session = runtimes.load(&profile.net(model.clone())).expect("a net");
        let timed = Arc::new(Timed { session, microseconds: AtomicU64::new(0) });
        let options = Wav2LipOptions { profile, ..Wav2LipOptions::default() };
        let engine =
            Wav2LipEngine::new(options, Arc::clone(&timed) as Arc<dyn InferenceSession>).expect("a Wav2Lip");
        let nets = FaceNets::embedded(&RtenRuntime::default(), Weights::Default).expect("face nets");
        let runner = Runner::new(Tools::locate().expect("ffmpeg"), nets, Box::new(engine));
        let made: Vec<Round> = (0..rounds)
            .map(|_| {
                let (report, net) = job(&timed, &runner, spec);
                let bare = runtimes.load(model).expect("a net");
                Round::new(&report, net, bare_loop(bare.as_ref(), report.output.frames_changed as usize))
            })
            .collect();
        let median = |figure: fn(&Round) -> f64| {
            let mut values: Vec<f64> = made.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "{} {profile}: bare net {:.1} ms a frame, in jobs {:.1} of wall time, whole jobs {:.1} (passes {:.1} + {:.1}); outside the net \
             {:.1}, {:.0} % of the bare net's; {:.0} % of the bare net's frames per second; peak {:.0} MB",
            timed.info().placement,
            median(|round| round.bare),
            median(|round| round.net),
            median(|round| round.whole),
            median(|round| round.analyse),
            median(|round| round.render),
            median(|round| round.whole - round.net),
            100.0 * median(|round| (round.whole - round.net) / round.bare),
            100.0 * median(|round| round.bare / round.whole),
            // Later ones are beside what the bare net has left.
            made[0].peak_mb,
        );
    }
}

impl Round {
    fn new(report: &Report, net: f64, bare: f64) -> Self {
        let frames = report.output.frames_changed as f64;
        let stage = |stage| report.timings_ms.get(&stage).copied().unwrap_or_default() as f64 / frames;
        Self {
            bare,
            whole: report.total_ms as f64 / frames,
            analyse: stage(Stage::Analyse),
            render: stage(Stage::Render),
            net: net / frames,
            peak_mb: report.peak_memory_bytes as f64 / 1e6,
        }
    }
}

/// A whole job, and how long its net ran, in milliseconds: the mean of the runs that were under way at once.
fn job(timed: &Timed, runner: &Runner, spec: &JobSpec) -> (Report, f64) {
    timed.microseconds.store(0, Ordering::Relaxed);
    let report = runner.run(spec, &Silent).expect("a job");
    let net = timed.microseconds.load(Ordering::Relaxed) as f64 / 1000.0 / timed.lanes().get() as f64;
    (report, net)
}

/// Milliseconds per face of the net alone, over as many faces as the job has.
fn bare_loop(session: &dyn InferenceSession, frames: usize) -> f64 {
    let info = session.info();
    let tensor = |index: usize, shape: [usize; 4]| {
        let values =
            (0..shape.iter().product::<usize>()).map(|i| (i % 97) as f32 / 97.0).collect::<Vec<f32>>();
        (info.inputs[index].name.as_str(), Tensor::new(shape.to_vec(), values).expect("a tensor"))
    };
    let is_speech = |index: &usize| info.inputs[*index].shape.last() == Some(&Some(16));
    let speech = [0, 1].into_iter().find(is_speech).expect("the speech");
    let runs = frames.div_ceil(ITEMS);
    let started = Instant::now();
    for _ in 0..runs {
        let inputs = vec![tensor(speech, [ITEMS, 1, 80, 16]), tensor(1 - speech, [ITEMS, 6, 96, 96])];
        let _ = session.run(inputs, &[&info.outputs[0].name]).expect("a run");
    }
    started.elapsed().as_secs_f64() * 1000.0 / (runs * ITEMS) as f64
}
