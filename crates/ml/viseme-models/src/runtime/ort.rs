//! ONNX Runtime, from a shared library that is loaded at run time.

use super::lanes::Lanes;
use super::library::Library;
use super::{Device, InferenceSession, Placement, Runtime, RuntimeKind, SessionInfo, TensorInfo, providers};
use crate::model_file::ModelGraph;
use crate::{ElementType, ModelFile, Tensor, Values};
use half::f16;
use ort::session::builder::{BuilderResult, GraphOptimizationLevel, SessionBuilder};
use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorElementType, ValueType};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Result};

/// ONNX Runtime on one device.
#[derive(Debug, Clone)]
pub struct OrtRuntime {
    library: Arc<Library>,
    device: Device,
    reduced_precision: bool,
}

impl OrtRuntime {
    /// The loaded library, on `device`. With `reduced_precision`, models that allow it compute with 16-bit floats where
    /// the device is faster for it.
    #[must_use]
    pub fn new(library: Arc<Library>, device: Device, reduced_precision: bool) -> Self {
        Self { library, device, reduced_precision }
    }

    fn builder(&self, model: &ModelFile) -> Result<SessionBuilder, ort::Error> {
        let reduced = self.reduced_precision && model.allows_reduced_precision;
        let done = |result: BuilderResult| result.map_err(ort::Error::<()>::from);
        let builder = Session::builder(&self.library.environment)?;
        let builder = done(builder.with_optimization_level(GraphOptimizationLevel::All))?;
        let builder = done(builder.with_intra_threads(model.threads.get()))?;
        // A waiting thread that spins burns the core that decoding and encoding need: 36 % of the time of a call,
        // docs/RUNTIMES.md.
        let builder = done(builder.with_intra_op_spinning(false))?;
        done(builder.with_execution_providers(providers::for_model(model, self.device, reduced)))
    }
}

impl Runtime for OrtRuntime {
    fn load(&self, model: &ModelFile) -> Result<Arc<dyn InferenceSession>> {
        let failed = |e: ort::Error| {
            let message = first_line(&e);
            Error::invalid_input(format!(
                "cannot load the model {} on {}: {message}",
                model.name, self.device
            ))
            .with_source(e)
        };
        if !self.library.devices.contains(&self.device) {
            let message = format!("{} was not built for {}", self.library.path.display(), self.device);
            return Err(Error::new(ErrorKind::MissingTool, message).with_hint(hint(self.device)));
        }
        let graph = model.graph()?;
        let open = || {
            let mut builder = self.builder(model).map_err(|e| {
                let message = format!("{} cannot be used: {}", self.device, first_line(&e));
                Error::new(ErrorKind::MissingTool, message).with_hint(hint(self.device)).with_source(e)
            })?;
            let session = match &graph {
                // The file is mapped or read by the library: no copy of ours is held.
                ModelGraph::File(path) => builder.commit_from_file(path),
                ModelGraph::Bytes(bytes) => builder.commit_from_memory(bytes),
            };
            session.map_err(failed)
        };
        // One run keeps a graphics card busy.
        let lanes = if self.device.is_processor() { model.lanes } else { NonZeroUsize::MIN };
        let sessions = Lanes::new(lanes, open)?;
        let tensors = |outlets: &[Outlet]| outlets.iter().map(tensor_info).collect();
        let info = sessions.with(|session| {
            Ok(SessionInfo {
                name: model.name.clone(),
                inputs: tensors(session.inputs()),
                outputs: tensors(session.outputs()),
                placement: Placement { runtime: RuntimeKind::Ort, device: self.device },
            })
        })?;
        Ok(Arc::new(OrtSession { info, sessions }))
    }
}

/// What gets a device going.
fn hint(device: Device) -> String {
    match device {
        Device::Cuda | Device::TensorRt => {
            "Get the library with `viseme models runtime install cuda`; CUDA 13 and \
             cuDNN 9 must be found by the system's loader (LD_LIBRARY_PATH)."
                .to_owned()
        }
        Device::OpenVino => "Get the library with `viseme models runtime install openvino`.".to_owned(),
        _ => format!("Set ORT_DYLIB_PATH to an ONNX Runtime that was built for {device}."),
    }
}

