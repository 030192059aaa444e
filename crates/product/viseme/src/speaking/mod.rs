//! Who speaks when, learnt from the original picture and its original sound: the new speech is made to fit it, so whoever
//! spoke then speaks now. A video without sound leaves the motion of the mouths, and the voice of the new speech.

mod faces;
mod in_job;
mod listening;
mod pictures;
mod report;
mod senses;
mod spans;

pub(crate) use faces::talk_together;
pub(crate) use listening::{Heard, hear};
pub use report::{HeardFrom, SpeakerTurnReport, SpeakersReport};
pub(crate) use senses::Senses;
pub use senses::SpeakerSenseChoice;
pub(crate) use spans::SpeakerSpans;

use crate::analyse::Analysis;
use crate::clip::{Clip, TimeRange};
use crate::people::{People, Person};
use crate::ticks::Ticks;
use faces::Candidates;
use pictures::Pictures;
use viseme_core::{Observer, Result};
use viseme_engines::speaking::turns::{SpeakerTurn, speaker_turns};
use viseme_engines::speaking::{Scene, SpeakerSense};

/// Who speaks when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Speaking {
    /// What told it.
    sense: &'static str,
    /// What was heard.
    from: HeardFrom,
    /// The turns in ticks of the source, with the position of the person among all people.
    turns: Vec<SpeakerTurn>,
    /// In which ticks there is voice.
    voice: Vec<bool>,
}

/// A video in which somebody speaks.
#[derive(Clone, Copy)]
pub(crate) struct Talk<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) range: TimeRange,
    pub(crate) analysis: &'a Analysis,
    pub(crate) people: &'a People,
    pub(crate) observer: &'a dyn Observer,
}

impl Talk<'_> {
    /// Says who speaks when. Pictures are decoded once more where `sense` looks at them.
    ///
    /// # Errors
    /// When the video cannot be decoded or a net fails; `Cancelled`.
    pub(crate) fn listen(&self, sense: &dyn SpeakerSense, heard: &Heard) -> Result<Speaking> {
        let ticks = Ticks::new(&self.analysis.times);
        let candidates = Candidates::of(&self.analysis.tracks, &ticks);
        let mut pictures =
            Pictures::new(self.clip, self.range, Ticks::new(&self.analysis.times), self.observer);
        let scene = Scene { faces: &candidates.faces, sound: &heard.sound };
        let scores = sense.sense(&scene, &mut pictures)?;
        let voice: Vec<bool> = (0..ticks.len() as usize).map(|tick| heard.sound.has_voice(tick)).collect();
        let people = self.people.all().iter();
        let row = |person: &Person| candidates.scores_of(&person.tracks, &scores, voice.len());
        let rows: Vec<Vec<Option<f32>>> = people.map(row).collect();
        Ok(Speaking { sense: sense.name(), from: heard.from, turns: speaker_turns(&rows, &voice), voice })
    }
}

impl Speaking {
    /// Who has the word at a tick: the position among all people.
    pub(crate) fn person_at(&self, tick: u64) -> Option<usize> {
        self.turn_at(tick).map(|position| self.turns[position].person)
    }

    /// Whether there is voice at a tick.
    pub(crate) fn has_voice(&self, tick: u64) -> bool {
        self.voice.get(tick as usize).copied().unwrap_or(false)
    }

    /// The position of the turn at a tick; after the last tick that of the last.
    fn turn_at(&self, tick: u64) -> Option<usize> {
        let after = self.turns.partition_point(|turn| turn.ticks.start as u64 <= tick);
        after.checked_sub(1)
    }
}
