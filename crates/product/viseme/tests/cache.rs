//! Jobs that go on from what another job has learnt of the same video, and those that must not.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use viseme::{AnalysisCache, CacheUse, Codec, JobSpec, LoopMode, Report, Runner, Speakers};
use viseme_core::geometry::PixelRect;
use viseme_core::{ErrorKind, Observer, Progress, Silent, Stage, Warning, WarningCode};
use viseme_engines::{NativeEngine, NativeOptions};
use viseme_face::{FaceNets, Weights};
use viseme_media::Tools;
use viseme_models::RtenRuntime;
use viseme_testing::clips::speech;
use viseme_testing::fake_engine::Fault;
use viseme_testing::{FakeEngine, FakeFace, FakePatch, TestClip};

const FACE: FakeFace = FakeFace { x: 160.0, y: 100.0, scale_px: 40.0 };
const PATCH: FakePatch =
    FakePatch { region: PixelRect { x: 140, y: 130, width: 40, height: 24 }, value: 60.0 };

/// A folder with a clip and a speech, and a cache that is at first empty.
struct Studio {
    folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Studio {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("temporary")).unwrap();
        let video = TestClip::default().write(folder.path(), "talk.mp4");
        let audio = speech(folder.path(), "speech.wav", 0.6);
        let spec = JobSpec::new(video, audio, folder.path().join("out.mp4"));
        Self { folder, spec }
    }

    fn cache(&self) -> AnalysisCache {
        AnalysisCache::new(self.folder.path().join("cache"), 1 << 30)
    }

    fn runner(&self, engine: &FakeEngine) -> Runner {
        let runner = Runner::new(Tools::locate().unwrap(), FACE.nets(), Box::new(engine.clone()));
        runner.with_temporary_folder(self.folder.path().join("temporary"))
    }

    fn run(&self, engine: &FakeEngine, observer: &dyn Observer) -> viseme_core::Result<Report> {
        self.runner(engine).with_cache(self.cache(), "fakes").run(&self.spec, observer)
    }

    fn use_of_cache(&self) -> CacheUse {
        self.run(&engine(), &Silent).unwrap().analysis_cache
    }

    fn output(&self) -> Vec<u8> {
        std::fs::read(&self.spec.output).unwrap()
    }
}

fn engine() -> FakeEngine {
    FakeEngine::new(PATCH).keeping()
}

/// Changes one byte of a clip that no decoder looks at, and gives it back its time.
fn change_a_byte(video: &Path) {
    let metadata = std::fs::metadata(video).unwrap();
    let mut bytes = std::fs::read(video).unwrap();
    let place = bytes.windows(12).rposition(|window| window == b"VideoHandler").unwrap();
    bytes[place] = b'v';
    std::fs::write(video, bytes).unwrap();
    File::options().append(true).open(video).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
    let changed = std::fs::metadata(video).unwrap();
    assert_eq!((changed.len(), changed.modified().unwrap()), (metadata.len(), metadata.modified().unwrap()));
}

#[test]
fn a_second_speech_on_a_video_is_made_without_looking_at_it() {
    let mut studio = Studio::new();
    let first = studio.run(&engine(), &Silent).unwrap();
    assert_eq!(first.analysis_cache, CacheUse::Miss);
    studio.spec.audio = Some(speech(studio.folder.path(), "other.wav", 1.4));
    let second = engine();
    let report = studio.run(&second, &Silent).unwrap();
    let calls = second.calls();
    assert_eq!((report.analysis_cache, calls.restored, calls.studied.len()), (CacheUse::Hit, 1, 0));
    let with_cache = studio.output();
    let alone = studio.runner(&engine()).run(&studio.spec, &Silent).unwrap();
    assert_eq!(alone.analysis_cache, CacheUse::Off);
    assert!(studio.output() == with_cache, "the bytes of the output are the same");
    assert_eq!((alone.tracks, alone.warnings), (report.tracks, report.warnings));
}

#[test]
fn a_changed_file_is_another_video_and_a_renamed_one_is_not() {
    let mut studio = Studio::new();
    assert_eq!(studio.use_of_cache(), CacheUse::Miss);
    let renamed = studio.folder.path().join("renamed.mp4");
    std::fs::rename(&studio.spec.video, &renamed).unwrap();
    studio.spec.video = renamed;
    assert_eq!(studio.use_of_cache(), CacheUse::Hit);
    change_a_byte(&studio.spec.video);
    assert_eq!(studio.use_of_cache(), CacheUse::Miss);
    assert_eq!(studio.cache().info().unwrap().entries, 2);
}

#[test]
fn only_what_changes_the_analysis_makes_it_new() {
    type Change = fn(&mut JobSpec);
    let studio = Studio::new();
    assert_eq!(studio.use_of_cache(), CacheUse::Miss);
    let changes: [(CacheUse, Change); 9] = [
        (CacheUse::Hit, |spec| spec.loop_mode = LoopMode::None),
        (CacheUse::Hit, |spec| spec.engine.expression = 0.5),
        (CacheUse::Hit, |spec| spec.encode.crf = Some(30)),
        (CacheUse::Miss, |spec| spec.face = Speakers::All),
        (CacheUse::Miss, |spec| spec.start_s = Some(0.2)),
        (CacheUse::Miss, |spec| spec.end_s = Some(0.8)),
        (CacheUse::Miss, |spec| spec.limits.faces = 1),
        (CacheUse::Miss, |spec| spec.limits.frames = 1000),
        (CacheUse::Off, |spec| spec.cache = false),
    ];
    for (number, (expected, change)) in changes.into_iter().enumerate() {
        let mut changed = Studio { spec: studio.spec.clone(), ..Studio::new() };
        change(&mut changed.spec);
        let runner = changed.runner(&engine()).with_cache(studio.cache(), "fakes");
        let report = runner.run(&changed.spec, &Silent).unwrap();
        assert_eq!(report.analysis_cache, expected, "change {number}");
    }
    let other_nets = studio.runner(&engine()).with_cache(studio.cache(), "other fakes");
    assert_eq!(other_nets.run(&studio.spec, &Silent).unwrap().analysis_cache, CacheUse::Miss);
    let forgetful = FakeEngine::new(PATCH);
    assert_eq!(studio.run(&forgetful, &Silent).unwrap().analysis_cache, CacheUse::Off);
}

