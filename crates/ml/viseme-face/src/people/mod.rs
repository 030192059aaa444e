//! Who is who: which tracks show the same person, and which of them somebody has given a name. Pure functions.

mod joining;
mod matching;
mod mean;
#[cfg(test)]
mod tests;

pub use mean::MeanEmbedding;

use crate::identity::Embedding;
use joining::{Group, join};
use matching::match_characters;
use std::ops::Range;

/// A track as far as it matters for who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    /// The frames in which it was seen.
    pub frames: Range<u64>,
    /// What it looks like. None where it was never seen well enough to tell.
    pub face: Option<MeanEmbedding>,
}

/// Who a track shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonId {
    /// The character of that position in the list of characters.
    Character(usize),
    /// Nobody's character: the n-th of these in order of appearance, counted from 1.
    Unknown(u32),
}

/// Says of each track who it shows.
///
/// Tracks are matched to `characters`, each given by the embeddings of its pictures, so that the sum of the cosines above
/// `least_cosine` is greatest. Then what is left is joined across cuts and absences, to each other and to the characters
/// that were found, as long as the mean cosine between all pictures of both is at least `least_cosine`. Two tracks that
/// share a frame are never the same person. A track without a face is a person of its own.
#[must_use]
pub fn identify(tracks: &[Appearance], characters: &[Vec<Embedding>], least_cosine: f32) -> Vec<PersonId> {
    let matched = match_characters(tracks, characters, least_cosine);
    let mut groups: Vec<Group> = Vec::new();
    for (position, (track, &character)) in tracks.iter().zip(&matched).enumerate() {
        let alone = Group::new(position, track, character);
        match groups.iter_mut().find(|group| character.is_some() && group.character == character) {
            Some(group) => group.absorb(alone),
            None => groups.push(alone),
        }
    }
    let mut groups = join(groups, least_cosine);
    groups.sort_by_key(Group::appears);
    let mut people = vec![PersonId::Unknown(0); tracks.len()];
    let mut unknown = 0;
    for group in &groups {
        let person = group.character.map_or_else(
            || {
                unknown += 1;
                PersonId::Unknown(unknown)
            },
            PersonId::Character,
        );
        for &track in &group.tracks {
            people[track] = person;
        }
    }
    people
}