/// Errors of the library go over many lines.
fn first_line(error: &ort::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn tensor_info(outlet: &Outlet) -> TensorInfo {
    let (shape, element) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            (shape.iter().map(|&extent| usize::try_from(extent).ok()).collect(), element(*ty))
        }
        _ => (Vec::new(), ElementType::Other),
    };
    TensorInfo { name: outlet.name().to_owned(), shape, element }
}

fn element(element: TensorElementType) -> ElementType {
    match element {
        TensorElementType::Float16 => ElementType::F16,
        TensorElementType::Float32 => ElementType::F32,
        TensorElementType::Float64 => ElementType::F64,
        TensorElementType::Uint8 => ElementType::U8,
        TensorElementType::Int32 => ElementType::I32,
        TensorElementType::Int64 => ElementType::I64,
        _ => ElementType::Other,
    }
}

struct OrtSession {
    info: SessionInfo,
    /// One for each lane: the binding allows a session one run at a time.
    sessions: Lanes<Session>,
}

impl fmt::Debug for OrtSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrtSession").field("info", &self.info).finish_non_exhaustive()
    }
}

impl OrtSession {
    fn value(&self, name: &str, tensor: Tensor) -> Result<SessionInputValue<'static>> {
        let is_half = self.info.input(name)?.element == ElementType::F16;
        let shape = tensor.shape().to_vec();
        let value = match tensor.into_values() {
            Values::F32(values) if is_half => {
                let values: Vec<f16> = values.into_iter().map(f16::from_f32).collect();
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
            Values::F32(values) => {
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
            Values::F64(values) => {
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
            Values::U8(values) => {
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
            Values::I32(values) => {
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
            Values::I64(values) => {
                ort::value::Tensor::from_array((shape, values)).map(SessionInputValue::from)
            }
        };
        value.map_err(|e| self.info.failed(first_line(&e)))
    }

    fn tensor(&self, name: &str, value: &DynValue) -> Result<Tensor> {
        /// Shape and values, copied out of the library.
        macro_rules! values {
            ($type:ty) => {
                value.try_extract_tensor::<$type>().map(|(shape, values)| {
                    (shape.iter().map(|&extent| extent as usize).collect(), Values::from(values.to_vec()))
                })
            };
        }
        let copied: Result<(Vec<usize>, Values), ort::Error> = match self.info.output(name)?.element {
            ElementType::F32 => values!(f32),
            ElementType::F64 => values!(f64),
            ElementType::U8 => values!(u8),
            ElementType::I32 => values!(i32),
            ElementType::I64 => values!(i64),
            ElementType::F16 => value.try_extract_tensor::<f16>().map(|(shape, values)| {
                let values: Vec<f32> = values.iter().map(|value| value.to_f32()).collect();
                (shape.iter().map(|&extent| extent as usize).collect(), Values::F32(values))
            }),
            ElementType::Other => {
                return Err(self.info.failed(format_args!("{name} is of a type that we do not handle")));
            }
        };
        let (shape, values) = copied.map_err(|e| self.info.failed(first_line(&e)))?;
        Tensor::new(shape, values)
    }
}

impl InferenceSession for OrtSession {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn lanes(&self) -> NonZeroUsize {
        self.sessions.count()
    }

    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>> {
        let inputs = self.info.fit(inputs)?;
        let mut wanted = OutputSelector::no_default();
        for &name in outputs {
            wanted = wanted.with(self.info.output(name)?.name.clone());
        }
        let inputs = inputs
            .into_iter()
            .map(|(name, tensor)| Ok((name, self.value(name, tensor)?)))
            .collect::<Result<Vec<_>>>()?;
        let failed = |e: ort::Error| self.info.failed(first_line(&e));
        let options = RunOptions::new().map_err(failed)?.with_outputs(wanted);
        self.sessions.with(|session| {
            let made = session.run_with_options(inputs, &options).map_err(failed)?;
            let value = |name: &str| {
                let value =
                    made.get(name).ok_or_else(|| self.info.failed(format_args!("{name} did not come")))?;
                self.tensor(name, value)
            };
            outputs.iter().map(|name| value(name)).collect()
        })
    }
}
