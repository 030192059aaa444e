//! Telling people apart: a face as a direction in a space where the same person points the same way.

mod arcface;
mod mobilefacenet;
mod native;
mod net;
mod sface;

pub use arcface::arcface;
pub use mobilefacenet::mobilefacenet;
pub use native::native;
pub use net::EmbeddingNet;
pub use sface::sface;

use crate::alignment::Template;
use std::fmt::Debug;
use viseme_core::geometry::Vec2;
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::warp_affine;

/// What a face looks like to an embedder: a vector of length 1. Comparable with those of the same embedder alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// The direction of a vector.
    ///
    /// # Errors
    /// `Internal` for one without direction: all zero, or not finite.
    pub fn new(mut values: Vec<f32>) -> Result<Self> {
        let length = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return Err(Error::internal("a face without a direction: the embedding is zero or not finite"));
        }
        for value in &mut values {
            *value = (f64::from(*value) / length) as f32;
        }
        Ok(Self(values))
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The cosine of the angle between two faces, −1 to 1. Only meaningful for two of the same embedder.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// Turns aligned faces into embeddings.
pub trait FaceEmbedder: Debug + Send + Sync {
    /// How it wants its faces aligned.
    fn template(&self) -> Template;

    /// Faces with at least this cosine are taken for the same person.
    fn same_person_cosine(&self) -> f32;

    /// The embedding of a crop (red, green, blue) made with [`template`](Self::template).
    ///
    /// # Errors
    /// `InvalidInput` for a crop of another size; otherwise when the model fails.
    fn embed(&self, crop: &ImageU8<3>) -> Result<Embedding>;

    /// The embedding of the face whose eyes, tip of the nose and corners of the mouth lie at `points`, in pixels of the
    /// picture (red, green, blue).
    ///
    /// # Errors
    /// `InvalidInput` when the points are no face; otherwise when the model fails.
    fn embed_face(&self, image: &ImageU8<3>, points: &[Vec2; 5]) -> Result<Embedding> {
        let template = self.template();
        let crop_from_image = template.crop_from_image(points)?;
        self.embed(&warp_affine(image, &crop_from_image, template.size(), template.size(), [0; 3])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_have_length_one_and_a_direction() {
        let a = Embedding::new(vec![3.0, 4.0]).unwrap();
        assert_eq!(a.values(), [0.6, 0.8]);
        assert!((a.cosine(&Embedding::new(vec![-4.0, 3.0]).unwrap())).abs() < 1e-6);
        assert!(Embedding::new(vec![0.0; 4]).is_err());
        assert!(Embedding::new(vec![f32::NAN, 1.0]).is_err());
    }
}
