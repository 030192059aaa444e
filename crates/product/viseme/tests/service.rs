//! The calls of a lip-sync service: which engine is taken, what a failure is, and how good the results are.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use viseme::{
    BatchObserver, BatchResult, BatchStatus, JobSpec, JobStatus, LipsyncService, LipsyncSettings, Lipsynced,
    Method, RemoteLipsync,
};
use viseme_core::{Error, ErrorKind, Observer, Progress, Result, Silent, Warning, WarningCode};
use viseme_testing::clips::speech;
use viseme_testing::observers::TestObserver;
use viseme_testing::{TestClip, skip_without_shared};

/// A remote engine that fails as told, and then writes what it is told.
#[derive(Debug)]
struct FakeRemote {
    failures: Mutex<Vec<ErrorKind>>,
    result: Option<PathBuf>,
    asked: AtomicU32,
}

impl RemoteLipsync for FakeRemote {
    fn name(&self) -> &'static str {
        "heygen"
    }

    fn usd_per_second(&self) -> f64 {
        0.05
    }

    fn generate(&self, spec: &JobSpec, _: &dyn Observer) -> Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = self.failures.lock().unwrap().pop() {
            return Err(Error::new(kind, "it was told to fail"));
        }
        match &self.result {
            Some(result) => std::fs::copy(result, &spec.output).map(drop).unwrap(),
            None => std::fs::write(&spec.output, "no video").unwrap(),
        }
        Ok(())
    }
}

/// Inputs and a place for outputs.
struct Studio {
    folder: tempfile::TempDir,
    video: PathBuf,
    audio: PathBuf,
}

impl Studio {
    fn new(speech_s: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let video = TestClip::default().write(folder.path(), "talk.mp4");
        let audio = speech(folder.path(), "speech.wav", speech_s);
        Self { folder, video, audio }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.mp4")
    }

    fn remote(&self, failures: &[ErrorKind]) -> Arc<FakeRemote> {
        let failures = Mutex::new(failures.iter().rev().copied().collect());
        Arc::new(FakeRemote { failures, result: Some(self.video.clone()), asked: AtomicU32::new(0) })
    }

    fn generate(&self, service: &LipsyncService, method: Method) -> Result<Lipsynced> {
        service.generate_lipsync(&self.video, &self.audio, &self.output(), method, &Silent)
    }

    /// With a remote engine that fails so; says how often it was asked as well.
    fn with(&self, failures: &[ErrorKind], method: Method) -> (Result<Lipsynced>, u32) {
        let remote = self.remote(failures);
        let done = self.generate(&service().with_remote(remote.clone()), method);
        (done, remote.asked.load(Ordering::Relaxed))
    }
}

/// A service on the processor that does not wait.
fn service() -> LipsyncService {
    LipsyncService::new(settings())
}

fn settings() -> LipsyncSettings {
    LipsyncSettings { gpu: false, retry_wait: Duration::ZERO, ..LipsyncSettings::default() }
}

#[test]
fn methods_are_read_by_name() {
    for name in ["auto", "heygen", "wav2lip", "native"] {
        assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
    }
    let error = "sora".parse::<Method>().unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.hint().unwrap().contains("heygen"), "{error}");
}

#[test]
fn short_speech_goes_to_the_remote_engine_and_costs() {
    let studio = Studio::new(1.0);
    let (done, asked) = studio.with(&[], Method::Auto);
    let done = done.unwrap();
    assert_eq!((done.method_used.as_str(), asked, done.warnings.len()), ("heygen", 1, 0));
    assert!((done.duration - 1.0).abs() < 0.1 && (done.cost_usd - done.duration * 0.05).abs() < 1e-9);
    let json = serde_json::to_value(&done).unwrap();
    assert_eq!(json["status"], "success");
    assert_eq!(json["output_path"], studio.output().to_str().unwrap());
    for field in ["method_used", "duration", "cost_usd"] {
        assert!(!json[field].is_null(), "{field}");
    }
}

#[test]
fn what_may_pass_is_tried_three_times_and_then_made_here() {
    let studio = Studio::new(1.0);
    let network = [ErrorKind::Network; 9];
    assert_eq!(studio.with(&network[..2], Method::Auto).0.unwrap().method_used, "heygen");
    let (done, asked) = studio.with(&network, Method::Auto);
    let done = done.unwrap();
    assert!(asked == 3 && done.method_used != "heygen" && done.cost_usd == 0.0, "{done:?}");
    assert_eq!(done.warnings[0].code, WarningCode::FellBack);
    assert_eq!(done.report.unwrap().warnings[0].code, WarningCode::FellBack);
    let (failed, asked) = studio.with(&network, Method::HeyGen);
    assert_eq!((failed.unwrap_err().kind(), asked), (ErrorKind::Network, 3));
}

