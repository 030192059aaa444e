//! SCRFD (Guo et al. 2021), the detector of `InsightFace`: `det_10g` of `buffalo_l`, `scrfd_2.5g` and their kin.

use super::anchors::{Level, not_a_detector, picture_input, values};
use super::letterbox::letterbox;
use super::suppression::{Candidate, overlap_of_pixels, suppress};
use super::{Detection, FaceDetector};
use crate::blob::Blob;
use crate::framing::AnalysisImage;
use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::Vec2;
use viseme_imaging::{ImageU8, rgb_image};
use viseme_models::{InferenceSession, Tensor};

/// Both sides of the input where the file does not fix them (`insightface/app/face_analysis.py`).
const SIDE: usize = 640;
/// Cells below this score are no faces (`scrfd.py`, `detect`).
const LEAST_SCORE: f32 = 0.5;
/// Of two boxes that overlap more than this only the better is kept (`scrfd.py`, `nms_threshold`).
const SAME_FACE: f32 = 0.4;
/// RGB, (value − 127.5) / 128 (`scrfd.py`, `forward`).
const BLOB: Blob = Blob::rgb(127.5, 128.0);

/// An SCRFD net: input `[1, 3, H, W]`; outputs, level after level and cell after cell, all scores `[cells, 1]` (0 to
/// 1), then all boxes `[cells, 4]` (distances from the anchor to left, top, right, bottom in strides), then, where it
/// has them, five points `[cells, 10]` (offsets from the anchor in strides). Exports with a leading dimension of 1
/// work as well; names do not matter.
#[derive(Debug, Clone)]
pub struct Scrfd {
    session: Arc<dyn InferenceSession>,
    input: String,
    width: usize,
    height: usize,
    layout: Layout,
}

/// What the number of outputs says about a net (`scrfd.py`, `_init_vars`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    strides: &'static [usize],
    anchors_per_cell: usize,
    has_points: bool,
}

impl Layout {
    fn of_outputs(count: usize) -> Option<Self> {
        let (strides, anchors_per_cell): (&[usize], usize) = match count {
            6 | 9 => (&[8, 16, 32], 2),
            10 | 15 => (&[8, 16, 32, 64, 128], 1),
            _ => return None,
        };
        Some(Self { strides, anchors_per_cell, has_points: count == 3 * strides.len() })
    }
}

impl Scrfd {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when its inputs and outputs are not those of an SCRFD.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let (input, size) = picture_input(&*session)?;
        let layout =
            Layout::of_outputs(session.info().outputs.len()).ok_or_else(|| not_a_detector(&*session))?;
        let [width, height] = size.unwrap_or([SIDE; 2]);
        Ok(Self { session, input, width, height, layout })
    }

    /// The same with an input of another size, for nets that take any: multiples of 32 pixels. No change for a net
    /// that fixes its own.
    #[must_use]
    pub fn with_input_size(self, width: usize, height: usize) -> Self {
        match picture_input(&*self.session) {
            Ok((_, None)) => {
                Self { width: width.next_multiple_of(32), height: height.next_multiple_of(32), ..self }
            }
            _ => self,
        }
    }

    /// The faces of a picture (red, green, blue), best first, each once.
    ///
    /// # Errors
    /// When the net fails.
    pub fn detect_in(&self, image: &ImageU8<3>) -> Result<Vec<Detection>> {
        let small = letterbox(image, self.width, self.height)?;
        let input = BLOB.tensor(&small.image, self.width, self.height)?;
        let names: Vec<&str> =
            self.session.info().outputs.iter().map(|output| output.name.as_str()).collect();
        let outputs = self.session.run(vec![(&self.input, input)], &names)?;
        self.decode(&outputs, small.scale)
    }

    /// The faces in the outputs of the net, whose input was shrunk to `scale`, best first, each once.
    ///
    /// # Errors
    /// `InvalidInput` when the outputs are not those of an SCRFD with this input.
    pub fn decode(&self, outputs: &[Tensor], scale: f32) -> Result<Vec<Detection>> {
        let mut candidates = Vec::new();
        for (index, &stride) in self.layout.strides.iter().enumerate() {
            self.decode_level(outputs, index, stride, scale, &mut candidates)?;
        }
        Ok(suppress(candidates, SAME_FACE, overlap_of_pixels))
    }

    fn decode_level(
        &self,
        outputs: &[Tensor],
        index: usize,
        stride: usize,
        scale: f32,
        candidates: &mut Vec<Candidate>,
    ) -> Result<()> {
        let Layout { strides, anchors_per_cell, has_points } = self.layout;
        let level = Level::of_input(stride, self.width, self.height);
        let count = level.cells * anchors_per_cell;
        let output = |kind: usize, name: &str, width: usize| match outputs.get(kind * strides.len() + index) {
            Some(tensor) => values(tensor, name, count * width),
            None => Err(not_a_detector(&*self.session)),
        };
        let (scores, boxes) = (output(0, "scores", 1)?, output(1, "boxes", 4)?);
        let points = if has_points { Some(output(2, "points", 10)?) } else { None };
        let step = stride as f32;
        for (anchor, &score) in scores.iter().enumerate().filter(|&(_, &score)| score >= LEAST_SCORE) {
            let (column, row) = level.position(anchor / anchors_per_cell);
            let (x, y) = (column * step, row * step);
            let side = &boxes[4 * anchor..][..4];
            let corners = [x - side[0] * step, y - side[1] * step, x + side[2] * step, y + side[3] * step];
            let points = points.map(|points| {
                let offset = |i: usize| points[10 * anchor + i] * step;
                std::array::from_fn(|i| {
                    Vec2::new((x + offset(2 * i)) / scale, (y + offset(2 * i + 1)) / scale)
                })
            });
            candidates.push(Candidate { corners: corners.map(|value| value / scale), score, points });
        }
        Ok(())
    }
}

impl FaceDetector for Scrfd {
    fn name(&self) -> &str {
        &self.session.info().name
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        self.detect_in(&rgb_image(image.frame, image.colour)?)
    }
}

/// The `count` faces that matter most in a picture of `width` × `height` pixels, most first: large ones near its middle
/// (area − 2 · squared distance, `scrfd.py`, `max_num` with the default metric).
#[must_use]
pub fn keep_central(mut faces: Vec<Detection>, count: usize, width: usize, height: usize) -> Vec<Detection> {
    if faces.len() <= count {
        return faces;
    }
    let middle = Vec2::new((width / 2) as f32, (height / 2) as f32);
    let weight = |face: &Detection| {
        let away = face.bbox.center() - middle;
        face.bbox.width * face.bbox.height - 2.0 * away.dot(away)
    };
    faces.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    faces.truncate(count);
    faces
}
