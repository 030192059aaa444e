//! Which frames of a plan are looked at.

use crate::plan::{FacePlan, Plan};
use std::collections::BTreeMap;
use std::ops::Range;
use viseme_face::TrackId;

/// A face whose lips have less than this share of their motion hardly shows it.
const LEAST_STRENGTH: f32 = 0.5;

/// At most `most` output frames, spread evenly over those in which lips move, each with a face in it whose lips do.
pub(super) fn spread(plan: &Plan, most: usize) -> BTreeMap<u64, TrackId> {
    let moving = |output: u64| {
        let frame = plan.frame(output);
        let moves = move |face: &&FacePlan| face.state(&frame).strength >= LEAST_STRENGTH;
        plan.faces().iter().filter(moves)
    };
    let count = (0..plan.len()).filter(|&output| moving(output).next().is_some()).count();
    let most = most.min(count);
    let position = |pick: usize| (2 * pick + 1) * count / (2 * most.max(1));
    let mut picked = BTreeMap::new();
    let frames = (0..plan.len()).filter(|&output| moving(output).next().is_some());
    for (nth, output) in frames.enumerate() {
        let pick = picked.len();
        if pick == most {
            break;
        }
        if nth == position(pick) {
            // Everybody has a turn.
            let faces: Vec<&FacePlan> = moving(output).collect();
            picked.insert(output, faces[pick % faces.len()].track);
        }
    }
    picked
}

/// A stretch of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its frames.
    pub(super) frames: Range<u64>,
    /// In how many of them the lips move.
    pub(super) moving: u64,
}

/// The first stretch of at most `most` frames in which the lips of one of `faces` move most often; `None` where they
/// never do.
pub(super) fn busiest(plan: &Plan, faces: &[&FacePlan], most: u64) -> Option<Stretch> {
    let moves = |output: u64| {
        let frame = plan.frame(output);
        u64::from(faces.iter().any(|face| face.state(&frame).is_moved()))
    };
    let (mut inside, mut best) = (0, Stretch { frames: 0..0, moving: 0 });
    for output in 0..plan.len() {
        inside += moves(output);
        if output >= most {
            inside -= moves(output - most);
        }
        if inside > best.moving {
            let start = (output + 1).saturating_sub(most);
            best = Stretch { frames: start..(start + most).min(plan.len()), moving: inside };
        }
    }
    (best.moving > 0).then_some(best)
}
