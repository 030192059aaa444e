//! What several pictures of one face have in common.

use crate::identity::Embedding;

/// The mean of the embeddings of one face.
///
/// It is not brought to length 1: so the product of two is the mean of the cosines of all pairs of their pictures, which
/// the threshold of an embedder is made for.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanEmbedding {
    mean: Vec<f32>,
    /// How many went in.
    pictures: f32,
}

impl MeanEmbedding {
    /// The mean of `faces`, all of one embedder. None of none.
    #[must_use]
    pub fn new(faces: &[Embedding]) -> Option<Self> {
        let mut mean = vec![0.0; faces.first()?.values().len()];
        for face in faces {
            for (sum, value) in mean.iter_mut().zip(face.values()) {
                *sum += value;
            }
        }
        let pictures = faces.len() as f32;
        for value in &mut mean {
            *value /= pictures;
        }
        Some(Self { mean, pictures })
    }

    /// How many pictures went in.
    #[must_use]
    pub fn pictures(&self) -> f32 {
        self.pictures
    }

    /// The mean cosine between the pictures of this face and those of another.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        product(&self.mean, &other.mean)
    }

    /// The mean cosine between the pictures of this face and one picture.
    #[must_use]
    pub fn cosine_to(&self, picture: &Embedding) -> f32 {
        product(&self.mean, picture.values())
    }

    /// The mean of the pictures of both.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        let pictures = self.pictures + other.pictures;
        for (value, theirs) in self.mean.iter_mut().zip(&other.mean) {
            *value = (*value * self.pictures + theirs * other.pictures) / pictures;
        }
        Self { pictures, ..self }
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
