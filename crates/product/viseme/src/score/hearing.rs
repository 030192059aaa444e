//! The sound of a video that is scored.

use super::ScoreSpec;
use crate::analyse::Analysis;
use std::path::PathBuf;
use viseme_core::{Error, Limits, Observer, Progress, Result, Stage};
use viseme_engines::ExpectedMouth;
use viseme_engines::metrics::sound::{SoundMeasures, SoundMeter};
use viseme_media::{AudioInfo, AudioReader, MediaInfo, Tools, probe};
use viseme_models::RtenRuntime;

/// Sounds are heard at their own rate, but at no more than this: above it is nothing to be measured.
const MOST_HZ: u32 = 48_000;
/// And at no less, so that the filters have room.
const LEAST_HZ: u32 = 8_000;

/// Where the speech is.
#[derive(Debug)]
pub(super) struct Sound {
    path: PathBuf,
    audio: AudioInfo,
    /// Whether it is the video's own, on the clock of the video.
    is_own: bool,
}

/// What was heard.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) sound: SoundMeasures,
    pub(super) mouth: ExpectedMouth,
}

impl Sound {
    /// The sound that `spec` names, `video` being the probe of its video. `None` for a video without sound.
    ///
    /// # Errors
    /// When a sound that was named cannot be read or is none.
    pub(super) fn find(tools: &Tools, spec: &ScoreSpec, video: &MediaInfo) -> Result<Option<Self>> {
        let Some(path) = &spec.audio else {
            let audio = video.default_audio().cloned();
            return Ok(audio.map(|audio| Self { path: spec.video.clone(), audio, is_own: true }));
        };
        let info = probe(tools, path, &spec.limits)?;
        let audio = info.default_audio().cloned();
        let audio = audio.ok_or_else(|| Error::invalid_input(format!("{} has no sound", path.display())))?;
        Ok(Some(Self { path: path.clone(), audio, is_own: false }))
    }

    /// The moment of the sound at which the first frame is shown, in seconds: a sound of its own starts with the video.
    pub(super) fn lead_s(&self, analysis: &Analysis) -> f64 {
        if self.is_own { analysis.times.seconds(analysis.times.origin().0) } else { 0.0 }
    }

    /// Opens it at a sample rate in Hz.
    pub(super) fn open(&self, tools: &Tools, rate_hz: u32, limits: &Limits) -> Result<AudioReader> {
        AudioReader::open_stream(tools, &self.path, &self.audio, rate_hz, limits)
    }
}

/// Hears the whole sound.
///
/// # Errors
/// When it cannot be decoded; `Cancelled`.
pub(super) fn listen(
    tools: &Tools,
    sound: &Sound,
    limits: &Limits,
    observer: &dyn Observer,
) -> Result<Heard> {
    let rate_hz = sound.audio.sample_rate_hz.clamp(LEAST_HZ, MOST_HZ);
    let mut reader = sound.open(tools, rate_hz, limits)?;
    let mut meter = SoundMeter::new(rate_hz)?;
    observer.progress(Progress { stage: Stage::Listen, done: 0, total: None });
    while let Some(chunk) = reader.next_chunk()? {
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        meter.push(&chunk)?;
    }
    let (sound, frames) = meter.finish()?;
    let mouth = ExpectedMouth::of_speech(&frames, &RtenRuntime::default())?;
    Ok(Heard { sound, mouth })
}
