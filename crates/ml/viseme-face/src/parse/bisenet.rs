//! `BiSeNet` (Yu et al. 2018), trained on `CelebAMask-HQ`.

use super::{FaceParser, FaceRegion};
use crate::blob::{Blob, Order};
use crate::net::SingleInput;
use std::sync::Arc;
use viseme_core::Result;
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{Interpolation, resize};
use viseme_models::InferenceSession;

/// Pixels of a side.
const SIZE: usize = 512;
/// RGB, 0 to 1, then the mean and deviation of `ImageNet` (face-parsing.PyTorch, `test.py`).
const BLOB: Blob = Blob {
    order: Order::Rgb,
    mean: [0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0],
    deviation: [0.229 * 255.0, 0.224 * 255.0, 0.225 * 255.0],
};

/// A face parser: input `[1, 3, 512, 512]`, first output `[1, 19, 512, 512]`, a score for each region.
#[derive(Debug, Clone)]
pub struct BiSeNet(SingleInput);

impl BiSeNet {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when it does not take one picture of 512 × 512.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        SingleInput::new(session, SIZE, BLOB).map(Self)
    }
}

impl FaceParser for BiSeNet {
    fn parse(&self, crop: &ImageU8<3>) -> Result<ImageU8<1>> {
        let scores = if (crop.width(), crop.height()) == (SIZE, SIZE) {
            self.0.run_one(crop, FaceRegion::COUNT * SIZE * SIZE)?
        } else {
            let resized = resize(crop, SIZE, SIZE, Interpolation::Linear)?;
            self.0.run_one(&resized, FaceRegion::COUNT * SIZE * SIZE)?
        };
        let mut best = vec![(f32::NEG_INFINITY, 0); SIZE * SIZE];
        for (region, plane) in scores.chunks_exact(SIZE * SIZE).enumerate() {
            for (best, &score) in best.iter_mut().zip(plane) {
                if score > best.0 {
                    *best = (score, region as u8);
                }
            }
        }
        ImageU8::new(SIZE, SIZE, best.into_iter().map(|(_, region)| [region]).collect())
    }
}
