//! `rten`: pure Rust, compiled in, always there.

use crate::trunk::Trunk;
use crate::{InferenceSession, Runtime, Tensor};
use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use std::fmt;
use std::sync::Arc;
use viseme_core::{Error, Result};

/// The built-in runtime. All its models share one thread: our nets are too small to gain from more, and the
/// other cores are busy with pixels and the encoder.
#[derive(Debug, Clone)]
pub struct RtenRuntime {
    pool: Arc<ThreadPool>,
}

impl Default for RtenRuntime {
    fn default() -> Self {
        Self { pool: Arc::new(ThreadPool::with_num_threads(1)) }
    }
}

impl Runtime for RtenRuntime {
    fn load(&self, name: &str, onnx: &[u8]) -> Result<Arc<dyn InferenceSession>> {
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load(onnx.to_vec())
            .map_err(|source| Error::internal(format!("cannot load the model {name}: {source}")))?;
        let (name, trunk) = (name.to_owned(), Trunk::read(onnx));
        Ok(Arc::new(RtenSession { name, model, trunk, pool: Arc::clone(&self.pool) }))
    }
}

struct RtenSession {
    name: String,
    model: Model,
    /// The part that is run without `rten`.
    trunk: Option<Trunk>,
    pool: Arc<ThreadPool>,
}

impl fmt::Debug for RtenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtenSession").field("name", &self.name).finish_non_exhaustive()
    }
}

impl RtenSession {
    fn failed(&self, what: impl fmt::Display) -> Error {
        Error::internal(format!("the model {}: {what}", self.name))
    }

    fn node(&self, name: &str) -> Result<rten::NodeId> {
        self.model.node_id(name).map_err(|_| self.failed(format_args!("no tensor named {name}")))
    }
}

impl InferenceSession for RtenSession {
    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>> {
        let inputs = match (&self.trunk, inputs.first()) {
            (Some(trunk), Some((_, image))) if trunk.takes(&inputs) => trunk.run(image)?,
            _ => inputs,
        };
        let inputs = inputs
            .into_iter()
            .map(|(name, tensor)| {
                let shape = tensor.shape().to_vec();
                let value = Value::from_shape(shape, tensor.into_data()).map_err(|e| self.failed(e))?;
                Ok((self.node(name)?, ValueOrView::from(value)))
            })
            .collect::<Result<Vec<_>>>()?;
        let outputs = outputs.iter().map(|name| self.node(name)).collect::<Result<Vec<_>>>()?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        self.model
            .run(inputs, &outputs, Some(options))
            .map_err(|e| self.failed(e))?
            .into_iter()
            .map(|value| {
                let tensor: rten_tensor::Tensor<f32> = value.try_into().map_err(|e| self.failed(e))?;
                Tensor::new(tensor.shape().to_vec(), tensor.into_data())
            })
            .collect()
    }
}
