//! Jobs that are ended on their way and go on from there.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme::{AnalysisCache, CacheUse, Checkpoints, Codec, JobSpec, LoopMode, OffsetMode, Report, Runner};
use viseme_core::geometry::PixelRect;
use viseme_core::{ErrorKind, Observer, Result, Silent, Stage};
use viseme_engines::{NativeEngine, NativeOptions, Profile, Wav2LipEngine, Wav2LipOptions};
use viseme_face::{FaceNets, Weights};
use viseme_media::Tools;
use viseme_models::RtenRuntime;
use viseme_testing::clips::{decode, speech};
use viseme_testing::fake_engine::Fault;
use viseme_testing::observers::TestObserver;
use viseme_testing::{FakeEngine, FakeEnhancer, FakeFace, FakeGenerator, FakePatch, TestClip};

const FACE: FakeFace = FakeFace { x: 160.0, y: 100.0, scale_px: 40.0 };
const PATCH: FakePatch =
    FakePatch { region: PixelRect { x: 140, y: 130, width: 40, height: 24 }, value: 60.0 };

/// Frames of a chunk: 60 frames make five.
const CHUNK_FRAMES: u64 = 13;

/// A folder with a clip of 25 frames, a speech of 60, and the places where a job may leave something.
struct Studio {
    folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Studio {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let video = TestClip::default().write(folder.path(), "talk.mp4");
        let audio = speech(folder.path(), "speech.wav", 2.4);
        let mut spec = JobSpec::new(video, audio, folder.path().join("out/out.mp4"));
        spec.loop_mode = LoopMode::Pingpong;
        spec.mask_output = Some(folder.path().join("out/mask.mkv"));
        spec.encode.preset = Some("ultrafast".to_owned());
        Self { folder, spec }
    }

    /// The same, with a page for people: its nets take longer than all the rest.
    fn with_page() -> Self {
        let mut studio = Self::new();
        studio.spec.report_output = Some(studio.folder.path().join("out/report.html"));
        studio
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.folder.path().join("kept")).every(CHUNK_FRAMES)
    }

    fn runner(engine: FakeEngine) -> Runner {
        Runner::new(Tools::locate().unwrap(), FACE.nets(), Box::new(engine))
    }

    fn run(&self, engine: FakeEngine, observer: &dyn Observer) -> Result<Report> {
        Self::runner(engine).run_resumable(&self.spec, &self.checkpoints(), observer)
    }

    /// Frames that a run of the job need not make.
    fn resumed(&self) -> u64 {
        let report = self.run(engine(), &Silent).unwrap();
        assert_eq!((report.output.frames_written, report.output.frames_changed), (60, 60));
        report.frames_resumed.unwrap()
    }

    /// Ends a run when it has made three of its five chunks.
    fn end_one_early(&self) {
        let faulty = engine().with_fault(Fault::ErrorAt(40));
        assert_eq!(self.run(faulty, &Silent).unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(self.chunks().len(), 3);
    }

    /// The bytes of video and mask, and what the page shows of mouths and faces.
    fn results(&self) -> (Vec<u8>, Vec<u8>, Vec<String>) {
        let read = |path: &Path| std::fs::read(path).unwrap();
        let page = std::fs::read_to_string(self.spec.report_output.as_ref().unwrap()).unwrap();
        let shown = page.split(['<', '>']).filter(|part| part.contains("base64") || part.contains("path "));
        let shown: Vec<_> = shown.map(str::to_owned).collect();
        assert!(shown.len() > 16, "pictures and curves");
        (read(&self.spec.output), read(self.spec.mask_output.as_ref().unwrap()), shown)
    }

    fn left_in(&self, name: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join(name)).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn chunks(&self) -> Vec<PathBuf> {
        self.left_in("kept/chunks")
    }
}

fn engine() -> FakeEngine {
    FakeEngine::new(PATCH).keeping()
}

#[test]
fn wherever_a_run_was_ended_the_next_makes_the_same_bytes() {
    let studio = Studio::with_page();
    let whole = TestObserver::default();
    let report = studio.run(engine(), &whole).unwrap();
    assert_eq!((report.frames_resumed, report.analysis_cache), (Some(0), CacheUse::Off));
    let results = studio.results();
    let mut resumed = Vec::new();
    for part in 1..6 {
        let impatient = TestObserver::cancelling_after(whole.questions() * part / 6);
        let error = studio.run(engine(), &impatient).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        resumed.push(studio.resumed());
        assert!(studio.results() == results, "the same after {part} of 6 parts");
        assert_eq!(studio.left_in("kept"), [] as [&Path; 0]);
    }
    assert!(resumed.is_sorted() && resumed[4] >= 26, "{resumed:?}");
    assert_eq!(studio.left_in("out").len(), 3);
}

