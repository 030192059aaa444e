//! Does a job that measures a video.

use super::observer::HandleObserver;
use super::result::ScoreResult;
use super::{Work, to_value};
use crate::tasks::ScoreTask;
use viseme::{ScoreSpec, score};
use viseme_core::Result;

impl Work<'_> {
    /// Measures a video.
    ///
    /// # Errors
    /// Whatever makes the job impossible.
    pub(super) async fn score(&self, task: ScoreTask) -> Result<ScoreResult> {
        let sizes = &self.handler.sizes;
        let video = self.fetch(&task.video, ("video", "the video"), sizes.video).await?;
        let audio = match &task.audio {
            Some(audio) => Some(self.fetch(audio, ("audio", "the audio"), sizes.audio).await?),
            None => None,
        };
        let (limits, runtime) = (self.handler.media.clone(), self.handler.compute);
        let spec = ScoreSpec { audio, limits, runtime, ..ScoreSpec::new(video) };
        let observer = HandleObserver::new(self.handle);
        let measured = self.blocking(move || score(&spec, &observer)).await?;
        let mut report = to_value(&measured)?;
        // Where the files lay is nobody's business.
        if let Some(report) = report.as_object_mut() {
            report.remove("video");
            report.remove("audio");
        }
        Ok(ScoreResult {
            sync_score: measured.sync_score,
            audio_quality: measured.audio_quality,
            video_quality: measured.video_quality,
            report,
        })
    }
}
