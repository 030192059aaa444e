//! Who is in the video, and who of them is whose character.

mod cast;
mod character;
mod embedders;
mod likeness;
mod references;
mod report;
mod slots;

pub(crate) use cast::Cast;
pub use character::Character;
pub(crate) use character::{check_characters, unknown_number};
pub(crate) use embedders::Embedders;
pub(crate) use likeness::{LikenessIndex, LikenessRecorder, Likenesses};
pub use report::{FaceResult, FacesReport, UnknownFace};

use crate::analyse::check_face_number;
use crate::speakers::Speakers;
use character::unknown_id;
use std::collections::BTreeMap;
use viseme_core::{Error, Result};
use viseme_face::people::PersonId;
use viseme_face::preview::person_colour;
use viseme_face::{Track, TrackId, selection};

/// Somebody who is seen in the video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The id of the character, or `face_1`, `face_2`, …
    pub(crate) id: String,
    /// The name for people.
    pub(crate) label: String,
    /// Whether it is a character of the job.
    pub(crate) is_character: bool,
    /// The colour that stands for it: red, green, blue. The same in every video with the same characters.
    pub(crate) colour: [u8; 3],
    /// Where it is seen: no two of these share a frame.
    pub(crate) tracks: Vec<TrackId>,
}

/// Everybody who is seen in the video.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct People {
    /// First the characters in their order, then the others in order of appearance.
    everybody: Vec<Person>,
    by_track: BTreeMap<TrackId, usize>,
    has_characters: bool,
}

impl People {
    /// The people of a video from who each of its tracks shows.
    fn new(characters: &[Character], tracks: &[Track], ids: &[PersonId]) -> Self {
        let mut tracks_of: BTreeMap<PersonId, Vec<TrackId>> = BTreeMap::new();
        for (track, id) in tracks.iter().zip(ids) {
            tracks_of.entry(*id).or_default().push(track.id);
        }
        let everybody: Vec<Person> =
            tracks_of.into_iter().map(|(id, tracks)| Person::new(characters, id, tracks)).collect();
        let of = |(position, person): (usize, &Person)| {
            person.tracks.iter().map(|&track| (track, position)).collect::<Vec<_>>()
        };
        let by_track = everybody.iter().enumerate().flat_map(of).collect();
        Self { everybody, by_track, has_characters: !characters.is_empty() }
    }

    /// Everybody: first the characters in their order, then the others in order of appearance.
    pub(crate) fn all(&self) -> &[Person] {
        &self.everybody
    }

    /// Whom a track shows.
    pub(crate) fn of(&self, track: TrackId) -> Option<&Person> {
        self.by_track.get(&track).map(|&position| &self.everybody[position])
    }

    /// The person of that name.
    pub(crate) fn named(&self, id: &str) -> Option<&Person> {
        self.everybody.iter().find(|person| person.id == id)
    }

    /// The tracks whose lips move, in order of appearance, of those that `may_speak`. A character that is not seen has none.
    ///
    /// # Errors
    /// `InvalidInput` for a face that was asked for by a number that the video does not reach.
    pub(crate) fn choose(
        &self,
        speakers: &Speakers,
        tracks: &[Track],
        may_speak: impl Fn(TrackId) -> bool,
    ) -> Result<Vec<TrackId>> {
        if let Some(choice) = speakers.by_track(self.has_characters) {
            check_face_number(tracks, choice)?;
            return Ok(selection::choose_among(tracks, choice, may_speak));
        }
        let is_chosen = |person: &&Person| match speakers {
            Speakers::Named(name) => person.id == *name,
            _ => person.is_character,
        };
        let chosen = self.everybody.iter().filter(is_chosen).flat_map(|person| &person.tracks);
        let mut chosen: Vec<TrackId> = chosen.copied().collect();
        chosen.sort_unstable();
        if let Speakers::Named(name) = speakers
            && unknown_number(name).is_some()
            && chosen.is_empty()
            && !tracks.is_empty()
        {
            let seen: Vec<&str> = self.everybody.iter().map(|person| person.id.as_str()).collect();
            return Err(Error::invalid_input(format!("there is no {name} in the video")).with_hint(format!(
                "Seen were: {}; `viseme faces --preview` shows who is who.",
                seen.join(", ")
            )));
        }
        chosen.retain(|&track| may_speak(track));
        Ok(chosen)
    }
}

impl Person {
    fn new(characters: &[Character], id: PersonId, tracks: Vec<TrackId>) -> Self {
        let (name, label, number) = match id {
            PersonId::Character(position) => {
                let character = characters.get(position);
                let name = character.map(|character| character.id.clone()).unwrap_or_default();
                (name, character.map(|character| character.label().to_owned()), position)
            }
            PersonId::Unknown(number) => (unknown_id(number), None, characters.len() + number as usize - 1),
        };
        Self {
            label: label.unwrap_or_else(|| name.clone()),
            id: name,
            is_character: matches!(id, PersonId::Character(_)),
            colour: person_colour(number),
            tracks,
        }
    }

    /// Its colour as `#rrggbb`.
    pub(crate) fn colour_code(&self) -> String {
        let [red, green, blue] = self.colour;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}
