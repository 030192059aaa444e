//! Does a lipsync job.

use super::observer::HandleObserver;
use super::result::{LipsyncResult, OutputFacts, Timing};
use super::spec::{Files, engine_order, job_spec, not_applied};
use super::{Work, to_value};
use crate::tasks::{FaceTask, LipsyncTask};
use crate::telemetry::note_lipsync;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use viseme::{Checkpoints, FacesReport, JobSpec, LineReport, Report, RunnerPool};
use viseme_core::{Error, ErrorKind, Observer, Result, Stage, Warning, WarningCode};
use viseme_jobs::{Area, ArtifactKey, JobProgress};

/// What the result is called.
const OUTPUT: &str = "output.mp4";
/// What says that it is whole.
const MADE: &str = "made.json";
/// What it is.
const OUTPUT_TYPE: &str = "video/mp4";

impl Work<'_> {
    /// Moves lips, keeps the result and sends it where the client wants it.
    ///
    /// # Errors
    /// Whatever makes the job impossible.
    pub(super) async fn lipsync(&self, task: LipsyncTask) -> Result<LipsyncResult> {
        let started = Instant::now();
        let mut result = match self.made_before().await {
            Some(result) => result,
            None => self.make(&task).await?,
        };
        let upload = Instant::now();
        self.send(task.upload_url.as_ref(), &self.folder.file(OUTPUT)).await?;
        result.timing.upload_ms = upload.elapsed().as_millis() as u64;
        result.timing.total_ms = started.elapsed().as_millis() as u64;
        note_lipsync(&result);
        Ok(result)
    }

    /// Makes the video and keeps it.
    async fn make(&self, task: &LipsyncTask) -> Result<LipsyncResult> {
        let started = Instant::now();
        let sizes = &self.handler.sizes;
        let video = self.fetch(&task.video, ("video", "the video"), sizes.video).await?;
        let audio = self.fetch(&task.audio, ("audio", "the audio"), sizes.audio).await?;
        let characters = self.characters(&task.characters).await?;
        let download = started.elapsed();
        let output = self.folder.file(OUTPUT);
        let files = Files { video: &video, audio: &audio, output: &output };
        let specs: Vec<JobSpec> = engine_order(&task.options)
            .iter()
            .map(|engine| {
                job_spec(task, engine, &files, &characters, (&self.handler.media, self.handler.compute))
            })
            .collect();
        let (runners, observer) = (Arc::clone(&self.handler.runners), HandleObserver::new(self.handle));
        let checkpoints = Checkpoints::new(self.folder.file("checkpoints"));
        let made = self.blocking(move || make(&runners, &specs, &checkpoints, observer)).await;
        let (report, mut warnings) = made?;
        warnings.extend(not_applied(&task.options, &report.engine));
        let result = LipsyncResult {
            artifact: self.keep(&output).await?,
            faces: faces(&report.faces, &report.lines, &task.faces)?,
            output: OutputFacts {
                duration_ms: report.output.duration_ms,
                width: report.output.width,
                height: report.output.height,
                fps: report.output.fps,
                file_size_bytes: report.output.size_bytes,
            },
            timing: timing(&report, download),
            method_used: report.engine,
            cost_usd: cost_usd(self.handler.gpu_usd_per_hour, report.total_ms as f64 / 1000.0),
            warnings,
        };
        self.remember(&result).await?;
        Ok(result)
    }

    /// What an earlier try has made, when only sending it has failed.
    async fn made_before(&self) -> Option<LipsyncResult> {
        let (made, output) = (self.folder.file(MADE), self.folder.file(OUTPUT));
        let text = tokio::fs::read(made).await.ok()?;
        let result = serde_json::from_slice(&text).ok()?;
        tokio::fs::try_exists(output).await.ok()?.then_some(result)
    }

    /// Notes for a later try what was made.
    async fn remember(&self, result: &LipsyncResult) -> Result<()> {
        let (writing, made) = (self.folder.file("made.writing"), self.folder.file(MADE));
        let text = to_value(result)?.to_string();
        let written = async {
            tokio::fs::write(&writing, text).await?;
            tokio::fs::rename(&writing, &made).await
        };
        written.await.map_err(|source| Error::io("write what was made", source))
    }

    /// Puts a video where results are kept.
    pub(super) async fn keep(&self, output: &Path) -> Result<ArtifactKey> {
        self.handle.set_progress(JobProgress { stage: "store".to_owned(), done: 0, total: None });
        let key = ArtifactKey::new(Area::Jobs, &self.job.id.to_string(), &output_name(self.job.tries))?;
        let put = self.handler.files.put_file(&key, output, OUTPUT_TYPE);
        self.unless_stopped(put).await?;
        Ok(key)
    }

    /// Sends a video where the client wants it.
    pub(super) async fn send(&self, to: Option<&viseme_cloud::RemoteUrl>, output: &Path) -> Result<()> {
        let Some(url) = to else { return Ok(()) };
        self.handle.set_progress(JobProgress { stage: "upload".to_owned(), done: 0, total: None });
        self.unless_stopped(self.handler.client.put_file(url, output, OUTPUT_TYPE)).await
    }
}

