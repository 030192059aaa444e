//! `ArcFace` (Deng et al. 2019) with an iResNet: `w600k_r50` of `InsightFace`'s `buffalo_l`.

use super::EmbeddingNet;
use crate::blob::Blob;
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// RGB, (value − 127.5) / 127.5 (`arcface_onnx.py`).
const BLOB: Blob = Blob::rgb(127.5, 127.5);
/// Length of the embedding.
const DIMENSIONS: usize = 512;
/// facefusion's default for the same net: half of (1 − cosine) at most 0.3. Not measured here: the weights are not free
/// to fetch.
const SAME_PERSON_COSINE: f32 = 0.4;

/// Wraps a loaded `ArcFace` net with 512 dimensions.
///
/// # Errors
/// `InvalidInput` when it does not take one picture of 112 × 112.
pub fn arcface(session: Arc<dyn InferenceSession>) -> Result<EmbeddingNet> {
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
