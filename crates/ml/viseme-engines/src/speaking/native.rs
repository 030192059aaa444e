//! Our own measure of who speaks, from the landmarks and the built-in speech net. Nothing needs to be installed.

use super::agreement::{agreement, motion, steady};
use super::{Scene, SceneFace, SpeakerSense, TICKS_PER_SECOND, TickPictures};
use viseme_core::Result;

// How correlation and motion make a score: chosen on half of the scenes of `scripts/check_speakers.py`, where other weights, from
// motion alone to none of it, gave between 85 and 91 % right on films and 94 to 96 % on GRID.
/// What a correlation of 1 more is worth.
const AGREEMENT_WEIGHT: f32 = 4.0;
/// A mouth that does not speak agrees by chance this much, at the best lag.
const CHANCE_AGREEMENT: f32 = 0.25;
/// What e times the motion of the liveliest other mouth is worth …
const MOTION_WEIGHT: f32 = 0.5;
/// … up to this power of e.
const MOST_MOTION: f32 = 1.5;

/// Tells who speaks by how the mouths open with the sound, and by how much they move compared with each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeSense;

impl SpeakerSense for NativeSense {
    fn name(&self) -> &'static str {
        "native"
    }

    fn sense(&self, scene: &Scene<'_>, _pictures: &mut dyn TickPictures) -> Result<Vec<Vec<f32>>> {
        let openings: Vec<Vec<f32>> = scene.faces.iter().map(openings).collect();
        let motions: Vec<Vec<f32>> = openings.iter().map(|openings| motion(openings)).collect();
        let asked = |tick: i64| asked(scene, tick);
        let score = |(position, openings): (usize, &Vec<f32>)| {
            let face = &scene.faces[position];
            let agreements = agreement(openings, &|tick| asked(face.first as i64 + tick));
            let one = |(tick, agreement): (usize, f32)| {
                let livelier = livelier(scene.faces, &motions, position, face.first + tick);
                AGREEMENT_WEIGHT * (agreement - CHANCE_AGREEMENT) + MOTION_WEIGHT * livelier
            };
            agreements.into_iter().enumerate().map(one).collect()
        };
        Ok(openings.iter().enumerate().map(score).collect())
    }
}

fn openings(face: &SceneFace) -> Vec<f32> {
    steady(&face.seen.iter().map(|seen| seen.opening).collect::<Vec<_>>())
}

/// The opening that the sound asks for through a tick; 0 where there is no sound.
fn asked(scene: &Scene<'_>, tick: i64) -> f32 {
    // Four values of the hundred a second.
    let part = |quarter: u32| {
        let seconds = (tick as f64 + 0.25 * f64::from(quarter)) / f64::from(TICKS_PER_SECOND);
        scene.sound.mouth.opening(seconds).unwrap_or(0.0)
    };
    (0..4).map(part).sum::<f32>() / 4.0
}

/// How much livelier a mouth is than the liveliest other one that is seen with it, as a power of e; 0 for one alone.
fn livelier(faces: &[SceneFace], motions: &[Vec<f32>], position: usize, tick: usize) -> f32 {
    let motion = |face: usize| Some(motions[face][tick.checked_sub(faces[face].first)?..].first()?.ln());
    let others = (0..faces.len()).filter(|&other| other != position && faces[other].at(tick).is_some());
    let liveliest = others.filter_map(motion).max_by(f32::total_cmp);
    match (motion(position), liveliest) {
        (Some(own), Some(other)) => (own - other).clamp(-MOST_MOTION, MOST_MOTION),
        _ => 0.0,
    }
}
