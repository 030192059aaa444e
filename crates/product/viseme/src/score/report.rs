//! What a score says, for people and machines.

use super::hearing::Heard;
use super::watching::Watcher;
use super::{MaybeHeard, ScoreSpec, SyncNetScores};
use crate::analyse::Analysis;
use crate::clip::FileClip;
use crate::report::InputFacts;
use crate::summary::input_facts;
use serde::Serialize;
use std::path::PathBuf;
use viseme_core::geometry::Rect;
use viseme_core::{Error, Warning};
use viseme_engines::metrics::face_meter::FaceMeasures;
use viseme_engines::metrics::picture::PictureMeasures;
use viseme_engines::metrics::scores::{audio_quality, face_quality, sync_score, video_quality};
use viseme_engines::metrics::sound::SoundMeasures;
use viseme_engines::metrics::sync_correlation::{SeenMouth, SyncCorrelation, sync_correlation};
use viseme_face::{Track, TrackId, Weights};

/// The version of the JSON form of [`ScoreReport`].
pub const SCORE_VERSION: u32 = 1;

/// Lips less visible than this are not compared with the speech.
const VISIBLE: f32 = 0.5;

/// How good a video is. What could not be measured is null; `missing` says why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreReport {
    /// [`SCORE_VERSION`].
    pub version: u32,
    /// The video.
    pub video: PathBuf,
    /// The speech, where it is not the video's own.
    pub audio: Option<PathBuf>,
    /// What the video is.
    pub input: InputFacts,
    /// Which weights the face nets had.
    pub weights: Weights,
    /// How well the lips of the chosen faces follow the speech, 0 to 1: our own measure.
    pub sync_score: Option<f64>,
    /// How well the speech can be heard, 0 to 1.
    pub audio_quality: Option<f64>,
    /// How good the picture and the chosen faces look, 0 to 1.
    pub video_quality: Option<f64>,
    /// What the sound is like.
    pub sound: Option<SoundMeasures>,
    /// What the picture is like.
    pub picture: Option<PictureMeasures>,
    /// The chosen faces, in order of appearance.
    pub tracks: Vec<TrackScore>,
    /// Whether `SyncNet` took part.
    pub syncnet: SyncNetState,
    /// Which scores are null, and why.
    pub missing: Vec<Missing>,
    /// What was wrong with the video.
    pub warnings: Vec<Warning>,
}

/// The score of one face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackScore {
    /// Its number in order of appearance, from 1.
    pub number: u32,
    /// Frames in which it was seen.
    pub frames: u64,
    /// Mean box over those frames, in pixels.
    pub mean_bbox: Rect,
    /// How its lips follow the speech. Null without enough of either.
    pub sync: Option<SyncCorrelation>,
    /// What `SyncNet` says. Null when it is not installed, and for a face of less than four seconds.
    pub syncnet: Option<SyncNetScore>,
    /// How it looks.
    pub face: FaceMeasures,
}

/// What `SyncNet` says of a face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SyncNetScore {
    /// LSE-C, the confidence: higher is better.
    pub lse_c: f64,
    /// LSE-D, the distance: lower is better.
    pub lse_d: f64,
    /// Frames of 25 a second; above 0 the mouth is late.
    pub offset_frames: i32,
    /// Windows that were compared.
    pub windows: u64,
}

/// Whether `SyncNet` took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncNetState {
    /// Whether it could be used.
    pub installed: bool,
    /// Why not, when not.
    pub message: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// A score that could not be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The field of the report.
    pub field: &'static str,
    /// Why, for machines.
    pub reason: MissingReason,
    /// Why, for people.
    pub message: String,
}

/// Why a score could not be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingReason {
    /// The video has no sound.
    NoSound,
    /// There is not half a second of voice in the sound.
    NoSpeech,
    /// There is no face.
    NoFace,
    /// No face is seen for a second with its lips uncovered, while there is sound.
    TooShort,
}

