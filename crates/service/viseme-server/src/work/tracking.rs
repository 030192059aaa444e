//! Does a job that draws the faces it follows.

use super::Work;
use super::observer::HandleObserver;
use super::result::TrackingResult;
use super::spec::threshold;
use crate::tasks::TrackingTask;
use std::path::Path;
use std::time::Instant;
use viseme::{DEFAULT_SMOOTHING, FacesSpec, FacesSummary, faces};
use viseme_core::{Result, Warning};
use viseme_media::{Tools, probe};

impl Work<'_> {
    /// Follows faces, draws them on the video, keeps it and sends it where the client wants it.
    ///
    /// # Errors
    /// Whatever makes the job impossible.
    pub(super) async fn tracking(&self, task: TrackingTask) -> Result<TrackingResult> {
        let started = Instant::now();
        let video = self.fetch(&task.video, ("video", "the video"), self.handler.sizes.video).await?;
        let output = self.folder.file("tracked.mp4");
        let spec = FacesSpec {
            characters: self.characters(&task.characters).await?,
            similarity: threshold(task.similarity_threshold),
            preview: Some(output.clone()),
            smoothing: task.temporal_smoothing.unwrap_or(DEFAULT_SMOOTHING),
            limits: self.handler.media.clone(),
            runtime: self.handler.compute,
            ..FacesSpec::new(video)
        };
        let observer = HandleObserver::new(self.handle);
        let (summary, fps, warnings) = self.blocking(move || draw(&spec, observer)).await?;
        let artifact = self.keep(&output).await?;
        self.send(task.upload_url.as_ref(), &output).await?;
        Ok(TrackingResult {
            artifact,
            character_colors: summary.character_colors,
            frame_count: summary.frames,
            fps,
            total_ms: started.elapsed().as_millis() as u64,
            warnings,
        })
    }
}

fn draw(spec: &FacesSpec, observer: HandleObserver) -> Result<(FacesSummary, f64, Vec<Warning>)> {
    let summary = faces(spec, &mut std::io::sink(), &observer)?;
    let fps = rate(spec.preview.as_deref().unwrap_or(&spec.video), summary.frames, &spec.limits)?;
    Ok((summary, fps, observer.into_warnings()))
}

/// Mean frames per second of a video of `frames` frames.
fn rate(video: &Path, frames: u64, limits: &viseme_core::Limits) -> Result<f64> {
    let info = probe(&Tools::locate()?, video, limits)?;
    Ok(if info.duration_s > 0.0 { frames as f64 / info.duration_s } else { 0.0 })
}
