//! What all embedders have in common.

use super::{Embedding, FaceEmbedder};
use crate::alignment::Template;
use crate::blob::Blob;
use crate::net::SingleInput;
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_models::InferenceSession;

/// An embedder: input `[N, 3, 112, 112]`, aligned with [`Template::ArcFace112`]; output `[N, dimensions]`.
#[derive(Debug, Clone)]
pub struct EmbeddingNet {
    net: SingleInput,
    dimensions: usize,
    same_person_cosine: f32,
}

impl EmbeddingNet {
    pub(super) fn new(
        session: Arc<dyn InferenceSession>,
        blob: Blob,
        dimensions: usize,
        same_person_cosine: f32,
    ) -> Result<Self> {
        let net = SingleInput::new(session, Template::ArcFace112.size(), blob)?;
        Ok(Self { net, dimensions, same_person_cosine })
    }
}

impl FaceEmbedder for EmbeddingNet {
    fn template(&self) -> Template {
        Template::ArcFace112
    }

    fn same_person_cosine(&self) -> f32 {
        self.same_person_cosine
    }

    fn embed(&self, crop: &ImageU8<3>) -> Result<Embedding> {
        let side = self.template().size();
        if (crop.width(), crop.height()) != (side, side) {
            let message =
                format!("a crop of {} × {} for an embedder of {side} × {side}", crop.width(), crop.height());
            return Err(
                Error::invalid_input(message).with_hint("Align the face with the template of the embedder.")
            );
        }
        Embedding::new(self.net.run_one(crop, self.dimensions)?)
    }
}
