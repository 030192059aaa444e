//! Nets that take one square picture.

use crate::blob::Blob;
use std::sync::Arc;
use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;
use viseme_models::{InferenceSession, Tensor, TensorInfo};

/// A loaded net with one input `[N, 3, side, side]`.
#[derive(Debug, Clone)]
pub(crate) struct SingleInput {
    session: Arc<dyn InferenceSession>,
    input: String,
    side: usize,
    blob: Blob,
}

impl SingleInput {
    /// Wraps a net that wants pictures of `side` pixels, prepared by `blob`.
    ///
    /// # Errors
    /// `InvalidInput` when the net takes something else.
    pub(crate) fn new(session: Arc<dyn InferenceSession>, side: usize, blob: Blob) -> Result<Self> {
        let info = session.info();
        let input = match info.inputs.as_slice() {
            [input] if input.takes(&[1, 3, side, side]) && !info.outputs.is_empty() => input.name.clone(),
            inputs => {
                let shapes: Vec<String> = inputs.iter().map(TensorInfo::shape_text).collect();
                return Err(another_model(
                    &info.name,
                    format_args!("takes {} instead of [1, 3, {side}, {side}]", shapes.join(", ")),
                ));
            }
        };
        Ok(Self { session, input, side, blob })
    }

    /// The outputs for a picture of the right size (red, green, blue), in the order of the graph.
    ///
    /// # Errors
    /// When the net fails.
    pub(crate) fn run(&self, image: &ImageU8<3>) -> Result<Vec<Tensor>> {
        let input = self.blob.tensor(image, self.side, self.side)?;
        let names: Vec<&str> =
            self.session.info().outputs.iter().map(|output| output.name.as_str()).collect();
        self.session.run(vec![(&self.input, input)], &names)
    }

    /// The `count` values of the first output.
    ///
    /// # Errors
    /// `InvalidInput` when there are others.
    pub(crate) fn run_one(&self, image: &ImageU8<3>, count: usize) -> Result<Vec<f32>> {
        let first = self.run(image)?.into_iter().next().map(Tensor::into_floats).transpose()?;
        match first {
            Some(values) if values.len() == count => Ok(values),
            other => Err(self.wrong_values(other.map_or(0, |values| values.len()), count)),
        }
    }

    /// The error for an output with another number of values.
    pub(crate) fn wrong_values(&self, found: usize, wanted: usize) -> Error {
        another_model(&self.session.info().name, format_args!("gave {found} values instead of {wanted}"))
    }
}

/// The error for a file that holds another model than it should.
pub(crate) fn another_model(name: &str, what: impl std::fmt::Display) -> Error {
    Error::invalid_input(format!("the model {name} is not what it should be: it {what}"))
        .with_hint("The file is of another model. `viseme models verify` checks installed ones.")
}
