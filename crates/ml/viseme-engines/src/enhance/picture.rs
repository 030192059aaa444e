//! The picture of a face that restorers look at and make.

use viseme_core::{Error, Result};

/// Length of a side, in pixels: that of [`Template::Ffhq512`](viseme_face::alignment::Template).
pub(super) const SIDE: usize = 512;

/// Pixels of one plane.
pub(super) const PIXELS: usize = SIDE * SIDE;

/// A face on the FFHQ template: `[3, 512, 512]`, planes red, green and blue, row by row, values 0 to 255 (not rounded, and
/// not necessarily clamped).
#[derive(Debug, Clone, PartialEq)]
pub struct FacePicture(Vec<f32>);

impl FacePicture {
    /// Length of a side, in pixels.
    pub const SIDE: usize = SIDE;

    /// A picture of `planes`.
    ///
    /// # Errors
    /// `Internal` when there are not as many values as three planes have.
    pub fn new(planes: Vec<f32>) -> Result<Self> {
        if planes.len() == 3 * PIXELS {
            Ok(Self(planes))
        } else {
            Err(Error::internal(format!("a picture of {} values for a face restorer", planes.len())))
        }
    }

    /// The planes red, green and blue, one after the other.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// Replaces every value by `change` of it.
    #[must_use]
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
        self.0.iter_mut().for_each(|value| *value = change(*value));
        self
    }
}
