//! Whole jobs with Wav2Lip: with a net that is plain to see, and with a real one of random weights.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;
use std::sync::Arc;
use viseme::{Codec, JobSpec, Line, Report, Runner};
use viseme_core::{Silent, WarningCode};
use viseme_engines::wav2lip::face_box::{padded, s3fd_like};
use viseme_engines::{Profile, Wav2LipEngine, Wav2LipOptions};
use viseme_face::FaceNets;
use viseme_imaging::{Frame, Samples};
use viseme_media::Tools;
use viseme_models::{InferenceSession, ModelFile, RtenRuntime, Runtime};
use viseme_testing::clips::{decode, silence, speech};
use viseme_testing::compare::{assert_planes_equal_outside_mask, differing_samples};
use viseme_testing::{FakeFace, FakeGenerator, TestClip, Vectors, skip_without_shared};

const FACE: FakeFace = FakeFace { x: 160.0, y: 100.0, scale_px: 40.0 };

/// A lossless job in `folder` that also writes its mask.
fn job(folder: &Path, clip: &TestClip, sound: impl Fn(&Path, &str, f64) -> std::path::PathBuf) -> JobSpec {
    let video = clip.write(folder, "talk.mp4");
    let audio = sound(folder, "speech.wav", clip.duration_s);
    lossless(JobSpec::new(video, audio, folder.join("out.mkv")))
}

fn lossless(mut spec: JobSpec) -> JobSpec {
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    spec.mask_output = Some(spec.output.with_file_name("mask.mkv"));
    spec
}

fn runner(profile: Profile, nets: FaceNets, session: Arc<dyn InferenceSession>) -> Runner {
    let options = Wav2LipOptions { profile, ..Wav2LipOptions::default() };
    let engine = Wav2LipEngine::new(options, session).unwrap();
    Runner::new(Tools::locate().unwrap(), nets, Box::new(engine))
}

fn run(spec: &JobSpec, profile: Profile, session: Arc<dyn InferenceSession>) -> Report {
    runner(profile, FACE.nets(), session).run(spec, &Silent).unwrap()
}

/// The frames of the source, the output and the mask, of which nothing but what is under the mask may differ.
fn frames(spec: &JobSpec) -> [Vec<Frame>; 3] {
    let [sources, outputs, masks] =
        [&spec.video, &spec.output, spec.mask_output.as_ref().unwrap()].map(|path| decode(path));
    assert_eq!((outputs.len(), masks.len()), (sources.len(), sources.len()));
    for ((source, output), mask) in sources.iter().zip(&outputs).zip(&masks) {
        assert_planes_equal_outside_mask(source, output, mask);
    }
    [sources, outputs, masks]
}

fn generator() -> Arc<FakeGenerator> {
    Arc::new(FakeGenerator::default())
}

#[test]
fn two_faces_hear_two_voices() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = job(folder.path(), &TestClip::default(), speech);
    let line = |who: &str, audio| Line { who: who.to_owned(), audio: Some(audio), ..Line::default() };
    let quiet = silence(folder.path(), "silence.wav", 1.0);
    spec.say = vec![line("face_1", quiet), line("face_2", spec.audio.take().unwrap())];
    let faces = [FakeFace { x: 80.0, ..FACE }, FakeFace { x: 240.0, ..FACE }];
    let session = generator();
    // The other profile hears nothing in a tone.
    let runner = runner(Profile::Reference, FakeFace::nets_of(&faces), session.clone());
    let report = runner.run(&spec, &Silent).unwrap();
    assert_eq!((report.output.frames_changed, report.tracks.len()), (25, 2));
    let heard = session.heard();
    let silent = heard.iter().filter(|level| **level < -3.99).count();
    assert!(heard.len() == 50 && (25..35).contains(&silent), "{silent} of {} heard nothing", heard.len());
}

#[test]
fn only_the_mouth_changes() {
    for pixel_format in ["yuv420p", "yuv422p10le", "yuv444p"] {
        let folder = tempfile::tempdir().unwrap();
        let spec = job(folder.path(), &TestClip { pixel_format, ..TestClip::default() }, speech);
        let report = run(&spec, Profile::Viseme, generator());
        assert_eq!((report.output.frames_written, report.output.frames_changed), (25, 25));
        let [sources, outputs, masks] = frames(&spec);
        for (source, output) in sources.iter().zip(&outputs) {
            assert!(differing_samples(source, output) > 500, "{pixel_format}");
        }
        let Samples::U8(mask) = &masks[0].planes[0].samples else { panic!("8 bits") };
        let weight = |point: usize| {
            let place = FACE.points()[point];
            mask[place.y as usize * 320 + place.x as usize]
        };
        // The lower lip and the chin; an eye and the forehead.
        assert_eq!((weight(15), weight(53)), (255, 255));
        assert_eq!((weight(85), weight(94)), (0, 0));
    }
}

