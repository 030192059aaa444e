//! What the input files hold.

use crate::spec::JobSpec;
use crate::threads::in_parallel;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use viseme_core::{Error, Limits, Result};
use viseme_media::{AudioInfo, AudioReader, MediaInfo, Tools, VideoInfo, probe};

/// The inputs of a job.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The file with the picture.
    pub(crate) source: MediaInfo,
    /// Its picture.
    pub(crate) video: VideoInfo,
    /// The sound of every other file.
    sounds: BTreeMap<PathBuf, AudioInfo>,
    /// Sound that is being decoded already.
    ahead: Mutex<Option<Ahead>>,
}

/// A sound that is decoded, as far as there is room for it, before somebody hears it.
#[derive(Debug)]
struct Ahead {
    path: PathBuf,
    rate_hz: u32,
    reader: AudioReader,
}

impl Inputs {
    /// Probes all files, each once, a few at a time.
    ///
    /// # Errors
    /// As [`probe`], and `InvalidInput` for a video without picture or a speech without sound.
    pub(crate) fn probe(tools: &Tools, spec: &JobSpec) -> Result<Self> {
        let mut paths = vec![&spec.video];
        for path in spec.sounds() {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let found = in_parallel("probe", &paths, |path| probe(tools, path, &spec.limits))?;
        let files: BTreeMap<&PathBuf, MediaInfo> = paths.into_iter().zip(found).collect();
        let source = files.get(&spec.video).cloned();
        let source = source.ok_or_else(|| Error::internal("the video was never probed"))?;
        let video = source.video.clone().ok_or_else(|| {
            Error::invalid_input(format!("{} has no picture", spec.video.display()))
                .with_hint("The video comes first, the speech second.")
        })?;
        let mut sounds = BTreeMap::new();
        for path in spec.sounds() {
            let audio = files.get(path).and_then(MediaInfo::default_audio);
            let audio = audio.ok_or_else(|| Error::invalid_input(format!("{} has no sound", path.display())));
            sounds.insert(path.clone(), audio?.clone());
        }
        Ok(Self { source, video, sounds, ahead: Mutex::default() })
    }

    /// The sound of a file.
    ///
    /// # Errors
    /// `Internal` when it is none of the job's.
    pub(crate) fn sound(&self, path: &Path) -> Result<&AudioInfo> {
        let unknown = || Error::internal(format!("{} was never probed", path.display()));
        self.sounds.get(path).ok_or_else(unknown)
    }

    /// Starts to decode the sound of `path`, which will be [heard](Self::hear) at this rate: a decoder takes a tenth of a second to
    /// start, in which other work can be done.
    ///
    /// # Errors
    /// As [`hear`](Self::hear).
    pub(crate) fn hear_soon(&self, tools: &Tools, path: &Path, rate_hz: u32, limits: &Limits) -> Result<()> {
        let reader = AudioReader::open_stream(tools, path, self.sound(path)?, rate_hz, limits)?;
        *self.lock() = Some(Ahead { path: path.to_owned(), rate_hz, reader });
        Ok(())
    }

    /// The sound of `path` from its start, at so many samples per second.
    ///
    /// # Errors
    /// `Internal` when it is none of the job's; when the decoder cannot be started.
    pub(crate) fn hear(
        &self,
        tools: &Tools,
        path: &Path,
        rate_hz: u32,
        limits: &Limits,
    ) -> Result<AudioReader> {
        match self.lock().take().filter(|ahead| ahead.path == path && ahead.rate_hz == rate_hz) {
            Some(Ahead { reader, .. }) => Ok(reader),
            None => AudioReader::open_stream(tools, path, self.sound(path)?, rate_hz, limits),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ahead>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
