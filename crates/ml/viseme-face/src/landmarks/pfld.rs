//! PFLD (Guo et al. 2019) with 68 points, as exported by `cunjian/pytorch_face_landmark`. Small and quick, less exact.

use super::{PointScheme, SchemeModel, SchemePoints};
use crate::blob::Blob;
use crate::net::SingleInput;
use std::sync::Arc;
use viseme_core::geometry::{AffineF64, Rect, Vec3};
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{Interpolation, resize, warp_affine};
use viseme_models::InferenceSession;

/// Pixels of a side of the crop.
const SIZE: usize = 112;
/// Side of the crop over the longer side of the box (`test_camera_pfld_onnx.py`).
const MARGIN: f32 = 1.1;
/// RGB, 0 to 1.
const BLOB: Blob = Blob::rgb(0.0, 255.0);
/// The longest side of a box that is cut out in whole pixels; larger ones are no faces.
const LONGEST_SIDE: f32 = 16_384.0;

/// PFLD: input `[1, 3, 112, 112]`, output `[1, 136]`, x and y in sides of the crop.
#[derive(Debug, Clone)]
pub struct Pfld(SingleInput);

impl Pfld {
    /// Wraps a loaded net.
    ///
    /// # Errors
    /// `InvalidInput` when it does not take one picture of 112 × 112.
    pub fn new(session: Arc<dyn InferenceSession>) -> Result<Self> {
        SingleInput::new(session, SIZE, BLOB).map(Self)
    }
}

impl SchemeModel for Pfld {
    fn scheme(&self) -> PointScheme {
        PointScheme::Ibug68
    }

    fn locate(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<SchemePoints> {
        let Square { left, top, side } = Square::around(bbox)?;
        let count = side as usize;
        let shift = AffineF64 { rows: [1.0, 0.0, -f64::from(left), 0.0, 1.0, -f64::from(top)] };
        let square = warp_affine(image, &shift, count, count, [0; 3])?;
        let crop = resize(&square, SIZE, SIZE, Interpolation::Linear)?;
        let values = self.0.run_one(&crop, 2 * self.scheme().count())?;
        let carried = |p: &[f32]| Vec3::new(left + p[0] * side, top + p[1] * side, 0.0);
        Ok(SchemePoints { points: values.chunks_exact(2).map(carried).collect(), score: None })
    }
}

/// A square of whole pixels.
struct Square {
    left: f32,
    top: f32,
    side: f32,
}

impl Square {
    fn around(bbox: &Rect) -> Result<Self> {
        let side = (bbox.width.max(bbox.height) * MARGIN).floor();
        if !(1.0..=LONGEST_SIDE).contains(&side) || !bbox.x.is_finite() || !bbox.y.is_finite() {
            return Err(Error::invalid_input(format!("a face in a box of {} × {}", bbox.width, bbox.height))
                .with_hint("Give the box of a detected face, in pixels."));
        }
        let center = bbox.center();
        Ok(Self { left: (center.x - side / 2.0).floor(), top: (center.y - side / 2.0).floor(), side })
    }
}
