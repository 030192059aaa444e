//! Whole jobs with an enhancer after the engine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme::{Codec, EnhanceArea, JobSpec, LoopMode, Runner};
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, ErrorKind, Silent, Stage};
use viseme_engines::FaceEnhancer;
use viseme_engines::enhance::Gfpgan;
use viseme_face::FaceNets;
use viseme_imaging::{Frame, Samples};
use viseme_media::Tools;
use viseme_models::{ModelFile, RtenRuntime, Runtime};
use viseme_testing::clips::{decode, speech};
use viseme_testing::compare::{assert_planes_equal_outside_mask, differing_samples};
use viseme_testing::fake_enhancer::RESTORER_IDENTITY;
use viseme_testing::{FakeEngine, FakeEnhancer, FakeFace, FakePatch, TestClip};

const FACE: FakeFace = FakeFace { x: 160.0, y: 100.0, scale_px: 40.0 };
const PATCH: FakePatch =
    FakePatch { region: PixelRect { x: 140, y: 130, width: 40, height: 36 }, value: 100.0 };

/// A lossless job in `folder` that also writes its mask, the colours of the enhancer taken as they are.
fn job(folder: &Path, clip: &TestClip) -> JobSpec {
    let video = clip.write(folder, "talk.mp4");
    let audio = speech(folder, "speech.wav", clip.duration_s);
    std::fs::create_dir(folder.join("out")).unwrap();
    let mut spec = JobSpec::new(video, audio, folder.join("out/out.mkv"));
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    spec.mask_output = Some(folder.join("out/mask.mkv"));
    spec.enhance.match_colour = false;
    spec
}

fn runner() -> Runner {
    Runner::new(Tools::locate().unwrap(), FACE.nets(), Box::new(FakeEngine::new(PATCH)))
}

/// The frames of the source, of the job without an enhancer and with one, and its mask.
fn frames(spec: &JobSpec, enhancer: &FakeEnhancer) -> [Vec<Frame>; 4] {
    let report = runner().run(spec, &Silent).unwrap();
    assert_eq!((report.enhancer, report.timings_ms.get(&Stage::Enhance)), (None, None));
    let synced = decode(&spec.output);
    let report = runner().with_enhancer(Arc::new(enhancer.clone())).run(spec, &Silent).unwrap();
    assert_eq!(report.enhancer.as_deref(), Some("fake"));
    assert!(report.timings_ms.contains_key(&Stage::Enhance));
    let (sources, enhanced) = (decode(&spec.video), decode(&spec.output));
    let masks = decode(spec.mask_output.as_ref().unwrap());
    assert_eq!([synced.len(), enhanced.len(), masks.len()], [sources.len(); 3]);
    for ((source, output), mask) in sources.iter().zip(&enhanced).zip(&masks) {
        assert_planes_equal_outside_mask(source, output, mask);
    }
    [sources, synced, enhanced, masks]
}

fn bytes(frame: &Frame) -> &[u8] {
    let Samples::U8(samples) = &frame.planes[0].samples else { panic!("8 bits") };
    samples
}

#[test]
fn a_constant_is_added_to_every_frame_alike_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let spec = job(folder.path(), &TestClip { duration_s: 0.4, ..TestClip::default() });
    let enhancer = FakeEnhancer::adding(30.0);
    let [_, synced, enhanced, masks] = frames(&spec, &enhancer);
    // 30 of 255 steps of gray are so many of the 219 from black to white.
    let step = 30.0_f32 * 219.0 / 255.0;
    for ((before, after), mask) in synced.iter().zip(&enhanced).zip(&masks) {
        let places = bytes(before).iter().zip(bytes(after)).zip(bytes(mask));
        for (at, ((&before, &after), &mask)) in places.enumerate() {
            let added = f32::from(after) - f32::from(before);
            // At the ends of the scale a sample has nowhere to go.
            assert!((-0.51..step + 0.51).contains(&added), "{before} {after}");
            if mask == 0 {
                assert_eq!(before, after);
            }
            // Where the engine paints and all of the net's picture is taken, every frame has the same.
            if (145..175).contains(&(at % 320)) && (142..160).contains(&(at / 320)) {
                assert_eq!((f32::from(after), mask), ((PATCH.value + step).round(), 255));
            }
        }
    }
    // The net saw the new mouth, not the old one.
    let gray = (PATCH.value - 16.0) * 255.0 / 219.0;
    let shown = enhancer.mouths_shown();
    assert_eq!(shown.len(), synced.len());
    assert!(shown.iter().all(|[_, green, _]| (green - gray).abs() < 40.0), "{shown:?} for {gray}");
}

