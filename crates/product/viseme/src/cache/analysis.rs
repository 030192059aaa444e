//! The first pass over a video, or what an earlier job has kept of it.

use super::key::{Instruments, Key, KeyParts, content, key};
use super::{AnalysisCache, CacheUse};
use crate::analyse::{Analysis, Analyst};
use crate::people::{LikenessIndex, Likenesses};
use crate::times::FrameTimes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use viseme_core::{Error, ErrorKind, FrameIndex, Observer, Progress, Result, Stage, Warning, WarningCode};
use viseme_engines::{EngineJob, LocalEngine};
use viseme_face::{TrackId, TrackStore, packed};
use viseme_models::Digest;

/// Name of the file with all but the tracks and what the engine has studied.
const FILE_NAME: &str = "analysis.bin";

/// All of an [`Analysis`] but its tracks.
#[derive(Debug, Serialize, Deserialize)]
struct SavedAnalysis {
    first: FrameIndex,
    times: FrameTimes,
    studied: BTreeSet<TrackId>,
    likenesses: LikenessIndex,
    warnings: Vec<Warning>,
}

/// What a job asks the cache with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The cache; none when the job is to do without.
    pub(crate) cache: Option<&'a AnalysisCache>,
    /// The nets that look at the video.
    pub(crate) instruments: &'a Instruments,
    /// The engine that studies it.
    pub(crate) engine: &'a dyn LocalEngine,
    /// ffmpeg's version.
    pub(crate) decoder: &'a str,
    /// The video's file.
    pub(crate) video: &'a Path,
}

impl Asked<'_> {
    /// The key of what `analyst` would find, with the hash of the video; `None` when it cannot be kept.
    fn key(&self, analyst: &Analyst<'_>, step: impl Fn() -> Result<()>) -> Result<Option<(Key, Digest)>> {
        let Some(study) = self.engine.study_key() else { return Ok(None) };
        let Some(content) = content(self.video, step)? else { return Ok(None) };
        let parts = KeyParts {
            content,
            stream: analyst.clip.info(),
            is_still: analyst.clip.is_still(),
            range_s: (analyst.range.start_s, analyst.range.end_s),
            decoder: self.decoder,
            choice: analyst.choice,
            limits: analyst.limits,
            engine: (self.engine.info().name, study),
        };
        Ok(key(&parts, self.instruments).map(|key| (key, content)))
    }
}

/// Looks at the video as [`Analyst::analyse`] does, or takes what the cache has of it.
///
/// What the cache cannot keep is told as a warning of the analysis: the job does not need it.
///
/// # Errors
/// As [`Analyst::analyse`].
pub(crate) fn analyse(
    asked: &Asked<'_>,
    analyst: &Analyst<'_>,
    engine: &mut dyn EngineJob,
    observer: &dyn Observer,
) -> Result<(Analysis, CacheUse)> {
    let step = || if observer.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) };
    let slot = match asked.cache {
        Some(cache) => asked.key(analyst, step)?.map(|(key, content)| (cache, key, content)),
        None => None,
    };
    let Some((cache, key, before)) = slot else {
        return Ok((analyst.analyse(Some(engine), observer)?, CacheUse::Off));
    };
    if let Some(analysis) = cache.store.find(&key).and_then(|folder| restore(&folder, engine).ok()) {
        let frames = analysis.times.len() as u64;
        observer.progress(Progress { stage: Stage::Analyse, done: frames, total: Some(frames) });
        return Ok((analysis, CacheUse::Hit));
    }
    let mut analysis = analyst.analyse(Some(engine), observer)?;
    // A file that was changed meanwhile is not what was looked at.
    if content(asked.video, step)? == Some(before)
        && let Err(error) = cache.store.keep(&key, |folder| save(&analysis, engine, folder))
    {
        if error.kind() == ErrorKind::Cancelled {
            return Err(error);
        }
        let message = format!("the analysis is not kept for the next speech on this video: {error}");
        analysis.warnings.push(Warning::new(WarningCode::NotCached, message));
    }
    Ok((analysis, CacheUse::Miss))
}

fn save(analysis: &Analysis, engine: &mut dyn EngineJob, folder: &Path) -> Result<()> {
    let Analysis { first, times, tracks, likenesses, studied, warnings } = analysis;
    tracks.save(folder)?;
    engine.save_study(folder)?;
    let saved = SavedAnalysis {
        first: *first,
        times: times.clone(),
        studied: studied.clone(),
        likenesses: likenesses.save(folder)?,
        warnings: warnings.clone(),
    };
    packed::write(&folder.join(FILE_NAME), &saved)
}

fn restore(folder: &Path, engine: &mut dyn EngineJob) -> Result<Analysis> {
    let saved: SavedAnalysis = packed::read(&folder.join(FILE_NAME))?;
    let tracks = TrackStore::restore(folder)?;
    engine.restore_study(folder)?;
    let SavedAnalysis { first, times, studied, likenesses, warnings } = saved;
    let likenesses = Likenesses::restore(folder, likenesses)?;
    Ok(Analysis { first, times, tracks, likenesses, studied, warnings })
}
