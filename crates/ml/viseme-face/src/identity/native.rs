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
/// Measured on clips and portraits of 66 people whom the nets never saw (`training/face/evaluate_identity.py`), where the
/// errors of half a track against a single picture balance. The figures stand in the model card.
const SAME_PERSON_COSINE: f32 = 0.4;
const CLEAN_SAME_PERSON_COSINE: f32 = 0.4;

/// Loads our own embedder with 128 dimensions.
///
/// Two sets of `weights` see differently: their embeddings are not comparable.
///
/// # Errors
/// When `runtime` cannot run it.
pub fn native(runtime: &dyn Runtime, weights: Weights) -> Result<EmbeddingNet> {
    let (onnx, same_person_cosine) = match weights {
        Weights::Default => (NET, SAME_PERSON_COSINE),
        Weights::Clean => (CLEAN_NET, CLEAN_SAME_PERSON_COSINE),
    };
    let session = runtime.load(&ModelFile::embedded("face embedder", onnx))?;
    EmbeddingNet::new(session, BLOB, DIMENSIONS, same_person_cosine)
}
