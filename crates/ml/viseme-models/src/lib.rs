//! The seam to the neural network runtimes: what a runtime does, `rten` behind it, and what callers share.

mod checkpoint;
pub mod convert;
mod graph;
pub mod model_file;
pub mod runtime;
pub mod tensor;
mod trunk;

pub use convert::{Architecture, convert};
pub use model_file::{ModelFile, ModelSource};
pub use runtime::rten::RtenRuntime;
pub use runtime::{Device, InferenceSession, Placement, Runtime, RuntimeKind, SessionInfo, TensorInfo};
pub use tensor::{ElementType, Tensor, Values};
