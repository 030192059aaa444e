//! Greedy non-maximum suppression, as all public detectors do it.

use super::Detection;
use std::cmp::Ordering;
use viseme_core::geometry::{Rect, Vec2};

/// A box that a detector proposes. Corners are kept as the reference implementations keep them, so that overlaps come
/// out the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Left, top, right and bottom, in pixels of the frame.
    pub(super) corners: [f32; 4],
    pub(super) score: f32,
    pub(super) points: Option<[Vec2; 5]>,
}

impl From<Candidate> for Detection {
    fn from(candidate: Candidate) -> Self {
        let [left, top, right, bottom] = candidate.corners;
        let bbox = Rect { x: left, y: top, width: right - left, height: bottom - top };
        Self { bbox, score: candidate.score, points: candidate.points }
    }
}

/// The best of each group of candidates that overlap by more than `threshold`, best first.
///
/// Candidates that are not finite are dropped.
pub(super) fn suppress(
    mut candidates: Vec<Candidate>,
    threshold: f32,
    overlap: impl Fn(&[f32; 4], &[f32; 4]) -> f32,
) -> Vec<Detection> {
    candidates.retain(|c| c.score.is_finite() && c.corners.iter().all(|value| value.is_finite()));
    candidates.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|better| overlap(&better.corners, &candidate.corners) <= threshold) {
            kept.push(candidate);
        }
    }
    kept.into_iter().map(Detection::from).collect()
}

/// Intersection over union of boxes whose corners are whole pixels that belong to them, so that a box from 3 to 5 is 3
/// wide. Fast R-CNN's convention, kept by SCRFD and S3FD.
pub(super) fn overlap_of_pixels(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |c: &[f32; 4]| (c[2] - c[0] + 1.0) * (c[3] - c[1] + 1.0);
    let width = (a[2].min(b[2]) - a[0].max(b[0]) + 1.0).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1]) + 1.0).max(0.0);
    let common = width * height;
    common / (area(a) + area(b) - common)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(x: f32, y: f32, side: f32, score: f32) -> Candidate {
        Candidate { corners: [x, y, x + side, y + side], score, points: None }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_sorted_and_apart(
            boxes in proptest::collection::vec((0f32..200.0, 0f32..200.0, 1f32..90.0, 0f32..1.0), 0..40),
        ) {
            let candidates = boxes.iter().map(|&(x, y, side, score)| candidate(x, y, side, score)).collect();
            let kept = suppress(candidates, 0.4, overlap_of_pixels);
            prop_assert_eq!(kept.is_empty(), boxes.is_empty());
            prop_assert!(kept.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[..i] {
                    let corners = |d: &Detection| {
                        [d.bbox.x, d.bbox.y, d.bbox.x + d.bbox.width, d.bbox.y + d.bbox.height]
                    };
                    prop_assert!(overlap_of_pixels(&corners(a), &corners(b)) <= 0.4001);
                }
            }
        }
    }

    #[test]
    fn boxes_that_are_not_numbers_are_dropped() {
        let broken = Candidate { corners: [0.0, f32::NAN, 1.0, 1.0], score: 0.9, points: None };
        let unsure = Candidate { score: f32::NAN, ..candidate(0.0, 0.0, 5.0, 0.0) };
        assert_eq!(suppress(vec![broken, unsure], 0.4, overlap_of_pixels), []);
    }

    #[test]
    fn pixels_on_the_edge_belong_to_the_box() {
        assert!((overlap_of_pixels(&[0.0, 0.0, 1.0, 1.0], &[1.0, 0.0, 2.0, 1.0]) - 1.0 / 3.0).abs() < 1e-6);
    }
}
