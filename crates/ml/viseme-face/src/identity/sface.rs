//! `SFace` (Zhong et al. 2021), the embedder of `OpenCV`'s model zoo. Free for commercial use.

use super::EmbeddingNet;
use crate::blob::Blob;
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// RGB, 0 to 255: the graph normalises (`face_recognize.cpp`, `feature`).
const BLOB: Blob = Blob::rgb(0.0, 1.0);
/// Length of the embedding.
const DIMENSIONS: usize = 128;
/// The threshold that `OpenCV` gives for it, measured on LFW (tutorial "DNN-based face detection and recognition").
/// Not measured here: the weights were not at hand.
const SAME_PERSON_COSINE: f32 = 0.363;

/// Wraps a loaded `SFace` net with 128 dimensions.
///
/// # Errors
/// `InvalidInput` when it does not take one picture of 112 × 112.
pub fn sface(session: Arc<dyn InferenceSession>) -> Result<EmbeddingNet> {
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
