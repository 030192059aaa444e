//! `CodeFormer` (Zhou et al. 2022, "Towards Robust Blind Face Restoration with Codebook Lookup Transformer"). Its weights are
//! not free for commercial use.

use super::network::Network;
use super::{FaceEnhancer, FacePicture};
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// The fidelity where nobody says (`inference_codeformer.py`, `--fidelity_weight`).
pub const DEFAULT_FIDELITY: f32 = 0.5;

/// `CodeFormer`: two inputs, the face and `weight`, one number of 64 bits.
#[derive(Debug, Clone)]
pub struct CodeFormer {
    network: Network,
    fidelity: f64,
}

impl CodeFormer {
    /// Wraps a loaded net. `fidelity` is between 0, the finest face, and 1, the face that was shown.
    ///
    /// # Errors
    /// `InvalidInput` when its inputs are not a face of 512 pixels and a weight.
    pub fn new(session: Arc<dyn InferenceSession>, fidelity: f32) -> Result<Self> {
        let network = Network::new(session, true)?;
        Ok(Self { network, fidelity: f64::from(fidelity.clamp(0.0, 1.0)) })
    }
}

impl FaceEnhancer for CodeFormer {
    fn name(&self) -> &'static str {
        "codeformer"
    }

    fn enhance(&self, faces: &[FacePicture]) -> Result<Vec<FacePicture>> {
        faces.iter().map(|face| self.network.run(face, self.fidelity)).collect()
    }
}
