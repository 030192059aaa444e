//! What happened to each person: the `faces` of a report.

use super::{Character, People, Person};
use crate::plan::FacePlan;
use crate::report::TrackSummary;
use crate::summary::Facts;
use serde::Serialize;
use viseme_core::segment::Segment;
use viseme_face::{Track, TrackId, segments};

/// What happened to each person that was seen or asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FacesReport {
    /// Different people who were seen.
    pub total_detected: u64,
    /// Of `results`, those whose lips were moved.
    pub processed: u64,
    /// People who were seen and not asked for.
    pub unknown: u64,
    /// Every character of the job, seen or not, and whoever else's lips were to move.
    pub results: Vec<FaceResult>,
    /// Everybody else, in order of appearance.
    pub unknown_faces: Vec<UnknownFace>,
}

/// What happened to a person that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaceResult {
    /// The id of the character, or `face_1`, `face_2`, …
    pub character_id: String,
    /// Whether the lips were moved in any frame.
    pub success: bool,
    /// Why not.
    pub error_message: Option<String>,
    /// What happened over the output, without gap or overlap. Where the person could have been synced and was not to
    /// be, a segment is not `synced` and has no `skip_reason`.
    pub segments: Vec<Segment>,
    /// Sums over the segments.
    pub summary: TrackSummary,
}

/// A person that nobody asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnknownFace {
    /// `face_1`, `face_2`, …
    pub character_id: String,
    /// As in [`FaceResult::segments`]; none of them is `synced`.
    pub segments: Vec<Segment>,
}

impl FacesReport {
    /// What a job that has met `facts` did to the people of the video.
    pub(crate) fn new(characters: &[Character], people: &People, facts: &Facts<'_>) -> Self {
        let absent = characters.iter().filter(|character| people.named(&character.id).is_none());
        let absent = absent.map(|character| FaceResult::absent(&character.id, facts));
        let is_chosen = |track: &TrackId| facts.plan.faces().iter().any(|face| face.track == *track);
        let (mut results, mut unknown_faces) = (Vec::new(), Vec::new());
        for person in people.all() {
            let is_chosen = person.tracks.iter().any(is_chosen);
            let segments = segments_of(person, facts);
            if is_chosen || person.is_character {
                results.push(FaceResult::of(person, is_chosen, segments));
            } else {
                unknown_faces.push(UnknownFace { character_id: person.id.clone(), segments });
            }
        }
        results.extend(absent);
        let position = |result: &FaceResult| characters.iter().position(|c| c.id == result.character_id);
        results.sort_by_key(|result| position(result).unwrap_or(characters.len()));
        Self {
            total_detected: people.all().len() as u64,
            processed: results.iter().filter(|result| result.success).count() as u64,
            unknown: unknown_faces.len() as u64,
            results,
            unknown_faces,
        }
    }
}

impl FaceResult {
    fn of(person: &Person, is_chosen: bool, segments: Vec<Segment>) -> Self {
        let success = segments.iter().any(|segment| segment.synced);
        let why =
            if is_chosen { "never fit to be synced: the segments say why" } else { "not chosen to speak" };
        Self {
            character_id: person.id.clone(),
            success,
            error_message: (!success).then(|| why.to_owned()),
            summary: TrackSummary::of(&segments),
            segments,
        }
    }

    fn absent(id: &str, facts: &Facts<'_>) -> Self {
        let segments = facts.segments(|_| (FacePlan::absent(), None));
        Self {
            character_id: id.to_owned(),
            success: false,
            error_message: Some("not found in the video".to_owned()),
            summary: TrackSummary::of(&segments),
            segments,
        }
    }
}

/// What happened to a person over the output.
fn segments_of(person: &Person, facts: &Facts<'_>) -> Vec<Segment> {
    let frames = 0..facts.analysis.times.len() as u64;
    let plan = |track: &Track| match facts.plan.faces().iter().find(|face| face.track == track.id) {
        Some(face) => face.clone(),
        // Outside of a plan nobody has a turn to speak.
        None => FacePlan::new(track.id, &segments::frame_states(track, frames.clone())),
    };
    let tracks = person.tracks.iter().filter_map(|&track| facts.analysis.tracks.track(track));
    let mut shots: Vec<(&Track, FacePlan)> = tracks.map(|track| (track, plan(track))).collect();
    shots.sort_by_key(|(track, _)| track.first);
    facts.segments(|frame| {
        let after = shots.partition_point(|(track, _)| track.first <= frame.source);
        let shot = after.checked_sub(1).map(|position| &shots[position]);
        shot.map_or((FacePlan::absent(), None), |(track, plan)| {
            (plan.state(frame), track.summary(frame.source))
        })
    })
}
