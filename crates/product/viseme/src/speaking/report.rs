//! Who was taken for the speaker: the `speakers` of a report.

use super::{SpeakerSpans, Speaking};
use crate::analyse::Analysis;
use crate::people::People;
use crate::summary::milliseconds;
use serde::Serialize;
use viseme_core::FrameIndex;

/// Who was taken for the speaker, and what told it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeakersReport {
    /// What told it: `lr_asd` or `native`.
    pub sense: String,
    /// Which sound it heard.
    pub heard: HeardFrom,
    /// The turns of the output, without gap or overlap. A pause belongs to the turns around it.
    pub turns: Vec<SpeakerTurnReport>,
}

/// The sound that says who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardFrom {
    /// The video's own.
    Original,
    /// The new speech, of a video without sound: the motion of the mouths is all that was compared.
    Speech,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeakerTurnReport {
    /// When it starts, in milliseconds from the start of the output.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// Who: the id of a character, or `face_1`, `face_2`, …
    pub character_id: String,
    /// The number of the track that is seen when it starts, or of the next that is. None when there is none.
    pub number: Option<u32>,
    /// How likely the person is the one who is heard, on average where there is voice: above 0 rather so. Only comparable
    /// within one sense.
    pub score: f32,
}

impl SpeakersReport {
    pub(crate) fn new(
        speaking: &Speaking,
        spans: &SpeakerSpans,
        people: &People,
        analysis: &Analysis,
    ) -> Self {
        let turns = spans.0.iter().filter_map(|span| {
            let person = people.all().get(span.person)?;
            let tracks = person.tracks.iter().filter_map(|&id| analysis.tracks.track(id));
            let is_ahead = |track: &&viseme_face::Track| track.frames().end > span.source;
            let track = tracks.filter(is_ahead).min_by_key(|track| track.first.max(FrameIndex(span.source)));
            Some(SpeakerTurnReport {
                start_ms: milliseconds(span.seconds.start),
                end_ms: milliseconds(span.seconds.end),
                character_id: person.id.clone(),
                number: track.map(|track| track.id.0 + 1),
                score: span.score,
            })
        });
        Self { sense: speaking.sense.to_owned(), heard: speaking.from, turns: turns.collect() }
    }
}