#[test]
fn the_area_is_the_mouth_or_the_face() {
    for pixel_format in ["yuv420p", "yuv422p10le", "yuv444p"] {
        for area in EnhanceArea::ALL {
            let folder = tempfile::tempdir().unwrap();
            let clip = TestClip { pixel_format, duration_s: 0.2, ..TestClip::default() };
            let mut spec = job(folder.path(), &clip);
            spec.enhance.area = area;
            let [_, synced, enhanced, masks] = frames(&spec, &FakeEnhancer::adding(-20.0));
            for (before, after) in synced.iter().zip(&enhanced) {
                assert!(differing_samples(before, after) > 1000);
            }
            let weight = |x: usize, y: usize| bytes(&masks[0])[y * 320 + x];
            // The lower lip, the eyes, the corner of the picture.
            assert_eq!(weight(160, 150), 255);
            assert_eq!(weight(180, 100), if area == EnhanceArea::Face { 255 } else { 0 });
            assert_eq!(weight(0, 0), 0);
        }
    }
}

#[test]
fn strength_scales_what_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = job(folder.path(), &TestClip { duration_s: 0.2, ..TestClip::default() });
    let added = |spec: &JobSpec| {
        let [_, synced, enhanced, _] = frames(spec, &FakeEnhancer::adding(40.0));
        enhanced[0].planes[0].value(160, 150) - synced[0].planes[0].value(160, 150)
    };
    let whole = added(&spec);
    assert!((whole - 34.0).abs() < 1.1, "{whole}");
    spec.enhance.strength = 0.5;
    assert!((added(&spec) - whole / 2.0).abs() < 1.1);
    spec.enhance.strength = 0.0;
    assert!(added(&spec).abs() < 1e-6);
}

#[test]
fn a_failed_enhancement_is_a_failed_job_that_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spec = job(folder.path(), &TestClip { duration_s: 0.2, ..TestClip::default() });
    let failing = FakeEnhancer::new(|_| Err(Error::internal("the net is broken")));
    for enhancer in [failing, FakeEnhancer::new(|_| Ok(Vec::new()))] {
        let error = runner().with_enhancer(Arc::new(enhancer)).run(&spec, &Silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
        let left: Vec<PathBuf> = std::fs::read_dir(folder.path().join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_net_that_gives_back_what_it_gets_loses_nothing_of_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo");
    let mut spec =
        JobSpec::new(demo.join("presenter.mp4"), demo.join("speech.wav"), folder.path().join("out.mkv"));
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    (spec.loop_mode, spec.end_s) = (LoopMode::None, Some(0.2));
    spec.enhance.area = EnhanceArea::Face;
    spec.mask_output = Some(folder.path().join("mask.mkv"));
    let runtime = RtenRuntime::default();
    let session = runtime.load(&ModelFile::bytes("identity", RESTORER_IDENTITY)).unwrap();
    let identity: Arc<dyn FaceEnhancer> = Arc::new(Gfpgan::new(session).unwrap());
    let runner = || {
        let nets = FaceNets::embedded(&runtime, spec.weights).unwrap();
        Runner::new(Tools::locate().unwrap(), nets, Box::new(FakeEngine::new(PATCH)))
    };
    let _ = runner().run(&spec, &Silent).unwrap();
    let synced = decode(&spec.output);
    let report = runner().with_enhancer(identity).run(&spec, &Silent).unwrap();
    assert_eq!(report.output.frames_changed, report.output.frames_planned, "{:?}", report.tracks);
    let enhanced = decode(&spec.output);
    assert_eq!(synced, enhanced);
    let masks = decode(spec.mask_output.as_ref().unwrap());
    let covered = bytes(&masks[0]).iter().filter(|&&weight| weight > 0).count();
    assert!(covered > 4000, "{covered}");
}