#[test]
fn the_reference_changes_exactly_the_box() {
    let folder = tempfile::tempdir().unwrap();
    let clip = TestClip { pixel_format: "yuv444p", duration_s: 0.4, ..TestClip::default() };
    let spec = job(folder.path(), &clip, speech);
    let _ = run(&spec, Profile::Reference, generator());
    let [_, _, masks] = frames(&spec);
    let [left, top, right, bottom] = padded(&s3fd_like(&FACE.bbox()), 320, 240).map(|edge| edge as usize);
    for mask in masks {
        let Samples::U8(mask) = &mask.planes[0].samples else { panic!("8 bits") };
        for (at, &weight) in mask.iter().enumerate() {
            let inside = (left..right).contains(&(at % 320)) && (top..bottom).contains(&(at / 320));
            assert_eq!(weight, if inside { 255 } else { 0 }, "{} {}", at % 320, at / 320);
        }
    }
}

#[test]
fn a_net_for_one_face_at_a_time_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let spec = job(folder.path(), &TestClip::default(), speech);
    let _ = run(&spec, Profile::Viseme, generator());
    let together = decode(&spec.output);
    let _ = run(&spec, Profile::Viseme, Arc::new(FakeGenerator::with_batch(Some(1))));
    assert_eq!(decode(&spec.output), together);
}

#[test]
fn in_silence_the_net_hears_silence() {
    let folder = tempfile::tempdir().unwrap();
    let spec = job(folder.path(), &TestClip::default(), silence);
    for profile in Profile::ALL {
        let net = generator();
        let report = run(&spec, profile, Arc::clone(&net) as Arc<dyn InferenceSession>);
        assert!(report.warnings.iter().any(|warning| warning.code == WarningCode::NoSpeech));
        assert_eq!((net.heard().len(), report.output.frames_changed), (25, 25));
        assert!(net.heard().iter().all(|&level| level <= -4.0));
    }
}

#[test]
fn jobs_side_by_side_share_the_net_and_keep_their_own() {
    let clips = [TestClip::default(), TestClip { rate: "30", ..TestClip::default() }];
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let specs: Vec<JobSpec> =
        clips.iter().zip(&folders).map(|(clip, folder)| job(folder.path(), clip, speech)).collect();
    let alone: Vec<_> = specs
        .iter()
        .map(|spec| {
            let _ = run(spec, Profile::Viseme, generator());
            decode(&spec.output)
        })
        .collect();
    let net = generator();
    let runner = runner(Profile::Viseme, FACE.nets(), Arc::clone(&net) as Arc<dyn InferenceSession>);
    std::thread::scope(|scope| {
        for spec in &specs {
            scope.spawn(|| runner.run(spec, &Silent).unwrap());
        }
    });
    assert_eq!(net.heard().len(), 55);
    for (spec, alone) in specs.iter().zip(&alone) {
        assert_eq!(&decode(&spec.output), alone);
    }
}

#[test]
fn in_a_filmed_clip_nothing_but_the_mouth_changes() {
    let shared = skip_without_shared!();
    let runtime = RtenRuntime::default();
    let weights = Vectors::open(&shared, "wav2lip_gen").path("wav2lip_w4.onnx");
    let session = runtime.load(&ModelFile::file("quarter", weights)).unwrap();
    for profile in Profile::ALL {
        let folder = tempfile::tempdir().unwrap();
        let media = shared.join("media/may_5s_512.mp4");
        let mut spec = lossless(JobSpec::new(
            media,
            shared.join("speech/dh_live_audio1.wav"),
            folder.path().join("out.mkv"),
        ));
        (spec.loop_mode, spec.end_s) = (viseme::LoopMode::None, Some(0.6));
        let nets = FaceNets::embedded(&runtime, viseme::Weights::Default).unwrap();
        let report = runner(profile, nets, Arc::clone(&session)).run(&spec, &Silent).unwrap();
        assert_eq!(report.output.frames_changed, report.output.frames_planned, "{:?}", report.tracks);
        let (sources, outputs) = (decode(&spec.video), decode(&spec.output));
        let masks = decode(spec.mask_output.as_ref().unwrap());
        assert_eq!(outputs.len() as u64, report.output.frames_planned);
        for ((source, output), mask) in sources.iter().zip(&outputs).zip(&masks) {
            assert_planes_equal_outside_mask(source, output, mask);
            assert!(differing_samples(source, output) > 500);
        }
    }
}
