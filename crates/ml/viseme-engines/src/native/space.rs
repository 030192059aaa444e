//! The space of mouth motions that the speech net speaks in, and the constants that belong to its weights.

use super::shape::{INNER_LOWER_MIDDLE, INNER_UPPER_MIDDLE, MouthShape, STILL};
use serde::Deserialize;
use std::collections::HashMap;
use viseme_core::geometry::Vec3;
use viseme_core::{Error, Result};
use viseme_face::points::MOUTH_COUNT;

const ARRAYS: &[u8] = include_bytes!("nets/shape_space.f32");
const INDEX: &str = include_str!("nets/shape_space.json");

/// How the net's opening and closures become those of the mouth; measured when the net was trained.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Calibration {
    /// The net's opening at which the mouth is shut is at most this …
    pub(super) opening_low: f32,
    /// … or this percentile of the sound's openings, whichever is smaller.
    pub(super) opening_low_percentile: f32,
    /// The net's opening at which the mouth is open by the speaker's amplitude is at least this …
    pub(super) opening_high: f32,
    /// … or this percentile of the sound's openings, whichever is larger.
    pub(super) opening_high_percentile: f32,
    /// The widest opening, in units of the speaker's amplitude.
    pub(super) opening_limit: f32,
    /// Bilabial closure below which the lips are free …
    pub(super) closure_from: f32,
    /// … and above which they touch.
    pub(super) closure_to: f32,
}

/// Principal motions of the mouth, per unit of the speaker's p95 opening.
#[derive(Debug, Clone)]
pub(super) struct ShapeSpace {
    basis: Vec<MouthShape>,
    opening_direction: Box<MouthShape>,
    calibration: Calibration,
}

#[derive(Deserialize)]
struct Index {
    arrays: HashMap<String, Location>,
    calibration: Calibration,
}

#[derive(Deserialize)]
struct Location {
    offset: usize,
    shape: Vec<usize>,
}

impl ShapeSpace {
    /// The space that the embedded nets were trained in.
    pub(super) fn embedded() -> Result<Self> {
        let index: Index = serde_json::from_str(INDEX).map_err(|source| {
            Error::internal("the index of the shape space cannot be read").with_source(source)
        })?;
        let basis: Vec<MouthShape> = index.shapes("basis")?;
        let direction = index.shapes("opening_direction")?;
        match direction.as_slice() {
            [direction] if direction[INNER_LOWER_MIDDLE].y > direction[INNER_UPPER_MIDDLE].y => {
                Ok(Self { basis, opening_direction: Box::new(*direction), calibration: index.calibration })
            }
            _ => Err(Error::internal("the shape space does not say how a mouth opens")),
        }
    }

    /// Number of coefficients of a motion.
    pub(super) fn dimensions(&self) -> usize {
        self.basis.len()
    }

    /// How the mouth moves as it opens by one unit.
    pub(super) fn opening_direction(&self) -> &MouthShape {
        &self.opening_direction
    }

    /// Constants of the weights.
    pub(super) fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// The motion of `coefficients`.
    pub(super) fn motion(&self, coefficients: &[f32]) -> MouthShape {
        self.basis
            .iter()
            .zip(coefficients)
            .fold(STILL, |sum, (component, &amount)| std::array::from_fn(|i| sum[i] + component[i] * amount))
    }
}

impl Index {
    /// The named array as rows of 85 points.
    fn shapes(&self, name: &str) -> Result<Vec<MouthShape>> {
        let broken = || Error::internal(format!("the shape space has no usable array {name}"));
        let location = self.arrays.get(name).ok_or_else(broken)?;
        let count: usize = location.shape.iter().product();
        let bytes = ARRAYS.get(location.offset * 4..(location.offset + count) * 4).ok_or_else(broken)?;
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if !count.is_multiple_of(3 * MOUTH_COUNT) {
            return Err(broken());
        }
        Ok(values
            .chunks_exact(3 * MOUTH_COUNT)
            .map(|row| std::array::from_fn(|i| Vec3::new(row[3 * i], row[3 * i + 1], row[3 * i + 2])))
            .collect())
    }
}
