//! Smoothing over time without delay: a parabola through the frames before and after (Savitzky and Golay 1964).

use crate::FaceObservation;
use crate::points::{POINT_COUNT, STABLE};
use viseme_core::geometry::Vec3;

/// Frames to either side of the present one that the stable points, and so the head pose, are smoothed over.
pub(crate) const POSE_REACH: usize = 3;
/// The same for all other points: lips are quick, five frames of a parabola hardly dampen them.
const POINT_REACH: usize = 2;

/// The weights of the frames −reach to +reach for the value at the middle of the parabola that fits them best.
///
/// Savitzky and Golay's table for order 2, by reach: the nearest frame alone, three frames (which a parabola
/// goes through, so the middle one alone counts), five, seven.
fn weights(reach: usize) -> &'static [f32] {
    const FIVE: [f32; 5] = [-3.0 / 35.0, 12.0 / 35.0, 17.0 / 35.0, 12.0 / 35.0, -3.0 / 35.0];
    const SEVEN: [f32; 7] =
        [-2.0 / 21.0, 3.0 / 21.0, 6.0 / 21.0, 7.0 / 21.0, 6.0 / 21.0, 3.0 / 21.0, -2.0 / 21.0];
    match reach {
        0 | 1 => &[1.0],
        2 => &FIVE,
        _ => &SEVEN,
    }
}

/// The middle one of `window`, smoothed over its neighbours: an odd number of frames of one track, at most
/// 2 · [`POSE_REACH`] + 1. A shorter window smooths less; near the ends of a track it is as long as fits evenly.
pub(crate) fn smooth(window: &[&FaceObservation]) -> Option<FaceObservation> {
    let middle = window.len() / 2;
    let now = window.get(middle)?;
    let mean = |point: usize, reach: usize| {
        let weights = weights(reach.min(middle));
        let first = middle - weights.len() / 2;
        let frames = window[first..].iter().zip(weights);
        frames.fold(Vec3::default(), |sum, (face, &weight)| sum + face.points[point] * weight)
    };
    let points: Box<[Vec3; POINT_COUNT]> = Box::new(std::array::from_fn(|point| {
        mean(point, if STABLE.contains(&point) { POSE_REACH } else { POINT_REACH })
    }));
    FaceObservation::new(points, now.presence, now.mouth_visible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};

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
            let smoothed = smooth(&window).unwrap();
            for (a, b) in smoothed.points.iter().zip(faces[3].points.iter()) {
                assert!((*a - *b).length() < 1e-2, "{length} frames: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn jitter_shrinks_and_more_so_in_the_pose() {
        let faces = moving(7, |t| 300.0 + if (t as usize).is_multiple_of(2) { 1.0 } else { -1.0 });
        let smoothed = smooth(&faces.iter().collect::<Vec<_>>()).unwrap();
        let off = |point: usize| (smoothed.points[point].x - faces[0].points[point].x + 1.0).abs();
        assert!(off(STABLE.start) < 0.4 && off(0) < 0.6, "{} {}", off(STABLE.start), off(0));
    }
}
