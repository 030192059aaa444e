//! Which frames of the source lend their mouth: a path of least cost through the candidates, so that each borrowed
//! mouth resembles the wanted one and the choice seldom jumps.

use super::shape::{MouthShape, lip_profile, opening, profile_distance};
use viseme_face::points::LIP_COUNT;

// Costs are in canonical units of lip distance; the prototype's values, tuned by eye and by the jitter of the lips.

/// A candidate that is less open than the target lacks what is inside the mouth; one that is more open must only be closed.
const TOO_CLOSED: f32 = 1.6;
const TOO_OPEN: f32 = 0.6;
/// A closed candidate for an open target shows no inside at all.
const CLOSED_FOR_OPEN: f32 = 0.5;
/// An open candidate for a closed target would have to be squeezed shut, teeth and all.
const OPEN_FOR_CLOSED: f32 = 0.25;
/// Per degree between the two heads.
const TURN: f32 = 0.004;
/// Per unit of blur, 0 (sharp) to 3.
const BLUR: f32 = 0.02;
/// For a jump to another moment of the source.
const JUMP: f32 = 0.05;
/// What it costs to go on in the source by one neighbour, to stay, and to go back by one.
#[derive(Debug, Clone, Copy)]
struct Steps {
    forwards: f32,
    stay: f32,
    backwards: f32,
}

/// In speech the source's own motion is the most natural.
const SPEAKING: Steps = Steps { forwards: 0.0, stay: 0.004, backwards: 0.004 };
/// A mouth that rests stays one and the same: lips must not flicker in a pause.
const RESTING: Steps = Steps { forwards: 0.02, stay: 0.0, backwards: 0.02 };
/// Wanted mouths that differ by less than this rest.
const REST: f32 = 2e-4;
/// Neighbouring candidates at most this many source frames apart flow into each other.
const NEIGHBOURS: u64 = 2;

/// Targets are planned in stretches of this many, so that memory is bounded …
const STRETCH: usize = 1500;
/// … each looking ahead so far that its choices no longer depend on what follows.
const LOOK_AHEAD: usize = 100;

/// A mouth that may be borrowed, or one that is wanted.
#[derive(Debug, Clone)]
pub(super) struct MouthFeatures {
    profile: [[f32; 2]; LIP_COUNT],
    opening: f32,
    /// Rows of the head's rotation matrix.
    rotation: [[f32; 3]; 3],
}

impl MouthFeatures {
    pub(super) fn new(shape: &MouthShape, rotation: [[f32; 3]; 3]) -> Self {
        Self { profile: lip_profile(shape), opening: opening(shape), rotation }
    }

    /// How unlike two mouths look, whoever they belong to: for keeping different ones.
    pub(super) fn difference(&self, other: &Self) -> f32 {
        profile_distance(&self.profile, &other.profile)
            + (self.opening - other.opening).abs()
            + TURN * degrees_between(&self.rotation, &other.rotation)
    }
}

/// A candidate with what its choice costs whatever is wanted.
#[derive(Debug, Clone)]
pub(super) struct BankEntry {
    /// Its looks.
    pub(super) features: MouthFeatures,
    /// The source frame, in presentation order: neighbours flow into each other.
    pub(super) source: u64,
    /// 0 for sharp to 3 for much blurred.
    pub(super) blur: f32,
}

/// One borrowed mouth of a blend; the weights of a blend sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loan {
    /// The candidate's position in the bank.
    pub(super) entry: usize,
    /// Its share.
    pub(super) weight: f32,
}

/// Chooses a candidate for each of `count` targets: the path of least total cost. Empty when the bank is.
pub(super) fn choose(bank: &[BankEntry], count: usize, target: impl Fn(usize) -> MouthFeatures) -> Vec<u16> {
    let mut chosen: Vec<u16> = Vec::with_capacity(count);
    if bank.is_empty() {
        return chosen;
    }
    let mut start = None;
    while chosen.len() < count {
        let first = chosen.len();
        let stretch = first..count.min(first + STRETCH + LOOK_AHEAD);
        let whole = stretch.end == count;
        let path = cheapest_path(bank, stretch.map(&target), start);
        let keep = if whole { path.len() } else { STRETCH };
        chosen.extend_from_slice(&path[..keep]);
        start = chosen.last().copied();
    }
    chosen
}