#[test]
fn what_is_whole_is_neither_looked_at_nor_made_again() {
    let studio = Studio::new();
    studio.end_one_early();
    let (second, observer) = (engine(), TestObserver::default());
    let report = studio.run(second.clone(), &observer).unwrap();
    let calls = second.calls();
    let made: Vec<u64> = calls.made.iter().map(|(_, mouth, _)| mouth.output.0).collect();
    assert_eq!((calls.restored, calls.studied.len(), made), (1, 0, (39..60).collect()));
    assert_eq!(report.frames_resumed, Some(39));
    let progress = observer.progress_so_far();
    let rendered = progress.iter().filter(|progress| progress.stage == Stage::Render);
    let done: Vec<u64> = rendered.map(|progress| progress.done).collect();
    assert_eq!(done, [13, 26].into_iter().chain(39..=60).collect::<Vec<_>>());
}

/// That no boundary of a chunk is to be seen, in a lossless output or its mask.
fn assert_seamless(studio: &Studio, runner: &Runner) {
    let JobSpec { output, mask_output, .. } = &studio.spec;
    let shown = || [output, mask_output.as_ref().unwrap()].map(|file| decode(file));
    let report = runner.run(&studio.spec, &Silent).unwrap();
    let whole = shown();
    let chunked = runner.run_resumable(&studio.spec, &studio.checkpoints(), &Silent).unwrap();
    assert!(shown() == whole, "samples and times");
    assert!(report.output.frames_changed > 40);
    assert_eq!(chunked.output.frames_changed, report.output.frames_changed);
}

fn lossless() -> Studio {
    let mut studio = Studio::new();
    (studio.spec.encode.codec, studio.spec.encode.lossless) = (Codec::Ffv1, true);
    studio.spec.encode.preset = None;
    studio.spec.output.set_extension("mov");
    studio
}

#[test]
fn chunks_have_the_frames_and_times_of_a_single_encoder() {
    let mut studio = lossless();
    let uneven = TestClip { variable_rate: true, rate: "30000/1001", ..TestClip::default() };
    let uneven = uneven.write(studio.folder.path(), "uneven.mov");
    let even = studio.spec.video.clone();
    for (video, mode) in [
        (&even, LoopMode::Repeat),
        (&even, LoopMode::Pingpong),
        (&uneven, LoopMode::Crossfade),
        (&uneven, LoopMode::Remap),
    ] {
        (studio.spec.video, studio.spec.loop_mode) = (video.clone(), mode);
        assert_seamless(&studio, &Studio::runner(engine()));
    }
}

#[test]
fn wav2lip_and_enhancers_make_the_same_of_a_frame_whatever_they_made_before() {
    let studio = lossless();
    for profile in [Profile::Viseme, Profile::Reference] {
        let options = Wav2LipOptions { profile, ..Wav2LipOptions::default() };
        let engine = Wav2LipEngine::new(options, Arc::new(FakeGenerator::default())).unwrap();
        let runner = Runner::new(Tools::locate().unwrap(), FACE.nets(), Box::new(engine));
        assert_seamless(&studio, &runner.with_enhancer(Arc::new(FakeEnhancer::adding(30.0))));
    }
}

#[test]
fn a_chunk_that_is_damaged_is_made_again() {
    type Damage = fn(&Path);
    let studio = Studio::with_page();
    studio.run(engine(), &Silent).unwrap();
    let results = studio.results();
    let damages: [Damage; 4] = [
        |chunk| {
            std::fs::File::options()
                .write(true)
                .open(chunk.join("picture.mov"))
                .unwrap()
                .set_len(900)
                .unwrap();
        },
        |chunk| {
            let mut bytes = std::fs::read(chunk.join("mask.mov")).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(chunk.join("mask.mov"), bytes).unwrap();
        },
        |chunk| std::fs::write(chunk.join("chunk.bin"), "").unwrap(),
        |chunk| std::fs::remove_file(chunk.join("seal.json")).unwrap(),
    ];
    for damage in damages {
        studio.end_one_early();
        damage(&studio.chunks()[0]);
        assert_eq!(studio.resumed(), 26);
        assert!(studio.results() == results);
    }
}

