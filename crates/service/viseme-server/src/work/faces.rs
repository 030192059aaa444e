//! Does a job that looks for faces.

use super::Work;
use super::observer::HandleObserver;
use super::result::{FaceFrame, FacesResult, SeenFace};
use super::spec::threshold;
use crate::tasks::FacesTask;
use serde::Deserialize;
use std::io::Write;
use viseme::{FacesSpec, faces};
use viseme_core::{Error, Result};
use viseme_media::{Tools, probe};

impl Work<'_> {
    /// Finds faces at some moments of a video.
    ///
    /// # Errors
    /// Whatever makes the job impossible.
    pub(super) async fn faces(&self, task: FacesTask) -> Result<FacesResult> {
        let video = self.fetch(&task.video, ("video", "the video"), self.handler.sizes.video).await?;
        let characters = self.characters(&task.characters).await?;
        let observer = HandleObserver::new(self.handle);
        let (limits, runtime) = (self.handler.media.clone(), self.handler.compute);
        let spec = FacesSpec {
            start_s: seconds(task.start_time_ms),
            end_s: seconds(task.end_time_ms),
            characters,
            similarity: threshold(task.similarity_threshold),
            limits,
            runtime,
            ..FacesSpec::new(video)
        };
        self.blocking(move || look(&task, &spec, observer)).await
    }
}

fn seconds(ms: Option<u64>) -> Option<f64> {
    ms.map(|ms| ms as f64 / 1000.0)
}

fn look(task: &FacesTask, spec: &FacesSpec, observer: HandleObserver) -> Result<FacesResult> {
    let info = probe(&Tools::locate()?, &spec.video, &spec.limits)?;
    let picture = info.video.ok_or_else(|| Error::invalid_input("the video has no picture"))?;
    let mut samples = Samples::new(task.sample_fps, task.start_time_ms.unwrap_or(0));
    let summary = faces(spec, &mut samples, &observer)?;
    Ok(FacesResult {
        frames: samples.frames,
        frame_width: picture.width,
        frame_height: picture.height,
        sample_fps: task.sample_fps,
        video_duration_ms: (info.duration_s * 1000.0).round() as u64,
        characters_detected: summary.characters_detected,
        warnings: observer.into_warnings(),
    })
}

/// Takes the lines that the library writes, and keeps those of the wanted moments.
#[derive(Debug)]
struct Samples {
    interval_ms: f64,
    /// When the range begins in the video: what is reported are times of the video.
    start_ms: u64,
    taken: u64,
    line: Vec<u8>,
    frames: Vec<FaceFrame>,
}

/// What is read of a line.
#[derive(Debug, Deserialize)]
struct Line {
    timestamp_ms: u64,
    faces: Vec<SeenFace>,
}

impl Samples {
    fn new(per_second: f64, start_ms: u64) -> Self {
        let (line, frames) = (Vec::new(), Vec::new());
        Self { interval_ms: 1000.0 / per_second, start_ms, taken: 0, line, frames }
    }

    /// Takes the first frame at or after each of the wanted moments; a frame stands for one of them alone.
    fn take(&mut self, line: Line) {
        let due_ms = self.interval_ms * self.taken as f64;
        if (line.timestamp_ms as f64) < due_ms.floor() {
            return;
        }
        self.taken = (line.timestamp_ms as f64 / self.interval_ms) as u64 + 1;
        self.frames.push(FaceFrame { timestamp_ms: self.start_ms + line.timestamp_ms, faces: line.faces });
    }
}

impl Write for Samples {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = serde_json::from_slice(&self.line)?;
                self.line.clear();
                self.take(line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(per_second: f64, frame_ms: &[u64]) -> Vec<u64> {
        let mut samples = Samples::new(per_second, 0);
        for ms in frame_ms {
            let line = format!("{{\"timestamp_ms\":{ms},\"faces\":[]}}\n");
            let (one, other) = line.as_bytes().split_at(5);
            samples.write_all(one).unwrap();
            samples.write_all(other).unwrap();
        }
        samples.frames.iter().map(|frame| frame.timestamp_ms).collect()
    }

    #[test]
    fn frames_are_taken_at_the_wanted_rate() {
        let at_25: Vec<u64> = (0..50).map(|frame| frame * 40).collect();
        assert_eq!(sampled(3.0, &at_25), [0, 360, 680, 1000, 1360, 1680]);
        assert_eq!(sampled(5.0, &at_25).len(), 10);
    }

    #[test]
    fn no_more_frames_are_taken_than_there_are() {
        let at_2 = [0, 500, 1000, 1500];
        assert_eq!(sampled(30.0, &at_2), at_2);
        // A gap does not ask for frames afterwards.
        assert_eq!(sampled(10.0, &[0, 40, 80, 5000, 5040, 5080, 5120]), [0, 5000, 5120]);
    }
}
