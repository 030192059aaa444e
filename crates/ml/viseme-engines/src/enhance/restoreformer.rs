//! `RestoreFormer++` (Wang et al. 2023): keeps to the face that it sees more closely than GFPGAN.

use super::network::Network;
use super::{FaceEnhancer, FacePicture};
use std::sync::Arc;
use viseme_core::Result;
use viseme_models::InferenceSession;

/// `RestoreFormer++`: one input, the face.
#[derive(Debug, Clone)]
pub struct RestoreFormer(Network);

impl RestoreFormer {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when its input is not a face of 512 pixels alone.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        Network::new(session, false).map(Self)
    }
}

impl FaceEnhancer for RestoreFormer {
    fn name(&self) -> &'static str {
        "restoreformer"
    }

    fn enhance(&self, faces: &[FacePicture]) -> Result<Vec<FacePicture>> {
        faces.iter().map(|face| self.0.run(face, 0.0)).collect()
    }
}
