//! The grid of cells in which detectors look, level by level.

use viseme_core::{Error, Result};
use viseme_models::{InferenceSession, Tensor};

/// One level of the grid: square cells that cover the input of the net.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// Cells in a row.
    pub(super) columns: usize,
    /// Cells in all.
    pub(super) cells: usize,
}

impl Level {
    /// The level of an input of `width` × `height` pixels, its cells `stride` pixels wide.
    pub(super) fn of_input(stride: usize, width: usize, height: usize) -> Self {
        Self { columns: width / stride, cells: (width / stride) * (height / stride) }
    }

    /// Column and row of a cell; cells are counted row by row.
    pub(super) fn position(&self, cell: usize) -> (f32, f32) {
        ((cell % self.columns) as f32, (cell / self.columns) as f32)
    }
}

/// The values of output `name`, `count` of them.
///
/// # Errors
/// `InvalidInput` when there are others: the file is another model.
pub(super) fn values<'a>(tensor: &'a Tensor, name: &str, count: usize) -> Result<&'a [f32]> {
    let values = tensor.floats()?;
    if values.len() == count {
        return Ok(values);
    }
    Err(Error::invalid_input(format!(
        "the face detector gave {} values as {name} instead of {count}",
        values.len()
    ))
    .with_hint("The file is of another model. `viseme models verify` checks installed ones."))
}

/// The only input of a model for colour pictures, and the width and height that it insists on.
///
/// # Errors
/// `InvalidInput` when the model takes something else.
pub(super) fn picture_input(session: &dyn InferenceSession) -> Result<(String, Option<[usize; 2]>)> {
    let info = session.info();
    let [input] = info.inputs.as_slice() else { return Err(not_a_detector(session)) };
    match input.shape.as_slice() {
        [_, Some(3), Some(height), Some(width)] => Ok((input.name.clone(), Some([*width, *height]))),
        [_, Some(3), _, _] | [] => Ok((input.name.clone(), None)),
        _ => Err(not_a_detector(session)),
    }
}

/// The error for a file that is no detector of the expected kind.
pub(super) fn not_a_detector(session: &dyn InferenceSession) -> Error {
    let info = session.info();
    let inputs: Vec<String> =
        info.inputs.iter().map(|input| format!("{} {}", input.name, input.shape_text())).collect();
    Error::invalid_input(format!(
        "the model {} is not the face detector that it should be: it takes {} and gives {} tensors",
        info.name,
        inputs.join(", "),
        info.outputs.len()
    ))
    .with_hint("The file is of another model. `viseme models verify` checks installed ones.")
}
