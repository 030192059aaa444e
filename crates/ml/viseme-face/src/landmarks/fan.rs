//! FAN (Bulat and Tzimiropoulos 2017), four stacked hourglasses: 2dfan4. Free for commercial use.

use super::{PointScheme, SchemeModel, SchemePoints};
use crate::blob::Blob;
use crate::net::{SingleInput, another_model};
use std::sync::Arc;
use viseme_core::geometry::{AffineF64, Rect, Vec3};
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::warp_affine;
use viseme_models::{InferenceSession, Tensor};

/// Pixels of a side of the crop.
const SIZE: usize = 256;
/// Pixels of the crop that the longer side of the box becomes (facefusion, `face_landmarker.py`).
const BOX_SIDE: f64 = 195.0;
/// Cells of a side of the heat maps, the unit in which the net answers.
const GRID: f32 = 64.0;
/// The mean peak of the heat maps that counts as certain (facefusion, `face_landmarker.py`).
const CERTAIN_PEAK: f32 = 0.9;
/// RGB, 0 to 1.
const BLOB: Blob = Blob::rgb(0.0, 255.0);

/// 2dfan4 as facefusion hands it out: input `[1, 3, 256, 256]`, outputs points `[1, 68, 3]` (x, y in cells of a 64 × 64
/// grid, peak) and heat maps `[1, 68, 64, 64]`.
#[derive(Debug, Clone)]
pub struct Fan(SingleInput);

impl Fan {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when it does not take one picture of 256 × 256.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        SingleInput::new(session, SIZE, BLOB).map(Self)
    }
}

impl SchemeModel for Fan {
    fn scheme(&self) -> PointScheme {
        PointScheme::Ibug68
    }

    /// facefusion lifts the contrast of very dark crops first (CLAHE); this does not.
    fn locate(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<SchemePoints> {
        let crop_from_image = fan_crop(bbox)?;
        let crop = warp_affine(image, &crop_from_image, SIZE, SIZE, [0; 3])?;
        let outputs = self.0.run(&crop)?;
        let [points, heat_maps] = outputs.as_slice() else {
            return Err(another_model("2dfan4", "has no heat maps"));
        };
        let count = self.scheme().count();
        let (values, score) = (points.floats()?, score(heat_maps, count)?);
        if values.len() != 3 * count {
            return Err(self.0.wrong_values(values.len(), 3 * count));
        }
        let scale = crop_from_image.rows[0] as f32;
        let [_, _, shift_x, _, _, shift_y] = crop_from_image.rows.map(|value| value as f32);
        let cell = SIZE as f32 / GRID;
        let carried =
            |p: &[f32]| Vec3::new((p[0] * cell - shift_x) / scale, (p[1] * cell - shift_y) / scale, 0.0);
        Ok(SchemePoints { points: values.chunks_exact(3).map(carried).collect(), score: Some(score) })
    }
}

/// The map from the picture to the crop: the box in its middle, not turned.
fn fan_crop(bbox: &Rect) -> Result<AffineF64> {
    let [x, y, width, height] = [bbox.x, bbox.y, bbox.width, bbox.height].map(f64::from);
    if !(width > 0.0 && height > 0.0) {
        return Err(Error::invalid_input(format!("a face in a box of {width} × {height}"))
            .with_hint("Give the box of a detected face, in pixels."));
    }
    let scale = BOX_SIDE / width.max(height).max(1.0);
    let shift = |start: f64, extent: f64| (SIZE as f64 - (2.0 * start + extent) * scale) / 2.0;
    Ok(AffineF64 { rows: [scale, 0.0, shift(x, width), 0.0, scale, shift(y, height)] })
}

/// The mean of the peaks of the heat maps, 0 to 1.
fn score(heat_maps: &Tensor, count: usize) -> Result<f32> {
    let values = heat_maps.floats()?;
    let cells = (GRID * GRID) as usize;
    if values.len() != count * cells {
        return Err(another_model("2dfan4", "has heat maps of another size"));
    }
    let peaks = values.chunks_exact(cells).map(|map| map.iter().copied().fold(f32::MIN, f32::max));
    Ok((peaks.sum::<f32>() / count as f32 / CERTAIN_PEAK).clamp(0.0, 1.0))
}
