//! What the input files hold.

use crate::spec::JobSpec;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Result};
use viseme_media::{AudioInfo, MediaInfo, Tools, VideoInfo, probe};

/// The inputs of a job.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The file with the picture.
    pub(crate) source: MediaInfo,
    /// Its picture.
    pub(crate) video: VideoInfo,
    /// The sound of every other file.
    sounds: BTreeMap<PathBuf, AudioInfo>,
}

impl Inputs {
    /// Probes all files, each once.
    ///
    /// # Errors
    /// As [`probe`], and `InvalidInput` for a video without picture or a speech without sound.
    pub(crate) fn probe(tools: &Tools, spec: &JobSpec) -> Result<Self> {
        let source = probe(tools, &spec.video, &spec.limits)?;
        let video = source.video.clone().ok_or_else(|| {
            Error::invalid_input(format!("{} has no picture", spec.video.display()))
                .with_hint("The video comes first, the speech second.")
        })?;
        let mut sounds = BTreeMap::new();
        for path in spec.sounds() {
            if !sounds.contains_key(path) {
                let sound = probe(tools, path, &spec.limits)?;
                let audio = sound
                    .default_audio()
                    .cloned()
                    .ok_or_else(|| Error::invalid_input(format!("{} has no sound", path.display())))?;
                sounds.insert(path.clone(), audio);
            }
        }
        Ok(Self { source, video, sounds })
    }

    /// The sound of a file.
    ///
    /// # Errors
    /// `Internal` when it is none of the job's.
    pub(crate) fn sound(&self, path: &Path) -> Result<&AudioInfo> {
        let unknown = || Error::internal(format!("{} was never probed", path.display()));
        self.sounds.get(path).ok_or_else(unknown)
    }
}
