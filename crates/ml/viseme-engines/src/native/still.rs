//! A little life for a single picture: the head sways, the eyes blink. Everything follows from the time alone.

use std::f32::consts::TAU;
use viseme_core::geometry::{Affine, Vec2, Vec3};
use viseme_face::FaceObservation;
use viseme_face::points::POINT_COUNT;

// The sway is a sum of slow waves whose frequencies (Hz) have no common period: it never visibly repeats.
const SIDEWAYS: [(f32, f32); 2] = [(0.11, 0.012), (0.27, 0.005)];
const DOWNWARDS: [(f32, f32); 2] = [(0.17, 0.008), (0.39, 0.004)];
/// Degrees of tilt.
const TILT: [(f32, f32); 2] = [(0.13, 0.7), (0.31, 0.3)];
/// Share of the size.
const NEARNESS: [(f32, f32); 2] = [(0.07, 0.006), (0.23, 0.002)];
/// The head turns about the neck, this far below the bridge of the nose in canonical units.
const NECK: f32 = 1.9;

/// Seconds from one blink to the next: at least the first, up to the sum. People blink 15 to 20 times a minute.
const BLINK_PAUSE_S: (f64, f64) = (2.2, 3.2);
/// A blink closes for this long, …
const CLOSING_S: f64 = 0.08;
/// … and opens again for that long.
const OPENING_S: f64 = 0.14;
/// How far the lids come together, as a share of their distance: lashes fill the rest.
const LIDS_MEET: f32 = 0.88;
/// Upper lid points and the lower ones under them, as positions among the landmarks (`FaceMesh` 160, 159, 158 over
/// 144, 145, 153 and 385, 386, 387 over 380, 374, 373).
const LIDS: [(usize, usize); 6] = [(151, 154), (133, 131), (152, 153), (155, 158), (134, 132), (156, 157)];

/// The face of a still picture as it is held `seconds` into the speech; `amount` (0 to 1) scales all motion.
pub(super) fn alive(face: &FaceObservation, seconds: f64, amount: f32) -> FaceObservation {
    let wave = |waves: [(f32, f32); 2]| -> f32 {
        // In f64: after an hour an f32 phase would be off by degrees.
        let phase = |hz: f32| (seconds * f64::from(hz)).fract() as f32 * TAU;
        waves.iter().map(|&(hz, height)| height * phase(hz).sin()).sum::<f32>() * amount
    };
    let scale = face.pose.scale_px;
    let bridge = face.pose.translation.xy();
    let down = face.pose.image_from_canonical(Vec3::new(0.0, NECK, 0.0)).xy();
    let shift = Vec2::new(wave(SIDEWAYS), wave(DOWNWARDS)) * scale;
    let held_from_seen =
        Affine::similarity(wave(TILT).to_radians(), 1.0 + wave(NEARNESS), down, down + shift);
    let mut points: Box<[Vec3; POINT_COUNT]> = face.points.clone();
    let closure = blink(seconds) * LIDS_MEET * amount;
    for (upper, lower) in LIDS {
        points[upper] = points[upper] + (points[lower] - points[upper]) * closure;
    }
    for point in points.iter_mut() {
        let held = held_from_seen.apply(point.xy());
        *point = Vec3::new(held.x, held.y, point.z);
    }
    let mut pose = face.pose;
    let [a, b, _, d, e, _] = held_from_seen.rows;
    let size = a.hypot(d);
    let [first, second, third] = pose.rotation;
    let turned = |x: f32, y: f32| std::array::from_fn(|i| (x * first[i] + y * second[i]) / size);
    pose.rotation = [turned(a, b), turned(d, e), third];
    pose.scale_px *= size;
    let bridge = held_from_seen.apply(bridge);
    pose.translation = Vec3::new(bridge.x, bridge.y, pose.translation.z);
    FaceObservation { points, pose, ..face.clone() }
}

/// How far the eyes are shut at a time, 0 to 1.
fn blink(seconds: f64) -> f32 {
    let mut next = BLINK_PAUSE_S.0;
    for count in 0_u32.. {
        if seconds < next + CLOSING_S + OPENING_S {
            break;
        }
        // Knuth's multiplicative hash: pauses that look random and are the same every time.
        let random = f64::from(count.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        next += BLINK_PAUSE_S.0 + BLINK_PAUSE_S.1 * random;
    }
    let since = seconds - next;
    let progress = if since < CLOSING_S { since / CLOSING_S } else { 1.0 - (since - CLOSING_S) / OPENING_S };
    let eased = progress.clamp(0.0, 1.0) as f32;
    eased * eased * (3.0 - 2.0 * eased)
}

#[cfg(test)]
mod tests {
    use super::super::shape::mouth_of;
    use super::*;
    use crate::testing::face;

    #[test]
    fn the_head_stays_near_its_place_and_keeps_its_shape() {
        let still = face(200.0, 200.0, 100.0, 0.1);
        for step in 0..500 {
            let held = alive(&still, f64::from(step) * 0.37, 1.0);
            assert!((held.points[0] - still.points[0]).length() < 6.0);
            for (a, b) in mouth_of(&held).iter().zip(&mouth_of(&still)) {
                assert!((a.xy() - b.xy()).length() < 2e-3);
            }
        }
    }

    #[test]
    fn eyes_blink_and_open_again() {
        let shut = (0..6000).map(|i| blink(f64::from(i) * 0.01)).collect::<Vec<f32>>();
        let blinks = shut.windows(2).filter(|pair| pair[0] < 0.5 && pair[1] >= 0.5).count();
        assert!((12..=24).contains(&blinks), "{blinks} blinks in a minute");
        assert!(shut.iter().filter(|&&shut| shut == 0.0).count() > 5000);
    }

    #[test]
    fn no_amount_is_no_motion() {
        let still = face(200.0, 200.0, 100.0, 0.1);
        let held = alive(&still, 12.3, 0.0);
        assert!((held.points[7] - still.points[7]).length() < 1e-3);
    }
}
