//! From how likely everybody speaks at each tick to who speaks from when to when. Pure functions.
//!
//! Somebody has the word all the time: a pause belongs to the turns before and after it, half each, so that a dub that is a
//! little longer than the original, or earlier, still finds its mouth. Of all ways to share the time into turns of at least
//! half a second, that with the greatest sum of scores is taken, less a price for each change, which is higher where there is
//! voice.

use std::ops::Range;

/// The shortest turn, in ticks: half a second.
const SHORTEST_TURN: usize = 13;
/// The price of a change in a pause …
const CHANGE_IN_PAUSE: f32 = 6.0;
/// … more so far from its middle, for each tick …
const OFF_THE_MIDDLE: f32 = 0.1;
/// … and where there is voice: the word would change inside of one.
const CHANGE_IN_VOICE: f32 = 18.0;
/// Scores count up to this, either way.
const MOST: f32 = 6.0;
/// What counts for a tick in which somebody is not seen: with voice, and without.
const UNSEEN: f32 = -8.0;
const UNSEEN_IN_PAUSE: f32 = -1.0;

/// Somebody has the word.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeakerTurn {
    /// Who, counted as the scores are.
    pub person: usize,
    /// From which tick to which.
    pub ticks: Range<usize>,
    /// The mean score of the ticks with voice in which the person is seen; 0 where there are none.
    pub score: f32,
}

/// Shares the ticks into turns: they cover all of them without gap or overlap, and no two neighbours are of one person.
/// None where there is nobody, or no tick.
///
/// `scores` has a row for each person with a value for each tick in which the person is seen, above 0 for one who rather
/// speaks; `voice` says in which ticks somebody is heard. Rows as long as `voice`.
#[must_use]
pub fn speaker_turns(scores: &[Vec<Option<f32>>], voice: &[bool]) -> Vec<SpeakerTurn> {
    let gains: Vec<Vec<f32>> = scores.iter().map(|row| sums(row, voice)).collect();
    let prices = prices(voice);
    let people = who(&gains, &prices);
    let mut turns: Vec<SpeakerTurn> = Vec::new();
    for (tick, person) in people.into_iter().enumerate() {
        match turns.last_mut() {
            Some(turn) if turn.person == person => turn.ticks.end = tick + 1,
            _ => turns.push(SpeakerTurn { person, ticks: tick..tick + 1, score: 0.0 }),
        }
    }
    for turn in &mut turns {
        turn.score = mean_score(&scores[turn.person], voice, &turn.ticks);
    }
    turns
}

/// What a person gains by speaking up to each tick: one sum more than there are ticks.
fn sums(row: &[Option<f32>], voice: &[bool]) -> Vec<f32> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for (tick, &has_voice) in voice.iter().enumerate() {
        sum += match (row.get(tick).copied().flatten(), has_voice) {
            (Some(score), true) => score.clamp(-MOST, MOST),
            (Some(_), false) => 0.0,
            (None, true) => UNSEEN,
            (None, false) => UNSEEN_IN_PAUSE,
        };
        sums.push(sum);
    }
    sums
}

/// What a change just before each tick costs.
fn prices(voice: &[bool]) -> Vec<f32> {
    let mut prices = vec![CHANGE_IN_VOICE; voice.len()];
    let mut start = 0;
    for pause in voice.chunk_by(|a, b| a == b) {
        let end = start + pause.len();
        if !pause[0] {
            let middle = f64::midpoint(start as f64, end as f64);
            for (tick, price) in (start..end).zip(&mut prices[start..end]) {
                *price = CHANGE_IN_PAUSE + OFF_THE_MIDDLE * (tick as f64 - middle).abs() as f32;
                *price = price.min(CHANGE_IN_VOICE);
            }
        }
        start = end;
    }
    prices
}

/// The best way to share the ticks, by dynamic programming: who has each.
fn who(gains: &[Vec<f32>], prices: &[f32]) -> Vec<usize> {
    let ticks = prices.len();
    // The best sum of a share of the ticks before each that ends with each person, whose last turn is long enough; and where
    // that turn began, if with this tick it is just long enough.
    let mut best = vec![vec![0.0_f32; gains.len()]];
    let mut begun: Vec<Vec<Option<usize>>> = vec![vec![None; gains.len()]];
    for tick in 1..=ticks {
        let mut row = Vec::with_capacity(gains.len());
        for (person, gain) in gains.iter().enumerate() {
            let goes_on = (best[tick - 1][person] + gain[tick] - gain[tick - 1], None);
            let begins =
                tick.checked_sub(SHORTEST_TURN).filter(|&start| start >= SHORTEST_TURN).and_then(|start| {
                    let others = (0..gains.len()).filter(|&other| other != person);
                    let before = others.max_by(|&a, &b| best[start][a].total_cmp(&best[start][b]))?;
                    Some((best[start][before] - prices[start] + gain[tick] - gain[start], Some(before)))
                });
            row.push(begins.filter(|begins| begins.0 > goes_on.0).unwrap_or(goes_on));
        }
        best.push(row.iter().map(|(sum, _)| *sum).collect());
        begun.push(row.into_iter().map(|(_, before)| before).collect());
    }
    let last = best.last().map(Vec::as_slice).unwrap_or_default();
    let Some(mut person) = (0..last.len()).rev().max_by(|&a, &b| last[a].total_cmp(&last[b])) else {
        return Vec::new();
    };
    let mut people = vec![0; ticks];
    let mut tick = ticks;
    while tick > 0 {
        if let Some(before) = begun[tick][person] {
            people[tick - SHORTEST_TURN..tick].fill(person);
            (tick, person) = (tick - SHORTEST_TURN, before);
        } else {
            people[tick - 1] = person;
            tick -= 1;
        }
    }
    people
}

