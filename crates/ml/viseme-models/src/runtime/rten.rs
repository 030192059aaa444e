//! `rten`: pure Rust, compiled in, always there.

use super::lanes::Lanes;
use super::{Device, InferenceSession, Placement, Runtime, RuntimeKind, SessionInfo, TensorInfo};
use crate::model_file::ModelGraph;
use crate::trunk::Trunk;
use crate::{ElementType, ModelFile, ModelSource, Tensor, Values};
use rten::{
    DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueType,
};
use rten_tensor::prelude::*;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use viseme_core::{Error, Result};

/// Models up to this size keep a second, rearranged copy of their weights, which makes them faster; for larger ones
/// the memory matters more.
const PREPACKED_BYTES: u64 = 32 << 20;

/// The built-in runtime. Models that want the same number of threads share pools, one for each lane.
#[derive(Debug, Clone, Default)]
pub struct RtenRuntime {
    pools: Arc<Mutex<HashMap<NonZeroUsize, Vec<Arc<ThreadPool>>>>>,
}

impl RtenRuntime {
    /// A pool for each lane of a model.
    fn pools(&self, model: &ModelFile) -> Result<Lanes<Arc<ThreadPool>>> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = pools.entry(model.threads).or_default();
        let mut next = 0;
        Lanes::new(model.lanes, || {
            if next == pools.len() {
                pools.push(Arc::new(ThreadPool::with_num_threads(model.threads.get())));
            }
            next += 1;
            Ok(Arc::clone(&pools[next - 1]))
        })
    }
}

impl Runtime for RtenRuntime {
    fn load(&self, model: &ModelFile) -> Result<Arc<dyn InferenceSession>> {
        let failed = |source: rten::LoadError| {
            Error::invalid_input(format!("cannot load the model {}: {source}", model.name))
                .with_hint("If it is a proper ONNX model, ONNX Runtime may take it: `viseme models runtime install cpu`.")
        };
        let mut options = ModelOptions::with_all_ops();
        options.prepack_weights(size(model)? <= PREPACKED_BYTES);
        let (loaded, trunk) = match (&model.source, model.graph()?) {
            (ModelSource::Embedded(bytes), _) if model.first_row.is_none() => {
                (options.load_static_slice(bytes), Trunk::read(bytes))
            }
            (_, ModelGraph::File(path)) if is_named_onnx(path) => (options.load_file(path), None),
            (_, ModelGraph::File(_)) => (options.load(model.read()?.into_owned()), None),
            (_, ModelGraph::Bytes(bytes)) => (options.load(bytes.into_owned()), None),
        };
        let loaded = loaded.map_err(failed)?;
        let info = info(&model.name, &loaded);
        Ok(Arc::new(RtenSession { info, model: loaded, trunk, pools: self.pools(model)? }))
    }
}

fn size(model: &ModelFile) -> Result<u64> {
    match &model.source {
        ModelSource::Embedded(bytes) => Ok(bytes.len() as u64),
        ModelSource::Bytes(bytes) => Ok(bytes.len() as u64),
        ModelSource::File(path) => std::fs::metadata(path)
            .map(|found| found.len())
            .map_err(|e| Error::io(format_args!("read the model {} from {}", model.name, path.display()), e)),
    }
}

/// `rten` tells the format of a file by its name.
fn is_named_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "onnx")
}

fn info(name: &str, model: &Model) -> SessionInfo {
    let tensors = |ids: &[NodeId]| ids.iter().filter_map(|&id| tensor_info(model, id)).collect();
    SessionInfo {
        name: name.to_owned(),
        inputs: tensors(model.input_ids()),
        outputs: tensors(model.output_ids()),
        placement: Placement { runtime: RuntimeKind::Rten, device: Device::Cpu },
    }
}

/// `rten` holds 64-bit integers and booleans in 32 bits and all floats in 32: what a tensor holds there, not what
/// the file says.
fn tensor_info(model: &Model, id: NodeId) -> Option<TensorInfo> {
    let node = model.node_info(id)?;
    let shape = node.shape().unwrap_or_default().into_iter().map(|extent| match extent {
        Dimension::Fixed(extent) => Some(extent),
        Dimension::Symbolic(_) => None,
    });
    let element = match node.dtype() {
        None | Some(ValueType::Tensor(DataType::Float)) => ElementType::F32,
        Some(ValueType::Tensor(DataType::Int32)) => ElementType::I32,
        Some(ValueType::Tensor(DataType::UInt8)) => ElementType::U8,
        Some(_) => ElementType::Other,
    };
    Some(TensorInfo { name: node.name()?.to_owned(), shape: shape.collect(), element })
}

struct RtenSession {
    info: SessionInfo,
    model: Model,
    /// The part that is run without `rten`.
    trunk: Option<Trunk>,
    pools: Lanes<Arc<ThreadPool>>,
}

impl fmt::Debug for RtenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtenSession").field("info", &self.info).finish_non_exhaustive()
    }
}

impl RtenSession {
    fn node(&self, name: &str) -> Result<NodeId> {
        self.model.node_id(name).map_err(|_| self.info.failed(format_args!("no tensor named {name}")))
    }

    fn value(&self, tensor: Tensor) -> Result<ValueOrView<'static>> {
        let shape = tensor.shape().to_vec();
        let value = match tensor.into_values() {
            Values::F32(values) => Value::from_shape(shape, values).map_err(|e| self.info.failed(e))?,
            Values::I32(values) => Value::from_shape(shape, values).map_err(|e| self.info.failed(e))?,
            Values::U8(values) => Value::from_shape(shape, values).map_err(|e| self.info.failed(e))?,
            Values::F64(_) | Values::I64(_) => return Err(self.info.failed("rten has no 64-bit values")),
        };
        Ok(ValueOrView::from(value))
    }

    fn tensor(&self, value: Value) -> Result<Tensor> {
        match value {
            Value::FloatTensor(t) => Tensor::new(t.shape().to_vec(), t.into_data()),
            Value::Int32Tensor(t) => Tensor::new(t.shape().to_vec(), t.into_data()),
            Value::UInt8Tensor(t) => Tensor::new(t.shape().to_vec(), t.into_data()),
            _ => Err(self.info.failed("an output of a type that we do not handle")),
        }
    }
}

impl InferenceSession for RtenSession {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn lanes(&self) -> NonZeroUsize {
        self.pools.count()
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>> {
        let inputs = self.info.fit(inputs)?;
        for name in outputs {
            self.info.output(name)?;
        }
        let inputs = match (&self.trunk, inputs.first()) {
            (Some(trunk), Some((_, image))) if trunk.takes(&inputs) => trunk.run(image)?,
            _ => inputs,
        };
        let inputs = inputs
            .into_iter()
            .map(|(name, tensor)| Ok((self.node(name)?, self.value(tensor)?)))
            .collect::<Result<Vec<_>>>()?;
        let outputs = outputs.iter().map(|name| self.node(name)).collect::<Result<Vec<_>>>()?;
        let made = self.pools.with(|pool| {
            let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
            self.model.run(inputs, &outputs, Some(options)).map_err(|e| self.info.failed(e))
        })?;
        made.into_iter().map(|value| self.tensor(value)).collect()
    }
}
