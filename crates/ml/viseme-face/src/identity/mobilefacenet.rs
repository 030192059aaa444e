//! `MobileFaceNet` (Chen et al. 2018), as trained by foamliu.

use super::EmbeddingNet;
use crate::blob::{Blob, Order};
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// RGB, 0 to 1, then the mean and deviation of `ImageNet` (`data_gen.py`, `data_transforms`).
const BLOB: Blob = Blob {
    order: Order::Rgb,
    mean: [0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0],
    deviation: [0.229 * 255.0, 0.224 * 255.0, 0.225 * 255.0],
};
/// Length of the embedding.
const DIMENSIONS: usize = 128;
/// Chosen on the shared clips and portraits, aligned by SCRFD, and not tried on others: none of the 895 pairs of moments
/// of one clip lies below it (least 0.48), and 4 of 2,412 pairs of people lie above (two men of 0.50, three drawn women
/// of up to 0.68). No threshold parts them all. Photographs of one person taken apart were not measured; the author's own
/// threshold on LFW, 70 degrees or 0.34, is lower, and would merge 23 pairs here.
const SAME_PERSON_COSINE: f32 = 0.46;

/// Wraps a loaded `MobileFaceNet` with 128 dimensions.
///
/// # Errors
/// `InvalidInput` when it does not take one picture of 112 × 112.
pub fn mobilefacenet(session: Arc<dyn InferenceSession>) -> Result<EmbeddingNet> {
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