fn mean_score(row: &[Option<f32>], voice: &[bool], ticks: &Range<usize>) -> f32 {
    let spoken =
        ticks.clone().filter(|&tick| voice[tick]).filter_map(|tick| row.get(tick).copied().flatten());
    let (sum, count) = spoken.fold((0.0, 0_u32), |(sum, count), score| (sum + score, count + 1));
    if count > 0 { sum / count as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turns(scores: &[Vec<f32>], voice: &[bool]) -> Vec<(usize, Range<usize>)> {
        let seen: Vec<Vec<Option<f32>>> =
            scores.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
        speaker_turns(&seen, voice).into_iter().map(|turn| (turn.person, turn.ticks)).collect()
    }

    /// The first of two speaks up to tick 50, the other from tick 70 on, with a pause between.
    fn dialogue() -> ([Vec<f32>; 2], Vec<bool>) {
        let first: Vec<f32> = (0..120).map(|tick| if tick < 50 { 1.0 } else { -1.0 }).collect();
        let second = first.iter().map(|score| -score).collect();
        ([first, second], (0..120).map(|tick| !(50..70).contains(&tick)).collect())
    }

    #[test]
    fn a_pause_is_shared_by_the_turns_around_it() {
        let (scores, voice) = dialogue();
        assert_eq!(turns(&scores, &voice), [(0, 0..60), (1, 60..120)]);
    }

    #[test]
    fn a_change_finds_the_pause_nearby() {
        let (scores, mut voice) = dialogue();
        voice.fill(true);
        // The scores say 50; the pause is a little later.
        voice[53..58].fill(false);
        assert_eq!(turns(&scores, &voice), [(0, 0..55), (1, 55..120)]);
    }

    #[test]
    fn a_flicker_is_no_turn_and_without_voice_nobody_takes_the_word() {
        let (mut scores, mut voice) = dialogue();
        scores[1][20..24].fill(3.0);
        scores[0][20..24].fill(-3.0);
        assert_eq!(turns(&scores, &voice), [(0, 0..60), (1, 60..120)]);
        voice.fill(false);
        assert_eq!(turns(&scores, &voice), [(0, 0..120)]);
    }

    #[test]
    fn one_who_is_not_seen_does_not_keep_the_word() {
        let voice = vec![true; 100];
        let first: Vec<Option<f32>> = (0..100).map(|tick| (tick < 40).then_some(2.0)).collect();
        let second: Vec<Option<f32>> = (0..100).map(|tick| (tick >= 40).then_some(-2.0)).collect();
        let found = speaker_turns(&[first, second], &voice);
        assert_eq!(found.iter().map(|turn| turn.ticks.clone()).collect::<Vec<_>>(), [0..40, 40..100]);
        assert!((found[0].score - 2.0).abs() < 1e-6 && (found[1].score + 2.0).abs() < 1e-6);
    }

    #[test]
    fn nobody_and_nothing_have_no_turns() {
        assert_eq!(speaker_turns(&[], &[true; 5]), []);
        assert_eq!(speaker_turns(&[vec![]], &[]), []);
        assert_eq!(turns(&[vec![0.0; 3]], &[true; 3]), [(0, 0..3)]);
    }

    proptest! {
        #[test]
        fn turns_cover_everything_and_none_is_short(
            values in prop::collection::vec((-5f32..5.0, -5f32..5.0, -5f32..5.0, any::<bool>(), 0..4usize), 0..200),
        ) {
            let row = |person: usize| -> Vec<Option<f32>> {
                let value = |v: &(f32, f32, f32, bool, usize)| ([v.0, v.1, v.2][person], v.4);
                values.iter().map(value).map(|(score, unseen)| (unseen != person).then_some(score)).collect()
            };
            let voice: Vec<bool> = values.iter().map(|v| v.3).collect();
            let found = speaker_turns(&[row(0), row(1), row(2)], &voice);
            let mut end = 0;
            for turn in &found {
                prop_assert_eq!(turn.ticks.start, end);
                end = turn.ticks.end;
                prop_assert!(turn.score.is_finite() && turn.person < 3);
                prop_assert!(found.len() == 1 || turn.ticks.len() >= SHORTEST_TURN);
            }
            prop_assert_eq!(end, voice.len());
            prop_assert!(found.array_windows().all(|[a, b]| a.person != b.person));
        }
    }
}