/// What the video of a try is called where results are kept. A worker that has lost its job, and does not know it yet, cannot
/// write over what another has made.
fn output_name(tries: u32) -> String {
    if tries <= 1 { OUTPUT.to_owned() } else { format!("output-{tries}.mp4") }
}

/// What `seconds` of this machine cost.
pub(crate) fn cost_usd(usd_per_hour: f64, seconds: f64) -> f64 {
    usd_per_hour * seconds / 3600.0
}

/// Runs the first of `specs` whose engine can be used.
fn make(
    runners: &RunnerPool,
    specs: &[JobSpec],
    checkpoints: &Checkpoints,
    observer: HandleObserver,
) -> Result<(Report, Vec<Warning>)> {
    let mut specs = specs.iter().peekable();
    while let Some(spec) = specs.next() {
        let done = runners.with(spec, |runner| runner.run_resumable(spec, checkpoints, &observer));
        match (done, specs.peek()) {
            (Ok(report), _) => return Ok((report, observer.into_warnings())),
            (Err(error), Some(next)) if is_of_the_engine(&error) => {
                let (engine, next) = (&spec.engine.name, &next.engine.name);
                let message = format!("{engine} could not be used, {next} was: {error}");
                observer.warn(&Warning::new(WarningCode::FellBack, message));
            }
            (Err(error), _) => return Err(error),
        }
    }
    Err(Error::internal("a job without an engine"))
}

/// Whether another engine may do better.
fn is_of_the_engine(error: &Error) -> bool {
    use ErrorKind::{Internal, MissingTool, ModelMissing, Network, Remote, TimedOut, Unsupported};
    matches!(error.kind(), ModelMissing | MissingTool | Unsupported | Internal | Network | Remote | TimedOut)
}

/// How long it took to get the files and to make the video. Sending it comes later.
fn timing(report: &Report, download: Duration) -> Timing {
    let of = |stages: &[Stage]| stages.iter().filter_map(|stage| report.timings_ms.get(stage)).sum();
    Timing {
        download_ms: download.as_millis() as u64,
        detection_ms: of(&[Stage::Probe, Stage::Analyse]),
        lipsync_ms: of(&[Stage::Listen, Stage::Plan, Stage::Render]),
        enhancement_ms: of(&[Stage::Enhance]),
        encoding_ms: of(&[Stage::Mux]),
        ..Timing::default()
    }
}

/// What happened to each face. Those that the client gave by their boxes have the names that it gave them.
fn faces(report: &FacesReport, lines: &[LineReport], asked: &[FaceTask]) -> Result<Value> {
    let mut faces = to_value(report)?;
    for line in lines {
        if let Some(found) = &line.character_id {
            rename(&mut faces, found, &line.who);
        }
    }
    let names = |faces: &Value, name: &str| {
        let results = faces["results"].as_array().into_iter().flatten();
        results.into_iter().any(|result| result["character_id"] == name)
    };
    for face in asked {
        if !names(&faces, &face.character_id) {
            let absent = json!({
                "character_id": face.character_id, "success": false, "error_message": "not found in the video",
                "segments": [], "summary": { "total_ms": 0, "synced_ms": 0, "skipped_ms": 0 },
            });
            faces["results"].as_array_mut().into_iter().for_each(|results| results.push(absent.clone()));
        }
    }
    Ok(faces)
}

fn rename(faces: &mut Value, found: &str, asked: &str) {
    let is_taken = |result: &Value| result["character_id"] == asked;
    let Some(results) = faces["results"].as_array_mut() else { return };
    if found != asked && !asked.is_empty() && !results.iter().any(is_taken) {
        for result in results.iter_mut().filter(|result| result["character_id"] == found) {
            result["character_id"] = json!(asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(who: &str, found: Option<&str>) -> LineReport {
        LineReport {
            who: who.to_owned(),
            character_id: found.map(str::to_owned),
            audio: None,
            start_ms: 0,
            end_ms: 1000,
            success: found.is_some(),
            error_message: None,
        }
    }

    fn asked(id: &str) -> FaceTask {
        FaceTask {
            character_id: id.to_owned(),
            bbox: [0.0, 0.0, 9.0, 9.0],
            start_time_ms: None,
            end_time_ms: None,
        }
    }

    #[test]
    fn every_try_has_a_name_of_its_own_for_what_it_makes() {
        assert_eq!([1, 2, 3].map(output_name), ["output.mp4", "output-2.mp4", "output-3.mp4"]);
    }

    #[test]
    fn faces_have_the_names_that_the_client_gave_them() {
        let mut value = json!({ "results": [{ "character_id": "face_1" }, { "character_id": "face_2" }] });
        rename(&mut value, "face_1", "alice");
        rename(&mut value, "face_2", "alice");
        assert_eq!(value["results"][0]["character_id"], "alice");
        assert_eq!(value["results"][1]["character_id"], "face_2", "no two faces have one name");
    }

    #[test]
    fn a_face_that_is_not_there_is_said_to_be_missing() {
        let report = FacesReport::default();
        let faces = faces(&report, &[line("bob", None)], &[asked("bob")]).unwrap();
        assert_eq!(faces["results"][0]["character_id"], "bob");
        assert_eq!(faces["results"][0]["success"], false);
    }
}
