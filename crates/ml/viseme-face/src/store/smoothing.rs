//! Smoothing over time without delay: a parabola through the frames before and after (Savitzky and Golay 1964).

use crate::FaceObservation;
use crate::points::{POINT_COUNT, STABLE};
use viseme_core::geometry::Vec3;

/// How strongly tracks are smoothed unless it is said otherwise, on the scale 0 to 1.
///
/// At 0.3 the head is smoothed over seven frames and all else over five: lips are quick, and five frames of a parabola hardly
/// dampen them.
pub const DEFAULT_SMOOTHING: f32 = 0.3;

/// Frames to either side that the stable points, and so the head pose, are smoothed over at a smoothing of 1.
const MOST_REACH: f32 = 10.0;

/// The same for all other points, as a share.
const POINT_SHARE: f32 = 2.0 / 3.0;

/// Frames to either side of one that are looked at to smooth it.
pub(crate) fn reach(smoothing: f32) -> usize {
    pose_reach(smoothing).ceil() as usize
}

fn pose_reach(smoothing: f32) -> f32 {
    MOST_REACH * smoothing
}

/// The weights of the frames −reach to +reach for the value at the middle of the parabola that fits them best. Between
/// two whole reaches those of both, in shares.
fn weights(reach: f32) -> Vec<f32> {
    let (fewer, more) = (reach.floor() as i32, reach.ceil() as i32);
    let share = reach - reach.floor();
    (-more..=more).map(|i| (1.0 - share) * parabola(fewer, i) + share * parabola(more, i)).collect()
}

/// The weight of the frame `offset` frames away for the middle of a parabola through 2 · `reach` + 1 frames; 0 beyond
/// these. Savitzky and Golay's formula for order 2: a reach of 1 is the frame in the middle alone.
fn parabola(reach: i32, offset: i32) -> f32 {
    if offset.abs() > reach {
        return 0.0;
    }
    let above = 3 * (3 * reach * reach + 3 * reach - 1) - 15 * offset * offset;
    above as f32 / ((2 * reach - 1) * (2 * reach + 1) * (2 * reach + 3)) as f32
}

/// The middle one of `window`, smoothed over its neighbours: an odd number of frames of one track, at most
/// 2 · [`reach`] + 1. A shorter window smooths less; near the ends of a track it is as long as fits evenly.
///
/// `smoothing` goes from 0, the face as it was seen, to 1.
pub(crate) fn smooth(window: &[&FaceObservation], smoothing: f32) -> Option<FaceObservation> {
    let middle = window.len() / 2;
    let now = window.get(middle)?;
    let wanted = pose_reach(smoothing);
    let [pose, point] = [wanted, wanted * POINT_SHARE].map(|reach| weights(reach.min(middle as f32)));
    let mean = |index: usize, weights: &[f32]| {
        let first = middle - weights.len() / 2;
        let frames = window[first..].iter().zip(weights);
        frames.fold(Vec3::default(), |sum, (face, &weight)| sum + face.points[index] * weight)
    };
    let points: Box<[Vec3; POINT_COUNT]> = Box::new(std::array::from_fn(|index| {
        mean(index, if STABLE.contains(&index) { &pose } else { &point })
    }));
    FaceObservation::new(points, now.presence, now.mouth_visible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};
    use proptest::prelude::*;

    fn moving(frames: usize, place: impl Fn(f32) -> f32) -> Vec<FaceObservation> {
        (0..frames)
            .map(|t| canonical_face(&head([0.0, 0.0, 0.0], 100.0, place(t as f32), 200.0), 0.0))
            .collect()
    }

    #[test]
    fn even_acceleration_passes_unchanged_at_every_window() {
        let faces = moving(7, |t| 300.0 + 4.0 * t + 0.9 * t * t);
        for length in [1, 3, 5, 7] {
            let first = 3 - length / 2;
            let window: Vec<_> = faces[first..first + length].iter().collect();
            let smoothed = smooth(&window, DEFAULT_SMOOTHING).unwrap();
            for (a, b) in smoothed.points.iter().zip(faces[3].points.iter()) {
                assert!((*a - *b).length() < 1e-2, "{length} frames: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn jitter_shrinks_and_more_so_in_the_pose() {
        let faces = moving(7, |t| 300.0 + if (t as usize).is_multiple_of(2) { 1.0 } else { -1.0 });
        let smoothed = smooth(&faces.iter().collect::<Vec<_>>(), DEFAULT_SMOOTHING).unwrap();
        let off = |point: usize| (smoothed.points[point].x - faces[0].points[point].x + 1.0).abs();
        assert!(off(STABLE.start) < 0.4 && off(0) < 0.6, "{} {}", off(STABLE.start), off(0));
    }

    #[test]
    fn the_weights_are_those_of_the_table() {
        let table =
            |numbers: &[i16], whole: f32| numbers.iter().map(|&n| f32::from(n) / whole).collect::<Vec<_>>();
        assert_eq!(weights(0.0), [1.0]);
        assert_eq!(weights(1.0), [0.0, 1.0, 0.0]);
        let reach = pose_reach(DEFAULT_SMOOTHING);
        assert_eq!(weights(reach * POINT_SHARE), table(&[-3, 12, 17, 12, -3], 35.0));
        assert_eq!(weights(reach), table(&[-2, 3, 6, 7, 6, 3, -2], 21.0));
        assert_eq!(weights(4.0), table(&[-21, 14, 39, 54, 59, 54, 39, 14, -21], 231.0));
    }

    proptest! {
        #[test]
        fn any_smoothing_is_even_and_keeps_a_parabola(reach in 0f32..=10.0, a in -1f32..1.0, b in -1f32..1.0) {
            let weights = weights(reach);
            let middle = (weights.len() / 2) as f32;
            let sum = |value: &dyn Fn(f32) -> f32| {
                weights.iter().enumerate().map(|(i, weight)| weight * value(i as f32 - middle)).sum::<f32>()
            };
            prop_assert!(weights.iter().rev().zip(&weights).all(|(a, b)| (a - b).abs() < 1e-9));
            prop_assert!((sum(&|_| 1.0) - 1.0).abs() < 1e-4);
            prop_assert!(sum(&|t| a * t + b * t * t).abs() < 1e-3);
        }
    }
}