#[test]
fn what_will_not_pass_is_not_paid_twice() {
    let studio = Studio::new(1.0);
    for kind in [ErrorKind::TimedOut, ErrorKind::Remote] {
        let (failed, asked) = studio.with(&[kind], Method::HeyGen);
        assert_eq!((failed.unwrap_err().kind(), asked), (kind, 1));
        assert!(!studio.output().exists());
        let (done, asked) = studio.with(&[kind], Method::Auto);
        assert!(asked == 1 && done.unwrap().method_used != "heygen");
        std::fs::remove_file(studio.output()).unwrap();
    }
    let (failed, asked) = studio.with(&[ErrorKind::Cancelled], Method::Auto);
    assert_eq!((failed.unwrap_err().kind(), asked), (ErrorKind::Cancelled, 1));
}

#[test]
fn a_missing_input_a_timeout_and_a_failed_engine_are_three_errors() {
    let studio = Studio::new(1.0);
    let (timed_out, _) = studio.with(&[ErrorKind::TimedOut], Method::HeyGen);
    let (failed, _) = studio.with(&[ErrorKind::Remote], Method::HeyGen);
    let remote = studio.remote(&[]);
    let service = service().with_remote(remote.clone());
    let none = studio.folder.path().join("none.mp4");
    let missing = service.generate_lipsync(&none, &studio.audio, &studio.output(), Method::Auto, &Silent);
    let kinds = [missing, timed_out, failed].map(|outcome| outcome.unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::TimedOut, ErrorKind::Remote]);
    assert_eq!(remote.asked.load(Ordering::Relaxed), 0, "nothing is sent of a job that cannot be done");
}

#[test]
fn a_result_that_is_no_video_is_none() {
    let studio = Studio::new(1.0);
    let remote = Arc::new(FakeRemote { failures: Mutex::default(), result: None, asked: AtomicU32::new(0) });
    let failed = studio.generate(&service().with_remote(remote), Method::HeyGen).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Remote);
    assert!(!studio.output().exists());
}

#[test]
fn long_speech_and_named_engines_stay_here() {
    let long = Studio::new(30.0);
    let (done, asked) = long.with(&[], Method::Auto);
    assert!(asked == 0 && done.unwrap().warnings.iter().all(|warning| warning.code != WarningCode::FellBack));
    let short = Studio::new(1.0);
    let (done, asked) = short.with(&[], Method::Engine("native"));
    assert_eq!((done.unwrap().method_used.as_str(), asked), ("native", 0));
}

#[test]
fn without_a_remote_engine_heygen_is_refused_and_a_key_is_a_warning() {
    let studio = Studio::new(1.0);
    let refused = studio.generate(&service(), Method::HeyGen).unwrap_err();
    assert!(refused.kind() == ErrorKind::Unsupported && refused.hint().is_some(), "{refused}");
    let service = LipsyncService::new(LipsyncSettings {
        has_heygen_key: true,
        gpu_usd_per_hour: 3600.0,
        output_folder: Some(studio.folder.path().join("made/outputs")),
        ..settings()
    });
    let observer = TestObserver::default();
    let named = Path::new("out.mp4");
    let done =
        service.generate_lipsync(&studio.video, &studio.audio, named, Method::Auto, &observer).unwrap();
    assert_eq!(done.output_path, studio.folder.path().join("made/outputs/out.mp4"));
    assert!(done.output_path.is_file());
    let seconds = done.report.as_ref().unwrap().total_ms as f64 / 1000.0;
    assert!((done.cost_usd - seconds).abs() < 1e-6, "{} {seconds}", done.cost_usd);
    for warnings in [done.warnings, observer.warnings_so_far()] {
        let key = warnings.iter().find(|warning| warning.code == WarningCode::FellBack).unwrap();
        assert!(key.message.contains("HEYGEN_API_KEY"), "{key:?}");
    }
    let quality = service.check_lipsync_quality(named, &Silent).unwrap();
    assert!(quality.sync_score.is_none() && quality.video_quality.is_some() && !quality.missing.is_empty());
}

