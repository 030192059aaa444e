//! Our own detector.

use super::{Detection, FaceDetector};
use crate::framing::AnalysisImage;
use std::cmp::Ordering;
use std::sync::Arc;
use viseme_core::geometry::Rect;
use viseme_core::{Error, Result};
use viseme_imaging::letterbox_rgb;
use viseme_models::{InferenceSession, Tensor};

/// Longest side of the picture that the net sees, in pixels. Faces are found down to about a twenty-fifth of it.
const LONG_SIDE: usize = 512;
/// Both sides of the net's input are multiples of its coarsest stride.
const COARSEST_STRIDE: usize = 32;
/// Cells below this score are no faces.
const LEAST_SCORE: f32 = 0.3;
/// Of two boxes that overlap more than this only the better is kept.
const SAME_FACE_IOU: f32 = 0.4;

/// Our own detector net: input `image` `[1, 3, H, W]`, RGB, value / 127.5 − 1, the frame in the top left corner and 0
/// around it; outputs `boxes` `[1, A, 4]` (centre x, centre y, width, height in pixels of the input) and `scores`
/// `[1, A]`, 0 to 1, over all A cells.
#[derive(Debug, Clone)]
pub struct DetectorNet {
    session: Arc<dyn InferenceSession>,
}

impl DetectorNet {
    /// Wraps a loaded net.
    #[must_use]
    pub fn new(session: Arc<dyn InferenceSession>) -> Self {
        Self { session }
    }
}

impl FaceDetector for DetectorNet {
    fn name(&self) -> &'static str {
        "native"
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        let small = letterbox_rgb(image.frame, image.colour, LONG_SIDE, LONG_SIDE);
        let width = small.width.next_multiple_of(COARSEST_STRIDE);
        let height = small.height.next_multiple_of(COARSEST_STRIDE);
        let mut input = vec![0.0; 3 * width * height];
        let rows = small.pixels.chunks_exact(small.width).enumerate();
        for (row, pixels) in rows {
            let (plane, y) = (row / small.height, row % small.height);
            let target = &mut input[(plane * height + y) * width..][..small.width];
            for (value, pixel) in target.iter_mut().zip(pixels) {
                *value = pixel / 127.5 - 1.0;
            }
        }
        let input = Tensor::new(vec![1, 3, height, width], input)?;
        let outputs = self.session.run(vec![("image", input)], &["boxes", "scores"])?;
        let [boxes, scores] = outputs.as_slice() else {
            return Err(Error::internal("the detector net gave not two outputs"));
        };
        let found = decode(boxes.floats()?, scores.floats()?, small.scale.x, small.scale.y);
        Ok(without_duplicates(found))
    }
}

/// The cells that look like a face, in pixels of the frame.
fn decode(boxes: &[f32], scores: &[f32], scale_x: f32, scale_y: f32) -> Vec<Detection> {
    boxes
        .chunks_exact(4)
        .zip(scores)
        .filter(|&(_, &score)| score >= LEAST_SCORE)
        .map(|(cell, &score)| {
            let (width, height) = (cell[2] / scale_x, cell[3] / scale_y);
            let bbox = Rect {
                x: cell[0] / scale_x - width / 2.0,
                y: cell[1] / scale_y - height / 2.0,
                width,
                height,
            };
            Detection { bbox, score, points: None }
        })
        .collect()
}

/// Greedy non-maximum suppression; the kept box is the mean of the boxes that it stands for, by score, which is
/// steadier than the best one alone.
fn without_duplicates(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    let mut kept: Vec<(Detection, Vec<Detection>)> = Vec::new();
    for detection in found {
        match kept.iter_mut().find(|(best, _)| best.bbox.iou(&detection.bbox) > SAME_FACE_IOU) {
            Some((_, group)) => group.push(detection),
            None => kept.push((detection, vec![detection])),
        }
    }
    kept.into_iter().map(|(best, group)| Detection { bbox: mean_box(&group), ..best }).collect()
}

fn mean_box(group: &[Detection]) -> Rect {
    let total: f32 = group.iter().map(|d| d.score).sum();
    let mean = |part: fn(&Rect) -> f32| group.iter().map(|d| part(&d.bbox) * d.score).sum::<f32>() / total;
    Rect { x: mean(|b| b.x), y: mean(|b| b.y), width: mean(|b| b.width), height: mean(|b| b.height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, y: f32, side: f32, score: f32) -> Detection {
        Detection { bbox: Rect { x, y, width: side, height: side }, score, points: None }
    }

    #[test]
    fn cells_come_back_to_pixels_of_the_frame() {
        let boxes = [100.0, 50.0, 40.0, 20.0, 7.0, 7.0, 7.0, 7.0];
        let found = decode(&boxes, &[0.9, 0.1], 0.5, 0.5);
        assert_eq!(
            found,
            [Detection {
                bbox: Rect { x: 160.0, y: 80.0, width: 80.0, height: 40.0 },
                score: 0.9,
                points: None
            }]
        );
    }

    #[test]
    fn overlapping_boxes_become_one_and_the_best_comes_first() {
        let found =
            vec![square(300.0, 0.0, 50.0, 0.6), square(0.0, 0.0, 100.0, 0.8), square(8.0, 0.0, 100.0, 0.8)];
        let kept = without_duplicates(found);
        assert_eq!(kept, [square(4.0, 0.0, 100.0, 0.8), square(300.0, 0.0, 50.0, 0.6)]);
    }

    #[test]
    fn a_score_that_is_not_a_number_is_no_face() {
        assert_eq!(decode(&[1.0; 4], &[f32::NAN], 1.0, 1.0), []);
    }
}
