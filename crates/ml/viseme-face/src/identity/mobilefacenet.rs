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
///
/// Aligned by our own landmarks, as the product does (`training/face/evaluate_identity.py`, 66 people): of half a track
/// and a single picture it tears 1.4 % of 648 that show one person and merges 0.01 % of 50,974 that show two; of halves
/// of tracks it tears none of 54 and merges 3 of 5,617 (drawn people). The least total error lies at 0.30 to 0.43.
const SAME_PERSON_COSINE: f32 = 0.46;

/// Wraps a loaded `MobileFaceNet` with 128 dimensions.
///
/// # Errors
/// `InvalidInput` when it does not take one picture of 112 × 112.
pub fn mobilefacenet(session: Arc<dyn InferenceSession>) -> Result<EmbeddingNet> {
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
