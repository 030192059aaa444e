//! `viseme score`: how well the lips of a video follow its speech, and how good sound and picture are.

mod hearing;
mod report;
mod syncnet;
mod watching;

pub use report::{
    Missing, MissingReason, SCORE_VERSION, ScoreReport, SyncNetScore, SyncNetState, TrackScore,
};

use crate::analyse::{Analyst, check_face_number};
use crate::clip::{Clip, FileClip, TimeRange};
use crate::job::work_dir;
use crate::spec::check_is_file;
use crate::threads::guarded;
use hearing::{Heard, Sound, listen};
use report::{Findings, report};
use std::collections::BTreeMap;
use std::path::PathBuf;
use viseme_core::{Error, Limits, Observer, Result};
use viseme_face::{FaceChoice, FaceNets, TrackId, Weights, selection};
use viseme_media::{Tools, probe};
use viseme_models::{RtenRuntime, RuntimeRequest};
use watching::Watcher;

/// What to score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreSpec {
    /// The video.
    pub video: PathBuf,
    /// The speech that the lips should follow. None is the video's own sound.
    pub audio: Option<PathBuf>,
    /// Whose lips.
    pub face: FaceChoice,
    /// Which weights the face nets have.
    pub weights: Weights,
    /// What runs the models, and on what.
    pub runtime: RuntimeRequest,
    /// What the inputs may at most be.
    pub limits: Limits,
}

impl ScoreSpec {
    /// A video as it is, with defaults for all else.
    #[must_use]
    pub fn new(video: impl Into<PathBuf>) -> Self {
        Self {
            video: video.into(),
            audio: None,
            face: FaceChoice::default(),
            weights: Weights::default(),
            runtime: RuntimeRequest::default(),
            limits: Limits::default(),
        }
    }

    /// Checks everything that can be checked without opening the inputs.
    ///
    /// # Errors
    /// `NotFound` or `InvalidInput`.
    pub fn validate(&self) -> Result<()> {
        std::iter::once(&self.video).chain(&self.audio).try_for_each(|path| check_is_file(path))?;
        if self.face == FaceChoice::Nth(0) {
            return Err(Error::invalid_input("faces are counted from 1"));
        }
        Ok(())
    }
}

/// Scores a video. What cannot be measured is left out, with the reason in the report.
///
/// The video is read once, and once more for `SyncNet` where it is installed. Memory grows with the length of the sound
/// by 17 kB a second, and with that of each face by some 300 bytes a frame.
///
/// # Errors
/// When an input cannot be read, the video has no picture, `audio` has no sound, or there is no such face; `Cancelled`
/// when the observer said so.
pub fn score(spec: &ScoreSpec, observer: &dyn Observer) -> Result<ScoreReport> {
    spec.validate()?;
    let tools = Tools::locate()?;
    let nets = FaceNets::embedded(&RtenRuntime::default(), spec.weights)?;
    guarded("score", || Scoring { spec, tools: &tools, nets: &nets, observer }.run())
}

/// A score on its way.
struct Scoring<'a> {
    spec: &'a ScoreSpec,
    tools: &'a Tools,
    nets: &'a FaceNets,
    observer: &'a dyn Observer,
}

impl Scoring<'_> {
    fn run(&self) -> Result<ScoreReport> {
        let (spec, limits) = (self.spec, &self.spec.limits);
        let info = probe(self.tools, &spec.video, limits)?;
        let video = info.video.as_ref();
        let video =
            video.ok_or_else(|| Error::invalid_input(format!("{} has no picture", spec.video.display())))?;
        let sound = Sound::find(self.tools, spec, &info)?;
        let heard =
            sound.as_ref().map(|sound| listen(self.tools, sound, limits, self.observer)).transpose()?;
        let clip = FileClip::new(self.tools, &spec.video, &info, video, limits);
        let work_dir = work_dir(&std::env::temp_dir())?;
        let analyst = Analyst {
            clip: &clip,
            range: TimeRange::default(),
            nets: self.nets,
            choice: spec.face,
            limits,
            work_dir: work_dir.path(),
        };
        let mut watcher = Watcher::new(clip.info());
        let analysis = analyst.watch(&mut |_, frame, faces| watcher.see(frame, faces), self.observer)?;
        analysis.warnings.iter().for_each(|warning| self.observer.warn(warning));
        check_face_number(analysis.tracks.tracks(), spec.face)?;
        let chosen = selection::choose(analysis.tracks.tracks(), spec.face);
        let lead_s = sound.as_ref().map_or(0.0, |sound| sound.lead_s(&analysis));
        let syncnet = syncnet::Installed::find(spec.runtime);
        let syncnet_scores = match (&syncnet, &sound, clip.is_still()) {
            (Ok(nets), Some(sound), false) => {
                nets.score(self.tools, &clip, &analysis, &chosen, (sound, lead_s), limits, self.observer)?
            }
            _ => BTreeMap::new(),
        };
        Ok(report(&Findings {
            spec,
            clip: &clip,
            analysis: &analysis,
            chosen: &chosen,
            heard: heard.as_ref(),
            lead_s,
            watcher: &watcher,
            syncnet: syncnet.as_ref().err(),
            syncnet_scores: &syncnet_scores,
        }))
    }
}

/// What `SyncNet` said of each face.
type SyncNetScores = BTreeMap<TrackId, SyncNetScore>;

/// What was heard of the speech, where there was any.
type MaybeHeard<'a> = Option<&'a Heard>;
