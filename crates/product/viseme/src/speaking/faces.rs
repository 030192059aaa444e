//! The faces that may speak.

use crate::analyse::{Analysis, CANDIDATE_AREA};
use crate::ticks::Ticks;
use viseme_core::FrameIndex;
use viseme_engines::speaking::{SceneFace, SeenFace};
use viseme_face::{FaceSummary, Track, TrackId, TrackStore};

/// Two faces are seen together for a good part of a clip when it is this share of the frames that show any …
const TOGETHER_SHARE: f64 = 0.3;
/// … and so long at least, in seconds.
const TOGETHER_S: f64 = 1.0;

/// The faces that may speak: in each tick those of at least half the area of the largest.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(super) faces: Vec<SceneFace>,
    tracks: Vec<TrackId>,
    /// For each face the ticks from its first on in which it is large enough.
    is_large: Vec<Vec<bool>>,
}

impl Candidates {
    /// The candidates among the tracks of a video.
    pub(super) fn of(tracks: &TrackStore, ticks: &Ticks<'_>) -> Self {
        let largest: Vec<f32> =
            (0..ticks.len()).map(|tick| largest(tracks.tracks(), FrameIndex(ticks.source(tick)))).collect();
        let mut all = Self { faces: Vec::new(), tracks: Vec::new(), is_large: Vec::new() };
        for track in tracks.tracks() {
            let seen: Vec<(u64, &FaceSummary)> = (0..ticks.len())
                .filter_map(|tick| Some((tick, track.summary(FrameIndex(ticks.source(tick)))?)))
                .collect();
            let is_large: Vec<bool> = seen
                .iter()
                .map(|(tick, face)| area(face) >= CANDIDATE_AREA * largest[*tick as usize])
                .collect();
            if !is_large.contains(&true) {
                continue;
            }
            let faces = seen.iter().map(|(_, face)| SeenFace { opening: face.opening, bbox: face.bbox });
            all.faces.push(SceneFace { first: seen[0].0 as usize, seen: faces.collect() });
            all.tracks.push(track.id);
            all.is_large.push(is_large);
        }
        all
    }

    /// What a person that is seen in `tracks` scores at each tick, from the scores of the faces; none where it is no
    /// candidate.
    pub(super) fn scores_of(
        &self,
        tracks: &[TrackId],
        scores: &[Vec<f32>],
        ticks: usize,
    ) -> Vec<Option<f32>> {
        let mut row = vec![None; ticks];
        for (face, id) in self.tracks.iter().enumerate() {
            if !tracks.contains(id) {
                continue;
            }
            let first = self.faces[face].first;
            for ((slot, score), is_large) in
                row.iter_mut().skip(first).zip(&scores[face]).zip(&self.is_large[face])
            {
                if *is_large {
                    *slot = Some(*score);
                }
            }
        }
        row
    }
}

/// Whether two faces of comparable size are seen together for a good part of a clip, so that somebody has to say which of
/// them speaks.
pub(crate) fn talk_together(analysis: &Analysis) -> bool {
    let tracks = analysis.tracks.tracks();
    if analysis.times.is_empty() || tracks.len() < 2 {
        return false;
    }
    let (mut together, mut seen) = (0_u64, 0_u64);
    for frame in 0..analysis.times.len() as u64 {
        let faces: Vec<&FaceSummary> =
            tracks.iter().filter_map(|track| track.summary(FrameIndex(frame))).collect();
        let largest = faces.iter().map(|face| area(face)).fold(0.0, f32::max);
        seen += u64::from(!faces.is_empty());
        let count = faces.iter().filter(|face| area(face) >= CANDIDATE_AREA * largest).count();
        together += u64::from(count >= 2);
    }
    let together = together as f64;
    let frame_s = analysis.times.length_s() / analysis.times.len() as f64;
    together >= TOGETHER_SHARE * seen as f64 && together * frame_s >= TOGETHER_S
}

fn largest(tracks: &[Track], frame: FrameIndex) -> f32 {
    tracks.iter().filter_map(|track| track.summary(frame)).map(area).fold(0.0, f32::max)
}

fn area(face: &FaceSummary) -> f32 {
    face.bbox.width * face.bbox.height
}
