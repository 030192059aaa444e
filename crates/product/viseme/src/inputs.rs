//! What the input files hold.

use crate::spec::JobSpec;
use viseme_core::{Error, Result};
use viseme_media::{AudioInfo, MediaInfo, Tools, VideoInfo, probe};

/// The inputs of a job.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The file with the picture.
    pub(crate) source: MediaInfo,
    /// Its picture.
    pub(crate) video: VideoInfo,
    /// The sound that the lips follow.
    pub(crate) speech: AudioInfo,
}

impl Inputs {
    /// Probes both files.
    ///
    /// # Errors
    /// As [`probe`], and `InvalidInput` for a video without picture or speech without sound.
    pub(crate) fn probe(tools: &Tools, spec: &JobSpec) -> Result<Self> {
        let source = probe(tools, &spec.video, &spec.limits)?;
        let video = source.video.clone().ok_or_else(|| {
            Error::invalid_input(format!("{} has no picture", spec.video.display()))
                .with_hint("The video comes first, the speech second.")
        })?;
        let sound = probe(tools, &spec.audio, &spec.limits)?;
        let speech = sound
            .default_audio()
            .cloned()
            .ok_or_else(|| Error::invalid_input(format!("{} has no sound", spec.audio.display())))?;
        Ok(Self { source, video, speech })
    }
}
