//! From who speaks when in the source to who speaks when in the output.

use super::Speaking;
use crate::analyse::Analysis;
use crate::people::People;
use crate::plan::{FacePlan, Plan};
use crate::ticks::Ticks;
use crate::times::FrameTimes;
use std::ops::Range;
use viseme_engines::VoiceId;
use viseme_face::segments::frame_states;

/// A turn in the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpeakerSpan {
    /// The position of the person among all people.
    pub(crate) person: usize,
    /// From when to when, in seconds from the start of the output.
    pub(crate) seconds: Range<f64>,
    /// The mean score of the turn of the source.
    pub(crate) score: f32,
    /// The source frame that its first frame shows.
    pub(crate) source: u64,
}

/// The turns of the output: they cover it without gap or overlap.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SpeakerSpans(pub(crate) Vec<SpeakerSpan>);

impl SpeakerSpans {
    /// Follows the output of `plan`, whose source has `times`: whoever speaks in the source frame that is shown speaks, in
    /// every round of a loop anew.
    pub(crate) fn new(speaking: &Speaking, plan: &Plan, times: &FrameTimes) -> Self {
        let ticks = Ticks::new(times);
        let mut spans: Vec<(usize, SpeakerSpan)> = Vec::new();
        for frame in plan.frames() {
            let Some(turn) = speaking.turn_at(ticks.of_source(frame.source.0)) else { continue };
            let end_s = plan.start_s(frame.output.0 + 1);
            match spans.last_mut() {
                Some((last, span)) if speaking.turns[*last].person == speaking.turns[turn].person => {
                    span.seconds.end = end_s;
                    *last = turn;
                }
                _ => {
                    let (person, score) = (speaking.turns[turn].person, speaking.turns[turn].score);
                    let seconds = frame.speech_s..end_s;
                    spans.push((turn, SpeakerSpan { person, seconds, score, source: frame.source.0 }));
                }
            }
        }
        Self(spans.into_iter().map(|(_, span)| span).collect())
    }

    /// The plans of the faces of those who speak, each while its person does, in order of appearance.
    pub(crate) fn faces(&self, analysis: &Analysis, people: &People) -> Vec<FacePlan> {
        let frames = 0..analysis.times.len() as u64;
        let mut faces = Vec::new();
        for (position, person) in people.all().iter().enumerate() {
            let tracks = person.tracks.iter().filter(|id| analysis.studied.contains(id));
            let tracks = tracks.filter_map(|&id| analysis.tracks.track(id));
            if self.of(position).next().is_none() {
                continue;
            }
            faces.extend(tracks.map(|track| {
                let face = FacePlan::new(track.id, &frame_states(track, frames.clone()));
                face.speaking(VoiceId::MAIN, self.of(position))
            }));
        }
        faces.sort_by_key(|face| face.track);
        faces
    }

    /// When a person speaks, in seconds from the start of the output.
    fn of(&self, person: usize) -> impl Iterator<Item = Range<f64>> {
        self.0.iter().filter(move |span| span.person == person).map(|span| span.seconds.clone())
    }
}