/// The cheapest path through one stretch of targets, from candidate `start` when given.
fn cheapest_path(
    bank: &[BankEntry],
    targets: impl Iterator<Item = MouthFeatures>,
    start: Option<u16>,
) -> Vec<u16> {
    let mut total = vec![0.0; bank.len()];
    if let Some(start) = start {
        total = vec![JUMP; bank.len()];
        total[usize::from(start)] = 0.0;
    }
    let mut came_from = Vec::new();
    let mut before: Option<MouthFeatures> = None;
    for target in targets {
        let rests =
            before.as_ref().is_some_and(|before| profile_distance(&before.profile, &target.profile) < REST);
        let (mut next, from) = best_steps(bank, &total, if rests { RESTING } else { SPEAKING });
        for (cost, entry) in next.iter_mut().zip(bank) {
            *cost += mismatch(entry, &target);
        }
        came_from.push(from);
        total = next;
        before = Some(target);
    }
    let mut at = index_of_least(&total);
    let mut path = vec![0; came_from.len()];
    for (step, from) in path.iter_mut().zip(&came_from).rev() {
        *step = at as u16;
        at = usize::from(from[at]);
    }
    path
}

/// For each candidate the cheapest way to come to it: (costs, predecessors).
fn best_steps(bank: &[BankEntry], total: &[f32], steps: Steps) -> (Vec<f32>, Vec<u16>) {
    let cheapest = index_of_least(total);
    (0..bank.len())
        .map(|i| {
            let mut best = (total[cheapest] + JUMP, cheapest);
            let mut offer = |cost: f32, from: usize| {
                if cost < best.0 {
                    best = (cost, from);
                }
            };
            let flows = |a: usize, b: usize| bank[b].source - bank[a].source <= NEIGHBOURS;
            if i > 0 && flows(i - 1, i) {
                offer(total[i - 1] + steps.forwards, i - 1);
            }
            offer(total[i] + steps.stay, i);
            if i + 1 < bank.len() && flows(i, i + 1) {
                offer(total[i + 1] + steps.backwards, i + 1);
            }
            (best.0, best.1 as u16)
        })
        .unzip()
}

/// What it costs to show `entry` where `target` is wanted.
fn mismatch(entry: &BankEntry, target: &MouthFeatures) -> f32 {
    let have = &entry.features;
    let excess = have.opening - target.opening;
    let mut cost = profile_distance(&have.profile, &target.profile)
        + if excess < 0.0 { -TOO_CLOSED * excess } else { TOO_OPEN * excess }
        + TURN * degrees_between(&have.rotation, &target.rotation)
        + BLUR * entry.blur;
    if target.opening > 0.03 && have.opening < 0.35 * target.opening {
        cost += CLOSED_FOR_OPEN;
    }
    if target.opening < 0.02 && have.opening > 0.05 {
        cost += OPEN_FOR_CLOSED;
    }
    cost
}

/// The angle of the turn from one head to the other.
fn degrees_between(a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]) -> f32 {
    let trace: f32 = a.iter().flatten().zip(b.iter().flatten()).map(|(p, q)| p * q).sum();
    (0.5 * (trace - 1.0)).clamp(-1.0, 1.0).acos().to_degrees()
}

fn index_of_least(costs: &[f32]) -> usize {
    costs.iter().enumerate().fold(0, |best, (i, &cost)| if cost < costs[best] { i } else { best })
}

/// The loans of target `at`: its own choice, and at a jump a little of what comes before or after, so that the change
/// takes three frames.
pub(super) fn loans(bank: &[BankEntry], chosen: &[u16], at: usize) -> Vec<Loan> {
    const NEIGHBOUR_WEIGHT: f32 = 0.15;
    let own = usize::from(chosen[at]);
    let mut loans = vec![Loan { entry: own, weight: 1.0 }];
    let neighbours = [at.checked_sub(1), Some(at + 1)];
    for neighbour in neighbours.into_iter().flatten().filter_map(|i| chosen.get(i)) {
        let other = usize::from(*neighbour);
        if bank[own].source.abs_diff(bank[other].source) > NEIGHBOURS {
            loans[0].weight -= NEIGHBOUR_WEIGHT;
            loans.push(Loan { entry: other, weight: NEIGHBOUR_WEIGHT });
        }
    }
    loans
}

