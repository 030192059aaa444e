//! The seam to the neural network runtime: two small traits, and `rten` behind them.

pub mod convert;
pub mod rten_runtime;
pub mod runtime;
pub mod tensor;
mod trunk;

pub use convert::{Architecture, convert};
pub use rten_runtime::RtenRuntime;
pub use runtime::{InferenceSession, Runtime};
pub use tensor::Tensor;
