//! The seam to the neural network runtime: two small traits, and `rten` behind them.

pub mod runtime;
pub mod rten_runtime;
pub mod tensor;

pub use runtime::{InferenceSession, Runtime};
pub use rten_runtime::RtenRuntime;
pub use tensor::Tensor;