#[test]
fn weights_that_are_none_are_a_warning_or_an_error() {
    let studio = Studio::new(1.0);
    let checkpoint = studio.folder.path().join("wav2lip.pth");
    std::fs::write(&checkpoint, "no checkpoint").unwrap();
    let service = LipsyncService::new(LipsyncSettings { wav2lip_checkpoint: Some(checkpoint), ..settings() });
    let done = studio.generate(&service, Method::Auto).unwrap();
    assert_eq!(done.warnings[0].code, WarningCode::FellBack);
    assert!(studio.generate(&service, "wav2lip".parse().unwrap()).is_err());
}

#[test]
fn a_checkpoint_is_used_without_being_installed() {
    let shared = skip_without_shared!();
    let studio = Studio::new(1.0);
    let checkpoint = shared.join("vectors/wav2lip_gen/wav2lip_w4.pth");
    let service = LipsyncService::new(LipsyncSettings { wav2lip_checkpoint: Some(checkpoint), ..settings() });
    for method in [Method::Auto, Method::Engine("wav2lip")] {
        let done = studio.generate(&service, method).unwrap();
        assert_eq!(done.method_used, "wav2lip");
        assert!(done.warnings.iter().all(|warning| warning.code != WarningCode::FellBack));
    }
}

/// Notes which jobs ended.
#[derive(Default)]
struct Ended(Mutex<Vec<(usize, JobStatus)>>);

impl BatchObserver for Ended {
    fn started(&self, _: usize, _: &JobSpec) {}
    fn progress(&self, _: usize, _: Progress) {}
    fn warn(&self, _: usize, _: &Warning) {}
    fn ended(&self, job: usize, result: &BatchResult) {
        self.0.lock().unwrap().push((job, result.status));
    }
    fn is_cancelled(&self) -> bool {
        false
    }
}

#[test]
fn one_failed_pair_stops_no_other_and_batches_stay_here() {
    let studio = Studio::new(1.0);
    let remote = studio.remote(&[]);
    let service = service().with_remote(remote.clone());
    let pair = (studio.video.clone(), studio.audio.clone());
    let pairs = [pair.clone(), (studio.folder.path().join("none.mp4"), studio.audio.clone()), pair];
    let outputs = ["a.mp4", "b.mp4", "c.mp4"].map(|name| studio.folder.path().join(name));
    let ended = Ended::default();
    let done = service.batch_generate_lipsync(&pairs, &outputs, Method::Auto, &ended).unwrap();
    let summary = done.summary;
    assert_eq!(
        (done.status, summary.total, summary.success, summary.failed),
        (BatchStatus::Completed, 3, 2, 1)
    );
    assert!((summary.total_duration - 2.0).abs() < 0.1 && summary.total_cost_usd == 0.0);
    let statuses: Vec<_> = done.results.iter().map(|result| result.status).collect();
    assert_eq!(statuses, [JobStatus::Success, JobStatus::Failed, JobStatus::Success]);
    assert_eq!(done.results[1].error.as_ref().unwrap().kind, ErrorKind::NotFound);
    assert_eq!(*ended.0.lock().unwrap(), statuses.into_iter().enumerate().collect::<Vec<_>>());
    assert_eq!(remote.asked.load(Ordering::Relaxed), 0);
    let paid = service.batch_generate_lipsync(&pairs[..1], &outputs[..1], Method::HeyGen, &ended).unwrap();
    assert_eq!((paid.results[0].method_used.as_str(), remote.asked.load(Ordering::Relaxed)), ("heygen", 1));
    assert!(paid.summary.total_cost_usd > 0.0);
}

#[test]
fn a_batch_that_makes_no_sense_is_not_begun() {
    let studio = Studio::new(1.0);
    let pairs = vec![(studio.video.clone(), studio.audio.clone()); 2];
    let out = |name: &str| studio.folder.path().join(name);
    let ended = Ended::default();
    for outputs in [vec![out("a.mp4")], vec![out("a.mp4"), out("a.mp4")], vec![out("talk.mp4"), out("b.mp4")]]
    {
        let refused = service().batch_generate_lipsync(&pairs, &outputs, Method::Auto, &ended).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    }
    let outputs = [out("a.mp4"), out("b.mp4")];
    let refused = service().batch_generate_lipsync(&pairs, &outputs, Method::HeyGen, &ended).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(ended.0.lock().unwrap().is_empty());
}
