//! S3FD (Zhang et al. 2017), the detector of the original `Wav2Lip`. Slow: for results equal to its own.

use super::anchors::{Level, not_a_detector, picture_input, values};
use super::suppression::{Candidate, overlap_of_pixels, suppress};
use super::{Detection, FaceDetector};
use crate::blob::{Blob, Order};
use crate::framing::AnalysisImage;
use std::sync::Arc;
use viseme_core::Result;
use viseme_imaging::opencv::{Interpolation, resize};
use viseme_imaging::{ImageU8, rgb_image};
use viseme_models::{InferenceSession, Tensor};

/// Cells above this probability go into the suppression (`sfd/detect.py`).
const LEAST_SCORE: f32 = 0.05;
/// Of two boxes that overlap more than this only the better is kept (`sfd_detector.py`).
const SAME_FACE: f32 = 0.3;
/// What is left counts as a face above this probability (`sfd_detector.py`).
const LEAST_FACE_SCORE: f32 = 0.5;
/// RGB minus these means, which the authors give for BGR: `Wav2Lip` turns the channels round and keeps the means.
const BLOB: Blob = Blob { order: Order::Rgb, mean: [104.0, 117.0, 123.0], deviation: [1.0; 3] };
/// One anchor per cell of each, four strides wide.
const STRIDES: [usize; 6] = [4, 8, 16, 32, 64, 128];
/// Pixels of a side of an anchor, in strides.
const ANCHOR_SIDE: f32 = 4.0;
/// How finely the net speaks of places and of sizes (`sfd/detect.py`, `variances`).
const VARIANCES: [f32; 2] = [0.1, 0.2];
/// Longer pictures are halved until they fit, as `Wav2Lip`'s `--resize_factor` would: the net needs about 5 KB a pixel.
const LONGEST_SIDE: usize = 1920;

/// The S3FD net: input `[N, 3, H, W]`; twelve outputs, for the strides 4 to 128 in turn two logits `[N, 2, H', W']`
/// (background, face) and the box `[N, 4, H', W']`. Names do not matter.
#[derive(Debug, Clone)]
pub struct S3fd {
    session: Arc<dyn InferenceSession>,
    input: String,
}

impl S3fd {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when its inputs and outputs are not those of an S3FD.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        let (input, _) = picture_input(&*session)?;
        if session.info().outputs.len() != 2 * STRIDES.len() {
            return Err(not_a_detector(&*session));
        }
        Ok(Self { session, input })
    }

    /// The faces of a picture (red, green, blue), best first, each once. `Wav2Lip` takes the first.
    ///
    /// # Errors
    /// When the net fails.
    pub fn detect_in(&self, image: &ImageU8<3>) -> Result<Vec<Detection>> {
        let (columns, rows) = (image.width(), image.height());
        let factor = columns.max(rows).div_ceil(LONGEST_SIDE).next_power_of_two();
        if factor == 1 {
            return self.detect_scaled(image, 1.0);
        }
        let small = resize(image, (columns / factor).max(1), (rows / factor).max(1), Interpolation::Linear)?;
        self.detect_scaled(&small, 1.0 / factor as f32)
    }

    fn detect_scaled(&self, image: &ImageU8<3>, scale: f32) -> Result<Vec<Detection>> {
        let input = BLOB.tensor(image, image.width(), image.height())?;
        let names: Vec<&str> =
            self.session.info().outputs.iter().map(|output| output.name.as_str()).collect();
        let outputs = self.session.run(vec![(&self.input, input)], &names)?;
        Self::decode(&outputs, scale)
    }

    /// The faces in the outputs of the net for one picture, which was shrunk to `scale`, best first, each once.
    ///
    /// # Errors
    /// `InvalidInput` when the outputs are not those of an S3FD.
    pub fn decode(outputs: &[Tensor], scale: f32) -> Result<Vec<Detection>> {
        let mut candidates = Vec::new();
        for (pair, stride) in outputs.chunks(2).zip(STRIDES) {
            decode_level(pair, stride, scale, &mut candidates)?;
        }
        let mut faces = suppress(candidates, SAME_FACE, overlap_of_pixels);
        faces.retain(|face| face.score > LEAST_FACE_SCORE);
        Ok(faces)
    }
}

fn decode_level(pair: &[Tensor], stride: usize, scale: f32, candidates: &mut Vec<Candidate>) -> Result<()> {
    let ([classes, places], Some(&[_, 2, rows, columns])) = (pair, pair.first().map(Tensor::shape)) else {
        let hint = "The file is of another model. `viseme models verify` checks installed ones.";
        return Err(viseme_core::Error::invalid_input("outputs that are not those of S3FD").with_hint(hint));
    };
    let level = Level { columns, cells: rows * columns };
    let count = level.cells;
    let (classes, places) = (values(classes, "classes", 2 * count)?, values(places, "boxes", 4 * count)?);
    let step = stride as f32;
    let side = ANCHOR_SIDE * step;
    for cell in 0..count {
        let score = face_probability(classes[cell], classes[count + cell]);
        if score.is_nan() || score <= LEAST_SCORE {
            continue;
        }
        let (column, row) = level.position(cell);
        let place = |k: usize| places[k * count + cell];
        let center = |k: usize, index: f32| step / 2.0 + index * step + place(k) * VARIANCES[0] * side;
        let extent = |k: usize| side * (place(k) * VARIANCES[1]).exp();
        let (width, height) = (extent(2), extent(3));
        let (left, top) = (center(0, column) - width / 2.0, center(1, row) - height / 2.0);
        let corners = [left, top, left + width, top + height].map(|value| value / scale);
        candidates.push(Candidate { corners, score, points: None });
    }
    Ok(())
}

/// The second part of the softmax of two logits.
fn face_probability(background: f32, face: f32) -> f32 {
    let most = background.max(face);
    let (background, face) = ((background - most).exp(), (face - most).exp());
    face / (background + face)
}

impl FaceDetector for S3fd {
    fn name(&self) -> &str {
        &self.session.info().name
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        self.detect_in(&rgb_image(image.frame, image.colour)?)
    }
}