/// What was found out about a video.
pub(super) struct Findings<'a> {
    pub(super) spec: &'a ScoreSpec,
    pub(super) clip: &'a FileClip<'a>,
    pub(super) analysis: &'a Analysis,
    pub(super) chosen: &'a [TrackId],
    pub(super) heard: MaybeHeard<'a>,
    /// The moment of the sound at which the first frame is shown.
    pub(super) lead_s: f64,
    pub(super) watcher: &'a Watcher,
    /// Why `SyncNet` took no part.
    pub(super) syncnet: Option<&'a Error>,
    pub(super) syncnet_scores: &'a SyncNetScores,
}

/// Puts the report together.
pub(super) fn report(findings: &Findings<'_>) -> ScoreReport {
    let tracks: Vec<TrackScore> = findings
        .chosen
        .iter()
        .filter_map(|&id| findings.analysis.tracks.track(id))
        .map(|track| findings.track(track))
        .collect();
    let sync = mean(&tracks, |track| track.sync.as_ref().map(sync_score));
    let audio = findings.heard.and_then(|heard| audio_quality(&heard.sound));
    let picture = findings.watcher.picture();
    let faces = mean(&tracks, |track| face_quality(&track.face));
    let mut missing = Vec::new();
    if sync.is_none() {
        missing.push(findings.missing("sync_score"));
    }
    if audio.is_none() {
        missing.push(findings.missing("audio_quality"));
    }
    ScoreReport {
        version: SCORE_VERSION,
        video: findings.spec.video.clone(),
        audio: findings.spec.audio.clone(),
        input: input_facts(findings.clip, findings.analysis),
        weights: findings.spec.weights,
        sync_score: sync,
        audio_quality: audio,
        video_quality: picture.as_ref().map(|picture| video_quality(picture, faces)),
        sound: findings.heard.map(|heard| heard.sound),
        picture,
        tracks,
        syncnet: SyncNetState {
            installed: findings.syncnet.is_none(),
            message: findings.syncnet.map(ToString::to_string),
            remedy: findings.syncnet.and_then(Error::hint).map(str::to_owned),
        },
        missing,
        warnings: findings.analysis.warnings.clone(),
    }
}

/// The mean over the tracks that have a value, each weighing as much as it has frames.
fn mean(tracks: &[TrackScore], value: impl Fn(&TrackScore) -> Option<f64>) -> Option<f64> {
    let weighted = tracks.iter().filter_map(|track| Some((value(track)?, track.frames as f64)));
    let (sum, weight) = weighted.fold((0.0, 0.0), |(sum, all), (value, w)| (sum + value * w, all + w));
    (weight > 0.0).then(|| sum / weight)
}

impl Findings<'_> {
    fn track(&self, track: &Track) -> TrackScore {
        TrackScore {
            number: track.id.0 + 1,
            frames: track.seen().count() as u64,
            mean_bbox: track.mean_bbox(),
            sync: self.heard.and_then(|heard| sync_correlation(&self.mouth(track), &heard.mouth)),
            syncnet: self.syncnet_scores.get(&track.id).copied(),
            face: self.watcher.face(track.id),
        }
    }

    /// The mouth of a face in the frames in which its lips are seen, on the clock of the sound.
    fn mouth(&self, track: &Track) -> Vec<SeenMouth> {
        let times = &self.analysis.times;
        let seen = track.seen().filter(|(_, face)| face.mouth_visible >= VISIBLE);
        seen.map(|(frame, face)| SeenMouth {
            time_s: times.seconds(times.start(frame.0 as usize)) + self.lead_s,
            opening: face.opening,
        })
        .collect()
    }

    /// Why a score that needs the sound, or sound and face, is not there.
    fn missing(&self, field: &'static str) -> Missing {
        let has_voice = |heard: &Heard| heard.mouth.voiced_s() >= 0.5;
        let (reason, message) = match self.heard {
            None => (MissingReason::NoSound, "the video has no sound"),
            Some(heard) if !has_voice(heard) => (MissingReason::NoSpeech, "there is no speech in the sound"),
            Some(_) if self.chosen.is_empty() => (MissingReason::NoFace, "there is no face in the video"),
            Some(_) => (MissingReason::TooShort, "no face speaks for as long as a second"),
        };
        Missing { field, reason, message: message.to_owned() }
    }
}
