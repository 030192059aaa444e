//! Our own landmark net.

use super::{LandmarkModel, Landmarks};
use crate::framing::{AnalysisImage, Framing};
use crate::points::POINT_COUNT;
use std::sync::Arc;
use viseme_core::geometry::{Vec2, Vec3};
use viseme_core::{Error, Result};
use viseme_imaging::crop_rgb;
use viseme_models::{InferenceSession, Tensor};

/// Pixels of a side of the crop.
const SIZE: usize = 128;

/// Our own landmark net: input `image` `[N, 3, 128, 128]`, RGB, value / 127.5 − 1; outputs `points` `[N, 159, 3]`
/// (x, y from the left and top edge in sides of the crop, z in the same unit) and `presence` `[N, 1]`, 0 to 1.
#[derive(Debug, Clone)]
pub struct LandmarkNet {
    session: Arc<dyn InferenceSession>,
}

impl LandmarkNet {
    /// Wraps a loaded net.
    #[must_use]
    pub fn new(session: Arc<dyn InferenceSession>) -> Self {
        Self { session }
    }
}

impl LandmarkModel for LandmarkNet {
    fn locate(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Landmarks> {
        let crop_from_image = framing.crop_from_image(SIZE);
        let image_from_crop =
            crop_from_image.inverse().ok_or_else(|| Error::internal("a face region without extent"))?;
        let mut pixels = crop_rgb(image.frame, image.colour, &crop_from_image, SIZE)?;
        for value in &mut pixels {
            *value = *value / 127.5 - 1.0;
        }
        let input = Tensor::new(vec![1, 3, SIZE, SIZE], pixels)?;
        let outputs = self.session.run(vec![("image", input)], &["points", "presence"])?;
        let [points, presence] = outputs.as_slice() else {
            return Err(Error::internal("the landmark net gave not two outputs"));
        };
        let points = points.floats()?;
        let (&[presence], true) = (presence.floats()?, points.len() == 3 * POINT_COUNT) else {
            return Err(Error::internal("the landmark net gave a wrong number of values"));
        };
        let value = |i: usize| points[i];
        let points = Box::new(std::array::from_fn(|i| {
            let crop = Vec2::new(value(3 * i), value(3 * i + 1)) * SIZE as f32;
            let p = image_from_crop.apply(crop);
            Vec3::new(p.x, p.y, value(3 * i + 2) * framing.side)
        }));
        Ok(Landmarks { points, presence })
    }
}
