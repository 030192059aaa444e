//! Our own embedder, for those who installed none.

use super::EmbeddingNet;
use crate::Weights;
use crate::blob::Blob;
use viseme_core::Result;
use viseme_models::{ModelFile, Runtime};

/// How they were made and what they were trained on stands in `training/face/MODEL_CARD_identity.md`.
const NET: &[u8] = include_bytes!("../../nets/identity.onnx");
const CLEAN_NET: &[u8] = include_bytes!("../../nets/clean/identity.onnx");

/// RGB, value / 127.5 − 1.
const BLOB: Blob = Blob::rgb(127.5, 127.5);
/// Length of the embedding.
const DIMENSIONS: usize = 128;
/// Measured on 66 people whom the nets never saw, aligned by our landmarks (`training/face/evaluate_identity.py`): of half a
/// track and a single picture 5 % that show one person lie below it, and 2 % that show two above, with both sets of weights.
/// The errors balance at 0.35 and, clean, at 0.39 (4 %); two people taken for one are worse than a picture not recognised.
const SAME_PERSON_COSINE: f32 = 0.44;

/// Loads our own embedder with 128 dimensions.
///
/// Two sets of `weights` see differently: their embeddings are not comparable.
///
/// # Errors
/// When `runtime` cannot run it.
pub fn native(runtime: &dyn Runtime, weights: Weights) -> Result<EmbeddingNet> {
    let onnx = match weights {
        Weights::Default => NET,
        Weights::Clean => CLEAN_NET,
    };
    let session = runtime.load(&ModelFile::embedded("face embedder", onnx))?;
    EmbeddingNet::new(session, BLOB, DIMENSIONS, SAME_PERSON_COSINE)
}
