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
/// Measured on the shared clips and portraits, aligned by SCRFD: one person in moments of one clip has 0.48 or more (895
/// pairs), different persons 0.45 or less. Photographs taken years apart lie closer to the author's own threshold on LFW,
/// 70 degrees or 0.34.
const SAME_PERSON_COSINE: f32 = 0.46;

/// Wraps a loaded `MobileFaceNet` with 128 dimensions.
///
/// # Errors
/// `InvalidInput` when it does not take one picture of 112 × 112.
pub fn mobilefacenet(session: Arc<dyn InferenceSession>) -> Result<EmbeddingNet> {
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
