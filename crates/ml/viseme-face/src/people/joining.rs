//! Groups of tracks that show one person: agglomerative clustering with average linkage (Sokal and Michener 1958).

use super::{Appearance, MeanEmbedding};
use std::ops::Range;

/// Tracks of one person.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Positions in the list of tracks.
    pub(super) tracks: Vec<usize>,
    /// Who it is, where that is known.
    pub(super) character: Option<usize>,
    face: Option<MeanEmbedding>,
    /// When it is in the picture: ascending and apart.
    frames: Vec<Range<u64>>,
}

impl Group {
    /// A track alone.
    pub(super) fn new(position: usize, track: &Appearance, character: Option<usize>) -> Self {
        Self {
            tracks: vec![position],
            character,
            face: track.face.clone(),
            frames: vec![track.frames.clone()],
        }
    }

    /// Takes in the tracks of another.
    pub(super) fn absorb(&mut self, other: Self) {
        self.tracks.extend(other.tracks);
        self.character = self.character.or(other.character);
        self.face = match (self.face.take(), other.face) {
            (Some(ours), Some(theirs)) => Some(ours.joined(&theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.frames.extend(other.frames);
        self.frames.sort_by_key(|frames| frames.start);
    }

    /// The first frame in which it is seen, and its first track there.
    pub(super) fn appears(&self) -> (u64, usize) {
        let frame = self.frames.first().map_or(0, |frames| frames.start);
        (frame, self.tracks.iter().copied().min().unwrap_or(0))
    }

    /// How alike two groups are, where they can be one person at all.
    fn likeness(&self, other: &Self) -> Option<f32> {
        let are_two = self.character.is_some() && other.character.is_some();
        if are_two || share_a_frame(&self.frames, &other.frames) {
            return None;
        }
        Some(self.face.as_ref()?.cosine(other.face.as_ref()?))
    }
}

/// Whether two lists of frames, each ascending and apart, have one in common.
fn share_a_frame(a: &[Range<u64>], b: &[Range<u64>]) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(ours), Some(theirs)) = (a.get(i), b.get(j)) {
        if ours.end <= theirs.start {
            i += 1;
        } else if theirs.end <= ours.start {
            j += 1;
        } else {
            return true;
        }
    }
    false
}

/// A later group, and how alike it is.
type Nearest = Option<(usize, f32)>;

/// Joins the two groups that are most alike, again and again, while they are at least `least_cosine` alike.
pub(super) fn join(groups: Vec<Group>, least_cosine: f32) -> Vec<Group> {
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    let mut nearest: Vec<Nearest> = (0..groups.len()).map(|i| nearest_of(&groups, i, least_cosine)).collect();
    while let Some((first, second)) = closest(&nearest) {
        if let Some(absorbed) = groups[second].take()
            && let Some(group) = &mut groups[first]
        {
            group.absorb(absorbed);
        }
        // A joined group is never more alike to a third than the nearer of its parts was: no other entry can improve.
        for (i, entry) in nearest.iter_mut().enumerate().take(second + 1) {
            let is_changed = entry.is_some_and(|(near, _)| near == first || near == second);
            if is_changed || i == first || i == second {
                *entry = nearest_of(&groups, i, least_cosine);
            }
        }
    }
    groups.into_iter().flatten().collect()
}

/// The pair that is most alike; of equals the first.
fn closest(nearest: &[Nearest]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize, f32)> = None;
    for (first, entry) in nearest.iter().enumerate() {
        if let Some((second, likeness)) = *entry
            && best.is_none_or(|(.., most)| likeness > most)
        {
            best = Some((first, second, likeness));
        }
    }
    best.map(|(first, second, _)| (first, second))
}

/// The later group that is most like group `i`.
fn nearest_of(groups: &[Option<Group>], i: usize, least_cosine: f32) -> Nearest {
    let group = groups[i].as_ref()?;
    let mut best: Nearest = None;
    for (j, other) in groups.iter().enumerate().skip(i + 1) {
        if let Some(likeness) = other.as_ref().and_then(|other| group.likeness(other))
            && likeness >= least_cosine
            && best.is_none_or(|(_, most)| likeness > most)
        {
            best = Some((j, likeness));
        }
    }
    best
}
