//! Models: which there are, how they get onto this machine, and the seam to the runtimes that run them: what a runtime
//! does, `rten` and ONNX Runtime behind it, and what callers share.

mod checkpoint;
pub mod convert;
pub mod digest;
pub mod download;
mod graph;
pub mod manifest;
pub mod model_file;
mod onnx_node;
pub mod runtime;
pub mod store;
pub mod tensor;
mod trunk;

pub use convert::{Architecture, convert};
pub use digest::Digest;
pub use manifest::Manifest;
pub use model_file::{ModelFile, ModelSource};
pub use runtime::batcher::{BatchClient, BatchOptions, Batcher, Pending};
pub use runtime::cache::SessionCache;
pub use runtime::library::Library;
pub use runtime::ort::OrtRuntime;
pub use runtime::rten::RtenRuntime;
pub use runtime::selection::{Choice, PlacedModel, RuntimeRequest, Runtimes};
pub use runtime::{Device, InferenceSession, Placement, Runtime, RuntimeKind, SessionInfo, TensorInfo};
pub use store::{InstalledModel, Store};
pub use tensor::{ElementType, Tensor, Values};
