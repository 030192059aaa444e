//! The upright crop that `InsightFace`'s landmark nets (2d106det, 1k3d68) look at.

use viseme_core::geometry::{AffineF64, Rect};
use viseme_core::{Error, Result};

/// Length of a side of the crop, in pixels.
pub const LANDMARK_CROP_SIZE: usize = 192;
/// Side of the crop over the longer side of the box (`insightface/model_zoo/landmark.py`).
const MARGIN: f64 = 1.5;

/// The map from the image to the landmark crop of a face in `bbox` (that of the detector, in pixels of the image): the
/// middle of the box comes to the middle of the crop, nothing is turned.
///
/// # Errors
/// When the box is empty or not finite.
pub fn landmark_crop(bbox: &Rect) -> Result<AffineF64> {
    let [x, y, width, height] = [bbox.x, bbox.y, bbox.width, bbox.height].map(f64::from);
    let scale = LANDMARK_CROP_SIZE as f64 / (MARGIN * width.max(height));
    let middle = LANDMARK_CROP_SIZE as f64 / 2.0;
    let shift = |start: f64, extent: f64| middle - scale * (start + extent / 2.0);
    let rows = [scale, 0.0, shift(x, width), 0.0, scale, shift(y, height)];
    if width > 0.0 && height > 0.0 && rows.iter().all(|value| value.is_finite()) {
        Ok(AffineF64 { rows })
    } else {
        Err(Error::invalid_input(format!("a face in a box of {width} × {height}"))
            .with_hint("Give the box of a detected face, in pixels."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_box_gives_a_finite_map_or_an_error(x: f32, y: f32, width: f32, height: f32) {
            if let Ok(map) = landmark_crop(&Rect { x, y, width, height }) {
                prop_assert!(map.rows.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn the_box_is_centred_with_a_quarter_around_its_longer_side() {
        let map = landmark_crop(&Rect { x: 10.0, y: 20.0, width: 64.0, height: 128.0 }).unwrap();
        let [x, y] = map.apply([42.0, 20.0]);
        assert!((x - 96.0).abs() < 1e-9 && (y - 32.0).abs() < 1e-9);
        assert!(landmark_crop(&Rect { x: 10.0, y: 20.0, width: 0.0, height: 128.0 }).is_err());
    }
}
