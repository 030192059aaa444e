//! GFPGAN 1.4 (Wang et al. 2021, "Towards Real-World Blind Face Restoration with Generative Facial Prior"): the quickest of the three.

use super::network::Network;
use super::{FaceEnhancer, FacePicture};
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// GFPGAN 1.4: one input, the face.
#[derive(Debug, Clone)]
pub struct Gfpgan(Network);

impl Gfpgan {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when its input is not a face of 512 pixels alone.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        Network::new(session, false).map(Self)
    }
}

impl FaceEnhancer for Gfpgan {
    fn name(&self) -> &'static str {
        "gfpgan"
    }

    fn enhance(&self, faces: &[FacePicture]) -> Result<Vec<FacePicture>> {
        faces.iter().map(|face| self.0.run(face, 0.0)).collect()
    }
}
