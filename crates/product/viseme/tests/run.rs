//! Whole jobs with a face and an engine that need no nets: what comes out, and what is left when it does not.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme::{Codec, JobSpec, LoopMode, Report, Runner};
use viseme_core::geometry::PixelRect;
use viseme_core::segment::SkipReason;
use viseme_core::{ErrorKind, Observer, Silent, WarningCode};
use viseme_engines::VoiceId;
use viseme_face::FaceNets;
use viseme_imaging::{Frame, Samples};
use viseme_media::Tools;
use viseme_testing::clips::{decode, silence, speech, still};
use viseme_testing::compare::{assert_planes_equal_outside_mask, differing_samples, max_difference};
use viseme_testing::fake_engine::Fault;
use viseme_testing::observers::TestObserver;
use viseme_testing::{FakeEngine, FakeFace, FakeInterpolator, FakePatch, TestClip};

const FACE: FakeFace = FakeFace { x: 160.0, y: 100.0, scale_px: 40.0 };
const PATCH: FakePatch =
    FakePatch { region: PixelRect { x: 140, y: 130, width: 40, height: 24 }, value: 60.0 };

/// A folder with a clip and a speech, and the places where a job may leave something.
struct Studio {
    folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Studio {
    fn new(clip: &TestClip, speech_s: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out", "temporary"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let inputs = folder.path().join("in");
        let video = clip.write(&inputs, "talk.mp4");
        let audio = speech(&inputs, "speech.wav", speech_s);
        let mut spec = JobSpec::new(video, audio, folder.path().join("out/out.mkv"));
        (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
        spec.mask_output = Some(folder.path().join("out/mask.mkv"));
        spec.report_output = Some(folder.path().join("out/report.html"));
        Self { folder, spec }
    }

    fn run_with(
        &self,
        nets: FaceNets,
        engine: FakeEngine,
        observer: &dyn Observer,
    ) -> viseme_core::Result<Report> {
        let tools = Tools::locate().unwrap();
        let temporary = self.folder.path().join("temporary");
        let runner = Runner::new(tools, nets, Box::new(engine)).with_temporary_folder(temporary);
        runner.run(&self.spec, observer)
    }

    fn run(&self, engine: FakeEngine) -> viseme_core::Result<Report> {
        self.run_with(FACE.nets(), engine, &Silent)
    }

    fn sources(&self) -> Vec<Frame> {
        decode(&self.spec.video)
    }

    fn outputs(&self) -> Vec<Frame> {
        decode(&self.spec.output)
    }

    fn masks(&self) -> Vec<Frame> {
        decode(self.spec.mask_output.as_ref().unwrap())
    }

    fn left_in(&self, name: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join(name)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn assert_nothing_left(&self) {
        for name in ["out", "temporary"] {
            assert_eq!(self.left_in(name), [] as [&Path; 0], "left in {name}");
        }
    }
}

fn engine() -> FakeEngine {
    FakeEngine::new(PATCH)
}

fn codes(report: &Report) -> Vec<WarningCode> {
    report.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn only_samples_under_the_mask_change() {
    for pixel_format in ["yuv420p", "yuv422p10le", "yuv444p"] {
        let studio = Studio::new(&TestClip { pixel_format, ..TestClip::default() }, 0.5);
        let report = studio.run(engine()).unwrap();
        let (sources, outputs, masks) = (studio.sources(), studio.outputs(), studio.masks());
        assert_eq!((outputs.len(), masks.len()), (sources.len(), sources.len()));
        assert_eq!(report.output.frames_changed, 25);
        for ((source, output), mask) in sources.iter().zip(&outputs).zip(&masks) {
            assert_planes_equal_outside_mask(source, output, mask);
            assert!(differing_samples(source, output) > 500, "{pixel_format}");
            assert!((output.planes[0].value(160, 140) - PATCH.value).abs() < 0.5);
        }
        // The mask is where the patch has weight, not all of its region.
        let Samples::U8(mask) = &masks[0].planes[0].samples else { panic!("8 bits") };
        assert_eq!(mask[(PATCH.region.y * 320 + PATCH.region.x) as usize], 0);
        assert_eq!(mask[(PATCH.region.y * 320 + PATCH.region.x) as usize + 321], 255);
    }
}

#[test]
fn a_report_tells_what_happened() {
    let studio = Studio::new(&TestClip::default(), 2.0);
    let report = studio.run(engine()).unwrap();
    assert_eq!((report.input.frames, report.input.duration_ms), (25, 1000));
    assert_eq!((report.output.frames_planned, report.output.frames_written), (50, 50));
    assert_eq!((report.speech.duration_ms, report.output.duration_ms), (2000, 2000));
    assert_eq!(codes(&report), [WarningCode::Looped]);
    let [track] = report.tracks.as_slice() else { panic!("one face") };
    assert!(track.chosen && track.number == 1 && track.frames == 25);
    let [segment] = track.segments.as_slice() else { panic!("one segment") };
    assert_eq!((segment.start_ms, segment.end_ms, segment.synced), (0, 2000, true));
    assert_eq!(track.summary.unwrap().synced_ms, 2000);
    assert!(report.peak_memory_bytes > 1 << 20 && report.frames_per_second > 0.0);
    assert_eq!(studio.left_in("temporary"), [] as [&Path; 0]);
}

#[test]
fn every_codec_reaches_a_file_that_takes_it() {
    let mut studio = Studio::new(&TestClip { duration_s: 0.4, ..TestClip::default() }, 0.4);
    for (codec, extension) in [
        (Codec::H264, "mp4"),
        (Codec::H265, "mov"),
        (Codec::Av1, "mp4"),
        (Codec::Vp9, "webm"),
        (Codec::Ffv1, "mkv"),
    ] {
        studio.spec.encode = viseme::EncodeOptions { codec, ..viseme::EncodeOptions::default() };
        studio.spec.output.set_extension(extension);
        let report = studio.run(engine()).unwrap();
        assert_eq!((report.output.frames_written, studio.outputs().len()), (10, 10), "{codec:?}");
    }
}

#[test]
fn a_page_shows_what_happened() {
    let studio = Studio::new(&TestClip { duration_s: 2.0, ..TestClip::default() }, 2.0);
    studio.run(engine()).unwrap();
    let page = std::fs::read_to_string(studio.spec.report_output.as_ref().unwrap()).unwrap();
    assert!(page.contains("The lips in talk.mp4 follow speech.wav in 50 of 50 frames"));
    let pictures: Vec<&str> = page.split("data:image/png;base64,").skip(1).collect();
    assert_eq!(pictures.len(), 16);
    let picture = |nth: usize| pictures[nth].split('"').next().unwrap();
    assert_ne!(picture(0), picture(1), "the patch is to be seen");
    assert_eq!(page.matches("<path class=\"made\"").count(), 2, "one line and its key");
    assert!(page.len() < 3_000_000);
}

#[test]
fn a_page_of_a_picture_that_is_left_alone_says_so() {
    let mut studio = Studio::new(&TestClip::default(), 0.5);
    studio.spec.mask_output = None;
    studio.spec.encode = viseme::EncodeOptions::default();
    studio.spec.output.set_extension("mp4");
    studio.run_with(FakeFace::no_nets(), engine(), &Silent).unwrap();
    let page = std::fs::read_to_string(studio.spec.report_output.as_ref().unwrap()).unwrap();
    assert!(page.contains("No lips were moved") && page.contains("no usable face"));
}

#[test]
fn every_loop_mode_shows_the_frames_it_says() {
    let mut studio = Studio::new(&TestClip { duration_s: 0.2, ..TestClip::default() }, 0.6);
    studio.spec.mask_output = None;
    let sources = studio.sources();
    let modes: [(LoopMode, &[usize]); 3] = [
        (LoopMode::None, &[0, 1, 2, 3, 4]),
        (LoopMode::Repeat, &[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]),
        (LoopMode::Pingpong, &[0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3, 2]),
    ];
    for (mode, expected) in modes {
        studio.spec.loop_mode = mode;
        studio.run_with(FakeFace::no_nets(), engine(), &Silent).unwrap();
        let shown = studio.outputs();
        assert_eq!(shown.len(), expected.len(), "{mode:?}");
        for (frame, &source) in shown.iter().zip(expected) {
            assert_eq!(max_difference(frame, &sources[source]), 0, "{mode:?}, source frame {source}");
        }
    }
}

#[test]
fn in_every_mode_the_output_is_as_long_as_it_should_be_to_one_frame() {
    use LoopMode::{Crossfade, Hold, None, Pingpong, Remap, Repeat, Smart};
    for (clip_s, speech_s, rate) in [(0.4, 1.2, "25"), (1.2, 0.4, "30000/1001")] {
        let mut studio = Studio::new(&TestClip { duration_s: clip_s, rate, ..TestClip::default() }, speech_s);
        studio.spec.mask_output = Option::None;
        for mode in [None, Repeat, Pingpong, Crossfade, Smart, Hold, Remap] {
            studio.spec.loop_mode = mode;
            let report = studio.run(engine()).unwrap();
            let wanted_s = match mode {
                None => clip_s.min(speech_s),
                Remap => speech_s,
                _ => clip_s.max(speech_s),
            };
            let off_s = report.output.duration_ms as f64 / 1000.0 - wanted_s;
            assert!(off_s.abs() < 1.01 / report.input.fps, "{mode:?}: {off_s} s");
            let written = studio.outputs();
            assert_eq!(written.len() as u64, report.output.frames_planned, "{mode:?}");
            assert!(written.windows(2).all(|pair| pair[0].pts < pair[1].pts), "{mode:?}");
            assert_eq!(report.looping.mode, mode);
        }
    }
}

#[test]
fn a_crossfade_blends_the_rounds_and_says_so() {
    let mut studio = Studio::new(&TestClip { duration_s: 0.8, ..TestClip::default() }, 1.6);
    (studio.spec.loop_mode, studio.spec.crossfade_frames) = (LoopMode::Crossfade, 5);
    let engine = engine();
    let report = studio.run(engine.clone()).unwrap();
    let shape = report.looping.shape.unwrap();
    assert_eq!((shape.first, shape.end, shape.blended), (0, 20, 5));
    assert_eq!((report.looping.period_frames, report.looping.frames_blended), (Some(15), 10));
    assert_eq!(report.looping.interpolator, Some("native"));
    // Every frame speaks at its own time, the blended ones too.
    let calls = engine.calls();
    let spoken: Vec<_> = calls.made.iter().map(|(_, mouth, _)| mouth.speech_s).collect();
    assert_eq!(spoken.len(), 40);
    assert!(spoken.iter().enumerate().all(|(output, moment)| (moment - output as f64 * 0.04).abs() < 1e-6));
    let (sources, outputs, masks) = (studio.sources(), studio.outputs(), studio.masks());
    for (output, (frame, mask)) in outputs.iter().zip(&masks).enumerate() {
        let is_blend = output >= 15 && output % 15 < 5;
        let Samples::U8(weights) = &mask.planes[0].samples else { panic!("8 bits") };
        assert_eq!(weights.iter().all(|&weight| weight == 255), is_blend, "output frame {output}");
        if !is_blend {
            assert_planes_equal_outside_mask(&sources[output % 15], frame, mask);
        }
    }
}

#[test]
fn a_net_makes_the_people_of_a_blend_once_for_all_rounds() {
    let mut studio = Studio::new(&TestClip { duration_s: 0.8, ..TestClip::default() }, 1.6);
    (studio.spec.loop_mode, studio.spec.crossfade_frames) = (LoopMode::Crossfade, 5);
    let net = FakeInterpolator::new(200.0);
    let runner = Runner::new(Tools::locate().unwrap(), FACE.nets(), Box::new(engine()))
        .with_interpolator(Arc::new(net.clone()));
    let report = runner.run(&studio.spec, &Silent).unwrap();
    assert_eq!((report.looping.frames_blended, report.looping.interpolator), (10, Some("fake")));
    let shares: Vec<u32> = net.asked().iter().map(|share| (share * 6.0).round() as u32).collect();
    assert_eq!(shares, [1, 2, 3, 4, 5]);
    let outputs = studio.outputs();
    for (output, frame) in outputs.iter().enumerate() {
        let is_blend = output >= 15 && output % 15 < 5;
        // Between the eyes, where the patch of the engine does not reach.
        let light = frame.planes[0].value(FACE.x as i64, FACE.y as i64 - 10);
        assert_eq!((light - 200.0).abs() < 0.5, is_blend, "output frame {output}: {light}");
    }
}

#[test]
fn the_second_round_speaks_its_own_words() {
    let studio = Studio::new(&TestClip { duration_s: 0.4, ..TestClip::default() }, 0.8);
    let engine = engine();
    studio.run(engine.clone()).unwrap();
    let calls = engine.calls();
    let made: Vec<_> = calls.made.iter().map(|(_, mouth, _)| (mouth.source.0, mouth.speech_s)).collect();
    assert_eq!(made.len(), 20);
    assert_eq!(made[3].0, made[13].0);
    assert!((made[13].1 - made[3].1 - 0.4).abs() < 1e-6);
    assert_eq!(calls.studied.len(), 10, "the source is studied once");
    assert!((calls.heard[&VoiceId::MAIN].len() as f64 / 16_000.0 - 0.8).abs() < 0.01);
    assert_eq!(calls.planned[0].mouths.len(), 20);
}

#[test]
fn times_of_a_variable_rate_are_kept() {
    let clip = TestClip { variable_rate: true, duration_s: 2.0, ..TestClip::default() };
    let mut studio = Studio::new(&clip, 1.0);
    studio.spec.output.set_extension("mov");
    studio.run(engine()).unwrap();
    let times = |frames: Vec<Frame>| frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
    let (sources, outputs) = (times(studio.sources()), times(studio.outputs()));
    assert!(sources.windows(3).any(|t| t[1].0 - t[0].0 != t[2].0 - t[1].0), "the clip has a variable rate");
    assert_eq!(sources, outputs);
}

#[test]
fn a_range_of_the_clip_is_used() {
    let mut studio = Studio::new(&TestClip::default(), 0.2);
    (studio.spec.start_s, studio.spec.end_s) = (Some(0.2), Some(0.6));
    let report = studio.run_with(FakeFace::no_nets(), engine(), &Silent).unwrap();
    let (sources, outputs) = (studio.sources(), studio.outputs());
    assert_eq!((report.input.frames, outputs.len()), (10, 10));
    for (index, frame) in outputs.iter().enumerate() {
        assert_eq!(max_difference(frame, &sources[index + 5]), 0, "frame {index}");
    }
    (studio.spec.start_s, studio.spec.end_s) = (Some(7.0), None);
    let error = studio.run(engine()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn without_a_face_the_picture_is_left_as_it_is() {
    let studio = Studio::new(&TestClip { sound: true, ..TestClip::default() }, 0.5);
    let report = studio.run_with(FakeFace::no_nets(), engine(), &Silent).unwrap();
    assert!(codes(&report).contains(&WarningCode::NoFace), "{:?}", report.warnings);
    assert_eq!(report.output.frames_changed, 0);
    for (source, output) in studio.sources().iter().zip(&studio.outputs()) {
        assert_eq!(max_difference(source, output), 0);
    }
}

#[test]
fn a_face_that_is_too_small_is_named_with_its_reason() {
    let studio = Studio::new(&TestClip::default(), 0.5);
    let small = FakeFace { scale_px: 20.0, ..FACE };
    let report = studio.run_with(small.nets(), engine(), &Silent).unwrap();
    assert_eq!(codes(&report), [WarningCode::NoFace]);
    let [track] = report.tracks.as_slice() else { panic!("one face") };
    assert!(track.chosen);
    let [segment] = track.segments.as_slice() else { panic!("one segment") };
    assert_eq!(segment.skip_reason, Some(SkipReason::FaceTooSmall));
    assert_eq!(track.summary.unwrap().skipped_ms, 1000);
}

#[test]
fn silence_is_reported() {
    let mut studio = Studio::new(&TestClip::default(), 0.5);
    studio.spec.audio = Some(silence(studio.folder.path(), "silence.wav", 0.5));
    let report = studio.run(engine().deaf()).unwrap();
    assert_eq!(codes(&report), [WarningCode::NoSpeech]);
}

#[test]
fn a_picture_becomes_a_video_as_long_as_the_speech() {
    let mut studio = Studio::new(&TestClip::default(), 1.0);
    studio.spec.video = still(&studio.folder.path().join("in"), "portrait.png", 320, 240);
    for mode in [LoopMode::Repeat, LoopMode::None, LoopMode::Pingpong] {
        studio.spec.loop_mode = mode;
        let report = studio.run(engine()).unwrap();
        assert!(report.input.is_still);
        assert_eq!((report.output.frames_written, report.output.frames_changed), (25, 25), "{mode:?}");
        assert!((report.output.fps - 25.0).abs() < 1e-6);
    }
    let outputs = studio.outputs();
    assert_eq!(max_difference(&outputs[0], &outputs[24]), 0);
}

#[test]
fn a_fault_of_the_engine_leaves_nothing_behind() {
    let studio = Studio::new(&TestClip::default(), 0.5);
    for (fault, expected) in [
        (Fault::ErrorAt(0), "failed at frame 0"),
        (Fault::ErrorAt(24), "failed at frame 24"),
        (Fault::PanicAt(9), "panicked at frame 9"),
        (Fault::SilenceAt(17), "answers to"),
    ] {
        let error = studio.run(engine().with_fault(fault)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().contains(expected), "{error}");
        studio.assert_nothing_left();
    }
}

#[test]
fn a_failed_job_keeps_the_old_output() {
    let studio = Studio::new(&TestClip::default(), 0.5);
    std::fs::write(&studio.spec.output, "old").unwrap();
    studio.run(engine().with_fault(Fault::ErrorAt(3))).unwrap_err();
    assert_eq!(std::fs::read_to_string(&studio.spec.output).unwrap(), "old");
    assert_eq!(studio.left_in("out"), [studio.spec.output.as_path()]);
}

#[test]
fn a_job_can_be_cancelled_at_any_moment() {
    let studio = Studio::new(&TestClip::default(), 0.5);
    let patient = TestObserver::default();
    studio.run_with(FACE.nets(), engine(), &patient).unwrap();
    for path in studio.left_in("out") {
        std::fs::remove_file(path).unwrap();
    }
    let questions = patient.questions();
    assert!(questions > 50, "asked for every frame of both passes");
    for moment in [0, 1, 2, 13, questions / 2, questions * 3 / 4, questions - 2, questions - 1] {
        let observer = TestObserver::cancelling_after(moment);
        let error = studio.run_with(FACE.nets(), engine(), &observer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "after {moment} of {questions} questions: {error}");
        studio.assert_nothing_left();
    }
}

#[test]
fn progress_ends_with_the_last_frame_and_stages_come_in_order() {
    let studio = Studio::new(&TestClip::default(), 0.5);
    let observer = TestObserver::default();
    studio.run_with(FACE.nets(), engine(), &observer).unwrap();
    let progress = observer.progress_so_far();
    assert!(progress.windows(2).all(|pair| pair[0].stage <= pair[1].stage));
    for stage in [viseme_core::Stage::Analyse, viseme_core::Stage::Render] {
        let last = progress.iter().rfind(|progress| progress.stage == stage).unwrap();
        assert_eq!((last.done, last.total), (25, Some(25)), "{stage:?}");
    }
}

#[test]
fn equal_jobs_give_equal_bytes() {
    let mut studio = Studio::new(&TestClip { sound: true, ..TestClip::default() }, 1.5);
    (studio.spec.encode.codec, studio.spec.encode.lossless) = (Codec::H264, false);
    studio.spec.output.set_extension("mp4");
    studio.run(engine()).unwrap();
    let first = std::fs::read(&studio.spec.output).unwrap();
    studio.run(engine()).unwrap();
    assert!(first == std::fs::read(&studio.spec.output).unwrap(), "the second run gave other bytes");
}
