//! What a runtime must be able to do.

use crate::Tensor;
use std::fmt::Debug;
use std::sync::Arc;
use viseme_core::Result;

/// Loads models.
pub trait Runtime: Debug + Send + Sync {
    /// Reads a model from the bytes of an ONNX file.
    ///
    /// # Errors
    /// When the bytes are not a model that this runtime can run. `name` appears in the message.
    fn load(&self, name: &str, onnx: &[u8]) -> Result<Arc<dyn InferenceSession>>;
}

/// A loaded model. Shared between threads; a run keeps no state.
pub trait InferenceSession: Debug + Send + Sync {
    /// Runs the model on the named inputs and gives the named outputs, in the order asked for.
    ///
    /// # Errors
    /// When a name or a shape does not fit the model, or the runtime fails.
    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>>;
}