#[cfg(test)]
mod tests {
    use super::super::shape::{INNER_LOWER_MIDDLE, STILL};
    use super::*;

    const UPRIGHT: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    fn mouth(opening: f32) -> MouthFeatures {
        let mut shape = STILL;
        shape[INNER_LOWER_MIDDLE].y = opening;
        MouthFeatures::new(&shape, UPRIGHT)
    }

    fn bank(openings: &[f32]) -> Vec<BankEntry> {
        let entry = |(i, &opening): (usize, &f32)| BankEntry {
            features: mouth(opening),
            // A cut after the second: no flow between entries 1 and 2.
            source: i as u64 + if i > 1 { 10 } else { 0 },
            blur: 0.3 * i as f32,
        };
        openings.iter().enumerate().map(entry).collect()
    }

    fn step_cost(bank: &[BankEntry], from: usize, to: usize) -> f32 {
        let near = bank[from].source.abs_diff(bank[to].source) <= NEIGHBOURS;
        match to as i64 - from as i64 {
            1 if near => SPEAKING.forwards,
            0 => SPEAKING.stay,
            -1 if near => SPEAKING.backwards,
            _ => JUMP,
        }
    }

    #[test]
    fn no_path_is_cheaper_than_the_chosen_one() {
        let bank = bank(&[0.0, 0.12, 0.3, 0.02]);
        let wanted = [0.0, 0.1, 0.28, 0.25, 0.05, 0.0];
        let cost = |path: &[usize]| {
            let shown: f32 =
                path.iter().zip(wanted).map(|(&i, opening)| mismatch(&bank[i], &mouth(opening))).sum();
            shown + path.windows(2).map(|pair| step_cost(&bank, pair[0], pair[1])).sum::<f32>()
        };
        let chosen: Vec<usize> =
            choose(&bank, wanted.len(), |i| mouth(wanted[i])).into_iter().map(usize::from).collect();
        let least = (0..4_usize.pow(6))
            .map(|code| cost(&(0..6).map(|i| code / 4_usize.pow(i) % 4).collect::<Vec<_>>()))
            .fold(f32::INFINITY, f32::min);
        assert!(cost(&chosen) <= least + JUMP + 1e-5, "the first step may cost a jump");
        assert!((cost(&chosen) - least).abs() < 1e-5);
    }

    #[test]
    fn a_long_speech_is_planned_in_stretches_without_a_seam() {
        let bank = bank(&[0.0, 0.12, 0.3, 0.02]);
        let wanted = |i: usize| 0.15 + 0.15 * (i as f32 * 0.7).sin();
        let count = 2 * STRETCH + 300;
        let in_stretches = choose(&bank, count, |i| mouth(wanted(i)));
        let at_once = cheapest_path(&bank, (0..count).map(|i| mouth(wanted(i))), None);
        assert_eq!(in_stretches, at_once);
    }

    #[test]
    fn a_jump_is_blended_over_three_frames_and_shares_sum_to_one() {
        let bank = bank(&[0.0, 0.12, 0.3, 0.02]);
        let chosen = [0, 1, 3, 3];
        for at in 0..chosen.len() {
            let sum: f32 = loans(&bank, &chosen, at).iter().map(|loan| loan.weight).sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
        assert_eq!(loans(&bank, &chosen, 0).len(), 1);
        assert_eq!(loans(&bank, &chosen, 1).len(), 2);
        assert_eq!(loans(&bank, &chosen, 2).len(), 2);
    }

    #[test]
    fn a_resting_mouth_is_one_mouth() {
        let bank = bank(&[0.0, 0.004, 0.3, 0.002]);
        let chosen = choose(&bank, 50, |_| mouth(0.0));
        assert!(chosen.iter().all(|&entry| entry == chosen[0]));
    }

    #[test]
    fn an_empty_bank_lends_nothing() {
        assert!(choose(&[], 5, |_| mouth(0.1)).is_empty());
    }
}
