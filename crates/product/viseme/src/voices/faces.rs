//! The faces that speak: those of the lines, and those that speak the speech of the job.

use super::{Heard, Role};
use crate::job::Seen;
use crate::plan::FacePlan;
use crate::speakers::Speakers;
use crate::speaking::SpeakerSpans;
use crate::spec::JobSpec;
use viseme_core::Result;
use viseme_face::{TrackId, segments};

/// What happens to each face that speaks, in order of appearance. `turns` are those of faces that speak in turns.
///
/// # Errors
/// `InvalidInput` for a face that was asked for and is not in the video.
pub(crate) fn speaking_faces(
    spec: &JobSpec,
    seen: &Seen<'_>,
    roles: &[Role],
    heard: &Heard,
    turns: Option<&SpeakerSpans>,
) -> Result<Vec<FacePlan>> {
    let Seen { analysis, people, .. } = *seen;
    let frames = 0..analysis.times.len() as u64;
    let plan = |&id: &TrackId| {
        let track = analysis.tracks.track(id).filter(|_| analysis.studied.contains(&id))?;
        Some(FacePlan::new(id, &segments::frame_states(track, frames.clone())))
    };
    let mut faces = Vec::new();
    for role in roles {
        let spans = role.spans(&spec.say, &heard.lines_s);
        let plans = role.tracks.iter().filter_map(plan);
        faces.extend(plans.map(|face| face.speaking(role.voice, spans.clone())));
    }
    if has_main_speakers(spec) {
        let has_no_lines = |id: TrackId| !roles.iter().any(|role| role.tracks.contains(&id));
        if let Some(turns) = turns {
            faces.extend(turns.faces(analysis, people).into_iter().filter(|face| has_no_lines(face.track)));
        } else {
            let chosen = people.choose(&spec.face, analysis.tracks.tracks(), has_no_lines)?;
            faces.extend(chosen.iter().filter_map(plan));
        }
    }
    faces.sort_by_key(|face| face.track);
    Ok(faces)
}

/// Whether anybody speaks the speech of a job without a line that says so. Lines may say who does, and when; then nobody
/// else does unless the job names somebody.
fn has_main_speakers(spec: &JobSpec) -> bool {
    let is_cast = spec.say.iter().any(|line| line.audio.is_none());
    spec.audio.is_some() && !(is_cast && spec.face == Speakers::Auto)
}
