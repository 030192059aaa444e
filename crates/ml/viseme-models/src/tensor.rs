//! Dense float tensors, the currency between our code and a runtime.

use viseme_core::{Error, Result};

/// A dense tensor of 32-bit floats in row-major order (last dimension fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// Makes a tensor of `data`, which must have as many values as `shape` says.
    ///
    /// # Errors
    /// When the number of values does not match.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Result<Self> {
        if shape.iter().product::<usize>() == data.len() {
            Ok(Self { shape, data })
        } else {
            Err(Error::internal(format!("{} values for a tensor of shape {shape:?}", data.len())))
        }
    }

    /// Extent of each dimension.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in row-major order.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values, without copying them.
    #[must_use]
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }
}
