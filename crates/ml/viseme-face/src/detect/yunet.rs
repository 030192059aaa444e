//! `YuNet` (Wu, Peng, Yu 2023), the detector of `OpenCV`'s model zoo. Free for commercial use.

use super::anchors::{Level, picture_input, values};
use super::letterbox::letterbox;
use super::suppression::{Candidate, suppress};
use super::{Detection, FaceDetector};
use crate::blob::{Blob, Order};
use crate::framing::AnalysisImage;
use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::Vec2;
use viseme_imaging::{ImageU8, rgb_image};
use viseme_models::{InferenceSession, Tensor};

/// Longest side of the input where the file does not fix it: that of the file in `OpenCV`'s zoo.
const SIDE: usize = 640;
/// Cells below this score are no faces. Our choice: with it `YuNet` finds all that SCRFD finds on the shared portraits.
const LEAST_SCORE: f32 = 0.6;
/// Of two boxes that overlap more than this only the better is kept (`FaceDetectorYN::create`, `nms_threshold`).
const SAME_FACE: f32 = 0.3;
/// BGR, 0 to 255 (`face_detect.cpp`).
const BLOB: Blob = Blob { order: Order::Bgr, mean: [0.0; 3], deviation: [1.0; 3] };
/// One anchor per cell of each.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Scores, then certainty that there is an object, boxes and five points, each for all strides.
const OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8",
    "kps_16", "kps_32",
];

/// The `YuNet` net: input `[1, 3, H, W]`, sides multiples of 32; outputs as named in `face_detect.cpp` of `OpenCV`.
#[derive(Debug, Clone)]
pub struct YuNet {
    session: Arc<dyn InferenceSession>,
    input: String,
    fixed: Option<[usize; 2]>,
}

impl YuNet {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// When its inputs and outputs are not those of a `YuNet`.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let (input, fixed) = picture_input(&*session)?;
        for name in OUTPUTS {
            session.info().output(name)?;
        }
        Ok(Self { session, input, fixed })
    }

    /// The faces of a picture (red, green, blue), best first, each once. It is scaled to 640 pixels on its longer side
    /// and padded with black to multiples of 32, or to the size that the file fixes.
    ///
    /// # Errors
    /// When the net fails.
    pub fn detect_in(&self, image: &ImageU8<3>) -> Result<Vec<Detection>> {
        let [most_wide, most_high] = self.fixed.unwrap_or([SIDE; 2]);
        let small = letterbox(image, most_wide, most_high)?;
        let padded = |side: usize| side.next_multiple_of(STRIDES[2]);
        let [width, height] =
            self.fixed.unwrap_or([padded(small.image.width()), padded(small.image.height())]);
        let input = BLOB.tensor(&small.image, width, height)?;
        let outputs = self.session.run(vec![(&self.input, input)], &OUTPUTS)?;
        decode(&outputs, width, height, small.scale)
    }
}

impl FaceDetector for YuNet {
    fn name(&self) -> &str {
        &self.session.info().name
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        self.detect_in(&rgb_image(image.frame, image.colour)?)
    }
}

/// The faces in the outputs of the net (`FaceDetectorYNImpl::postProcess`).
fn decode(outputs: &[Tensor], width: usize, height: usize, scale: f32) -> Result<Vec<Detection>> {
    let mut candidates = Vec::new();
    for (index, stride) in STRIDES.into_iter().enumerate() {
        let level = Level::of_input(stride, width, height);
        let output = |kind: usize, width: usize| {
            let index = kind * STRIDES.len() + index;
            values(&outputs[index], OUTPUTS[index], level.cells * width)
        };
        let (faces, objects, boxes, points) = (output(0, 1)?, output(1, 1)?, output(2, 4)?, output(3, 10)?);
        let step = stride as f32;
        for (cell, (face, object)) in faces.iter().zip(objects).enumerate() {
            let score = (face.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            if score.is_nan() || score < LEAST_SCORE {
                continue;
            }
            let (column, row) = level.position(cell);
            let part = &boxes[4 * cell..][..4];
            let (x, y) = ((column + part[0]) * step, (row + part[1]) * step);
            let (width, height) = (part[2].exp() * step, part[3].exp() * step);
            let (left, top) = (x - width / 2.0, y - height / 2.0);
            let corners = [left, top, left + width, top + height].map(|value| value / scale);
            let point = |i: usize| {
                let x = (points[10 * cell + 2 * i] + column) * step;
                Vec2::new(x, (points[10 * cell + 2 * i + 1] + row) * step) * (1.0 / scale)
            };
            candidates.push(Candidate { corners, score, points: Some(std::array::from_fn(point)) });
        }
    }
    Ok(suppress(candidates, SAME_FACE, overlap))
}

/// Intersection over union.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |c: &[f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let common = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let union = area(a) + area(b) - common;
    if union > 0.0 { common / union } else { 0.0 }
}
