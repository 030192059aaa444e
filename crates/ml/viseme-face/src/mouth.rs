//! The lips, seen close up: the landmark net alone does not see how far they are apart.

use crate::framing::{AnalysisImage, Framing};
use crate::points::LIP_COUNT;
use std::fmt::Debug;
use std::sync::Arc;
use viseme_core::geometry::Vec2;
use viseme_core::{Error, Result};
use viseme_imaging::crop_gray;
use viseme_models::{InferenceSession, Tensor};

/// The lips of what was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Lips {
    /// The lip points in pixels of the frame, in the order of [`points`](crate::points).
    pub points: [Vec2; LIP_COUNT],
    /// How sure the model is that nothing covers them, 0 to 1.
    pub visible: f32,
}

/// Finds the lips in a region around the mouth.
pub trait MouthModel: Debug + Send + Sync {
    /// The lips that `framing` shows.
    ///
    /// # Errors
    /// When the model fails.
    fn refine(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Lips>;
}

/// Pixels of a side of the crop.
const SIZE: usize = 64;
/// Added to the deviation of the pixels, in steps of 0 to 255, so that the noise of an even crop is not blown up.
const LEAST_CONTRAST: f32 = 8.0;

/// Our own mouth net: input `image` `[N, 1, 64, 64]`, gray, (value − mean) / (standard deviation + 8) of each crop;
/// outputs `points` `[N, 40, 2]` from the left and top edge in sides of the crop and `visible` `[N, 1]`, 0 to 1.
#[derive(Debug, Clone)]
pub struct MouthNet {
    session: Arc<dyn InferenceSession>,
}

impl MouthNet {
    /// Wraps a loaded net.
    #[must_use]
    pub fn new(session: Arc<dyn InferenceSession>) -> Self {
        Self { session }
    }
}

impl MouthModel for MouthNet {
    fn refine(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Lips> {
        let crop_from_image = framing.crop_from_image(SIZE);
        let image_from_crop =
            crop_from_image.inverse().ok_or_else(|| Error::internal("a mouth region without extent"))?;
        let mut pixels = crop_gray(image.frame, image.colour, &crop_from_image, SIZE)?;
        normalise(&mut pixels);
        let input = Tensor::new(vec![1, 1, SIZE, SIZE], pixels)?;
        let outputs = self.session.run(vec![("image", input)], &["points", "visible"])?;
        let [points, visible] = outputs.as_slice() else {
            return Err(Error::internal("the mouth net gave not two outputs"));
        };
        let points = points.floats()?;
        let (&[visible], true) = (visible.floats()?, points.len() == 2 * LIP_COUNT) else {
            return Err(Error::internal("the mouth net gave a wrong number of values"));
        };
        let value = |i: usize| points[i] * SIZE as f32;
        let points =
            std::array::from_fn(|i| image_from_crop.apply(Vec2::new(value(2 * i), value(2 * i + 1))));
        Ok(Lips { points, visible })
    }
}

/// Zero mean and about unit deviation.
fn normalise(pixels: &mut [f32]) {
    let count = pixels.len() as f32;
    let mean = pixels.iter().sum::<f32>() / count;
    let variance = pixels.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count;
    let gain = 1.0 / (variance.sqrt() + LEAST_CONTRAST);
    for value in pixels {
        *value = (*value - mean) * gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_and_contrast_of_a_crop_do_not_matter() {
        let mut dim: Vec<f32> = (0..64).map(|i| 20.0 + (i % 8) as f32 * 10.0).collect();
        let mut bright: Vec<f32> = dim.iter().map(|v| 2.0 * v + 30.0).collect();
        normalise(&mut dim);
        normalise(&mut bright);
        assert!(dim.iter().sum::<f32>().abs() < 1e-3);
        assert!(dim.iter().zip(&bright).all(|(a, b)| (a - b).abs() < 0.3));
        let mut even = vec![77.0; 64];
        normalise(&mut even);
        assert_eq!(even, vec![0.0; 64]);
    }
}
