//! The best way to give tracks to characters.

use super::Appearance;
use crate::identity::Embedding;
use std::collections::BTreeMap;

/// How many unfinished ways are kept at a time. The search is exact as long as there are no more: with `c` characters
/// and `f` faces at a time there are at most `(c + 1)^f`.
const WAYS: usize = 256;
/// What a match exactly at the threshold is worth: more than no match.
const AT_THRESHOLD: f32 = 1e-3;

/// One way to give the tracks up to some moment to characters.
#[derive(Debug, Clone)]
struct Way {
    /// By how much the cosines lie above the threshold in all, each as often as the track has pictures.
    gain: f32,
    /// The last of its [`Step`]s.
    last: Option<usize>,
}

/// What was decided about one track.
#[derive(Debug, Clone, Copy)]
struct Step {
    character: Option<usize>,
    before: Option<usize>,
}

/// The characters that are in the picture, and the frame after their last. What is possible next depends on this alone.
type Present = BTreeMap<usize, u64>;

/// The character of each track, by the greatest gain in all.
pub(super) fn match_characters(
    tracks: &[Appearance],
    characters: &[Vec<Embedding>],
    least_cosine: f32,
) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|&position| tracks[position].frames.start);
    let mut steps: Vec<Step> = Vec::new();
    let mut ways = BTreeMap::from([(Present::new(), Way { gain: 0.0, last: None })]);
    for &position in &order {
        let gains = gains(&tracks[position], characters, least_cosine);
        ways = advance(ways, &tracks[position], &gains, &mut steps);
    }
    let best = ways.into_values().max_by(|a, b| a.gain.total_cmp(&b.gain));
    let mut matched = vec![None; tracks.len()];
    let mut last = best.and_then(|way| way.last);
    for &position in order.iter().rev() {
        let Some(step) = last.map(|index| steps[index]) else { break };
        matched[position] = step.character;
        last = step.before;
    }
    matched
}

/// The characters that a track may show, with what each is worth.
fn gains(track: &Appearance, characters: &[Vec<Embedding>], least_cosine: f32) -> Vec<(usize, f32)> {
    let Some(face) = &track.face else { return Vec::new() };
    let likeness = |pictures: &Vec<Embedding>| {
        pictures.iter().map(|picture| face.cosine_to(picture)).fold(f32::NEG_INFINITY, f32::max)
    };
    let above = characters.iter().map(|pictures| likeness(pictures) - least_cosine).enumerate();
    above
        .filter(|&(_, above)| above >= 0.0)
        .map(|(character, above)| (character, (above + AT_THRESHOLD) * face.pictures()))
        .collect()
}

/// Every way, with every choice for one more track: nobody, or a character that is not in the picture.
fn advance(
    ways: BTreeMap<Present, Way>,
    track: &Appearance,
    gains: &[(usize, f32)],
    steps: &mut Vec<Step>,
) -> BTreeMap<Present, Way> {
    let mut next: BTreeMap<Present, (f32, Option<usize>, Option<usize>)> = BTreeMap::new();
    for (mut present, way) in ways {
        present.retain(|_, end| *end > track.frames.start);
        let free = gains.iter().filter(|(character, _)| !present.contains_key(character));
        for (character, gain) in free.map(|&(c, gain)| (Some(c), gain)).chain([(None, 0.0)]) {
            let mut present = present.clone();
            present.extend(character.map(|character| (character, track.frames.end)));
            let gain = way.gain + gain;
            if next.get(&present).is_none_or(|known| gain > known.0) {
                next.insert(present, (gain, character, way.last));
            }
        }
    }
    let mut kept: Vec<_> = next.into_iter().collect();
    kept.sort_by(|(_, a), (_, b)| b.0.total_cmp(&a.0));
    kept.truncate(WAYS);
    kept.into_iter()
        .map(|(present, (gain, character, before))| {
            steps.push(Step { character, before });
            (present, Way { gain, last: Some(steps.len() - 1) })
        })
        .collect()
}