#[test]
fn work_that_belongs_to_something_else_is_not_used() {
    type Change = fn(&mut Studio);
    let changes: [(u64, Change); 9] = [
        (39, |_| {}),
        (39, |studio| studio.spec.output = studio.folder.path().join("out/other.mkv")),
        (0, |studio| studio.spec.encode.crf = Some(30)),
        (0, |studio| studio.spec.loop_mode = LoopMode::Repeat),
        (0, |studio| studio.spec.offset = OffsetMode::Measure),
        (0, |studio| studio.spec.mask_output = None),
        (0, |studio| {
            let _ = speech(studio.folder.path(), "speech.wav", 2.39);
        }),
        (0, |studio| {
            // One byte that no decoder looks at.
            let mut bytes = std::fs::read(&studio.spec.video).unwrap();
            let place = bytes.windows(12).rposition(|window| window == b"VideoHandler").unwrap();
            bytes[place] = b'v';
            std::fs::write(&studio.spec.video, bytes).unwrap();
        }),
        (39, |studio| {
            let renamed = studio.folder.path().join("renamed.mp4");
            std::fs::rename(&studio.spec.video, &renamed).unwrap();
            studio.spec.video = renamed;
        }),
    ];
    for (number, (expected, change)) in changes.into_iter().enumerate() {
        let mut studio = Studio::new();
        studio.end_one_early();
        change(&mut studio);
        assert_eq!(studio.resumed(), expected, "change {number}");
        assert_eq!(studio.left_in("kept"), [] as [&Path; 0]);
    }
}

#[test]
fn a_picture_that_is_left_as_it_is_needs_no_chunks() {
    let mut studio = Studio::new();
    (studio.spec.mask_output, studio.spec.encode) = (None, viseme::EncodeOptions::default());
    studio.spec.loop_mode = LoopMode::None;
    let runner = Runner::new(Tools::locate().unwrap(), FakeFace::no_nets(), Box::new(engine()));
    let report = runner.run_resumable(&studio.spec, &studio.checkpoints(), &Silent).unwrap();
    assert_eq!((report.frames_resumed, report.output.frames_changed), (None, 0));
    assert_eq!(studio.left_in("kept"), [] as [&Path; 0]);
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_before_any_work() {
    let studio = Studio::new();
    std::fs::create_dir(studio.folder.path().join("kept")).unwrap();
    let photo = studio.folder.path().join("kept/photo.jpg");
    std::fs::write(&photo, "a photo").unwrap();
    let error = studio.run(engine(), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.hint().unwrap().contains("new or empty"));
    assert_eq!((studio.left_in("kept"), studio.left_in("out")), (vec![photo], Vec::new()));
}

#[test]
fn the_native_engine_makes_the_same_of_a_frame_whatever_it_made_before() {
    let demo = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo").join(name);
    let folder = tempfile::tempdir().unwrap();
    let runtime = RtenRuntime::default();
    let nets = FaceNets::embedded(&runtime, Weights::Default).unwrap();
    let native = NativeEngine::new(NativeOptions::default(), &runtime).unwrap();
    let cache = AnalysisCache::new(folder.path().join("cache"), 1 << 30);
    let runner = Runner::new(Tools::locate().unwrap(), nets, Box::new(native)).with_cache(cache, "ours");
    let mut spec = JobSpec::new(demo("presenter.mp4"), demo("speech.wav"), folder.path().join("out.mov"));
    (spec.end_s, spec.loop_mode) = (Some(1.2), LoopMode::None);
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    runner.run(&spec, &Silent).unwrap();
    let whole = decode(&spec.output);
    let checkpoints = Checkpoints::new(folder.path().join("kept")).every(8);
    let questions = TestObserver::default();
    runner.run_resumable(&spec, &checkpoints, &questions).unwrap();
    assert!(decode(&spec.output) == whole, "no boundary is to be seen");
    let bytes = std::fs::read(&spec.output).unwrap();
    let impatient = TestObserver::cancelling_after(questions.questions() * 3 / 4);
    assert!(runner.run_resumable(&spec, &checkpoints, &impatient).is_err());
    let report = runner.run_resumable(&spec, &checkpoints, &Silent).unwrap();
    assert!(report.frames_resumed.unwrap() >= 8 && report.output.frames_changed > 20);
    assert!(std::fs::read(&spec.output).unwrap() == bytes);
}