#[test]
fn a_cache_that_does_not_work_is_only_a_warning() {
    let studio = Studio::new();
    let report = studio.run(&engine().with_fault(Fault::CannotSave), &Silent).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.code == WarningCode::NotCached));
    assert_eq!(studio.cache().info().unwrap().entries, 0);
    let output = studio.output();

    std::fs::remove_dir(studio.folder.path().join("cache")).unwrap();
    std::fs::write(studio.folder.path().join("cache"), "in the way").unwrap();
    let report = studio.run(&engine(), &Silent).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.code == WarningCode::NotCached));
    assert!(studio.output() == output);
    std::fs::remove_file(studio.folder.path().join("cache")).unwrap();

    assert_eq!(studio.use_of_cache(), CacheUse::Miss);
    let stubborn = engine().with_fault(Fault::CannotRestore);
    assert_eq!(studio.run(&stubborn, &Silent).unwrap().analysis_cache, CacheUse::Miss);
    assert_eq!(stubborn.calls().studied.len(), 25);
    assert!(studio.output() == output);
}

/// Does something once, when the first pass has begun.
struct Meanwhile<F: Fn() + Send + Sync> {
    act: F,
    done: AtomicBool,
    cancels: bool,
}

impl<F: Fn() + Send + Sync> Observer for Meanwhile<F> {
    fn progress(&self, progress: Progress) {
        if progress.stage == Stage::Analyse && !self.done.swap(true, Ordering::Relaxed) {
            (self.act)();
        }
    }
    fn warn(&self, _: &Warning) {}
    fn is_cancelled(&self) -> bool {
        self.cancels && self.done.load(Ordering::Relaxed)
    }
}

#[test]
fn what_was_cancelled_or_changed_under_way_is_not_kept() {
    let studio = Studio::new();
    let cancelled = Meanwhile { act: || {}, done: AtomicBool::new(false), cancels: true };
    let error = studio.run(&engine(), &cancelled).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let video = studio.spec.video.clone();
    let changed =
        Meanwhile { act: move || change_a_byte(&video), done: AtomicBool::new(false), cancels: false };
    assert_eq!(studio.run(&engine(), &changed).unwrap().analysis_cache, CacheUse::Miss);
    assert_eq!(studio.cache().info().unwrap().entries, 0);
    assert_eq!(studio.use_of_cache(), CacheUse::Miss);
}

#[test]
fn jobs_at_the_same_time_share_one_entry() {
    let studio = Studio::new();
    let runner = studio.runner(&engine()).with_cache(studio.cache(), "fakes");
    let outputs: Vec<PathBuf> = (0..4).map(|i| studio.folder.path().join(format!("{i}.mp4"))).collect();
    std::thread::scope(|scope| {
        for output in &outputs {
            let (runner, spec) = (&runner, JobSpec { output: output.clone(), ..studio.spec.clone() });
            scope.spawn(move || runner.run(&spec, &Silent).unwrap());
        }
    });
    assert_eq!(studio.cache().info().unwrap().entries, 1);
    assert_eq!(studio.use_of_cache(), CacheUse::Hit);
    assert!(outputs.iter().all(|output| std::fs::read(output).unwrap() == studio.output()));
}

#[test]
fn the_native_engine_goes_on_from_a_kept_study_to_the_same_bytes() {
    let demo = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo").join(name);
    let folder = tempfile::tempdir().unwrap();
    let other = speech(folder.path(), "other.wav", 1.0);
    let runtime = RtenRuntime::default();
    let nets = FaceNets::embedded(&runtime, Weights::Default).unwrap();
    let engine = NativeEngine::new(NativeOptions::default(), &runtime).unwrap();
    let cache = AnalysisCache::new(folder.path().join("cache"), 1 << 30);
    let runner = Runner::new(Tools::locate().unwrap(), nets, Box::new(engine)).with_cache(cache, "ours");
    let mut spec = JobSpec::new(demo("presenter.mp4"), other, folder.path().join("out.mkv"));
    (spec.end_s, spec.loop_mode) = (Some(1.2), LoopMode::None);
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    assert_eq!(runner.run(&spec, &Silent).unwrap().analysis_cache, CacheUse::Miss);
    spec.audio = Some(demo("speech.wav"));
    let hit = runner.run(&spec, &Silent).unwrap();
    assert_eq!(hit.analysis_cache, CacheUse::Hit);
    assert!(hit.output.frames_changed > 20);
    let with_cache = std::fs::read(&spec.output).unwrap();
    spec.cache = false;
    let alone = runner.run(&spec, &Silent).unwrap();
    assert!(std::fs::read(&spec.output).unwrap() == with_cache, "the bytes of the output are the same");
    assert_eq!((alone.tracks, alone.analysis_cache), (hit.tracks, CacheUse::Off));
}
