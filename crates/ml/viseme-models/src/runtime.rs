//! What a runtime must be able to do.

pub(crate) mod batcher;
pub(crate) mod cache;
mod lanes;
pub(crate) mod library;
mod needs;
pub(crate) mod ort;
pub(crate) mod providers;
pub(crate) mod rten;
pub(crate) mod selection;

use crate::{ElementType, ModelFile, Tensor};
use std::fmt::{self, Debug};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use viseme_core::{Error, Result};

/// Loads models.
pub trait Runtime: Debug + Send + Sync {
    /// Loads an ONNX model.
    ///
    /// # Errors
    /// When it cannot be read or is not a model that this runtime can run; its name appears in the message.
    fn load(&self, model: &ModelFile) -> Result<Arc<dyn InferenceSession>>;
}

/// A loaded model. Shared between threads; a run keeps no state.
pub trait InferenceSession: Debug + Send + Sync {
    /// What the model takes and gives, and where it runs.
    fn info(&self) -> &SessionInfo;

    /// How many runs can be under way at once; whoever comes with more waits.
    fn lanes(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Runs the model on the named inputs and gives the named outputs, in the order asked for.
    ///
    /// An input is converted to the type that the model declares, as [`Tensor::cast`] does; outputs have the declared
    /// type, but 16-bit floats come as 32-bit ones.
    ///
    /// # Errors
    /// When a name, a type or a shape does not fit the model, or the runtime fails.
    fn run(&self, inputs: Vec<(&str, Tensor)>, outputs: &[&str]) -> Result<Vec<Tensor>>;
}

/// What a loaded model takes and gives, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// What it is called in messages.
    pub name: String,
    /// In the order of the graph.
    pub inputs: Vec<TensorInfo>,
    /// In the order of the graph.
    pub outputs: Vec<TensorInfo>,
    /// Where it runs.
    pub placement: Placement,
}

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the graph.
    pub name: String,
    /// Extent of each dimension; `None` where it may vary. Empty as well when the model does not say its shape.
    pub shape: Vec<Option<usize>>,
    /// The type of its values.
    pub element: ElementType,
}

impl SessionInfo {
    /// The input of that name.
    ///
    /// # Errors
    /// `Internal`, naming the inputs that there are.
    pub fn input(&self, name: &str) -> Result<&TensorInfo> {
        find(&self.inputs, name).ok_or_else(|| self.unknown("input", name, &self.inputs))
    }

    /// The output of that name.
    ///
    /// # Errors
    /// `Internal`, naming the outputs that there are.
    pub fn output(&self, name: &str) -> Result<&TensorInfo> {
        find(&self.outputs, name).ok_or_else(|| self.unknown("output", name, &self.outputs))
    }

    /// The first of `names` that the model has as an input: exports of the same net name their tensors differently.
    #[must_use]
    pub fn input_among(&self, names: &[&str]) -> Option<&TensorInfo> {
        names.iter().find_map(|name| find(&self.inputs, name))
    }

    /// `values`, which the model gave, where all of them are numbers.
    ///
    /// # Errors
    /// `Internal` where one is infinite or not a number.
    pub fn finite(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        Err(Error::internal(format!("the model {} gave numbers that are not finite", self.name)))
    }

    /// Converts the inputs to the types that the model declares and checks their shapes against the declared ones.
    ///
    /// # Errors
    /// `Internal` for an unknown, doubled, missing or misshapen input.
    pub(crate) fn fit<'a>(&self, inputs: Vec<(&'a str, Tensor)>) -> Result<Vec<(&'a str, Tensor)>> {
        if let Some(missing) = self.inputs.iter().find(|info| !inputs.iter().any(|(n, _)| *n == info.name)) {
            return Err(self.failed(format_args!("the input {} is missing", missing.name)));
        }
        if inputs.len() > self.inputs.len() {
            return Err(self.failed("an input is given that it has not, or twice"));
        }
        inputs
            .into_iter()
            .map(|(name, tensor)| {
                let info = self.input(name)?;
                if !info.takes(tensor.shape()) {
                    let (given, declared) = (tensor.shape(), info.shape_text());
                    return Err(self.failed(format_args!("{name} is {declared}, but {given:?} was given")));
                }
                Ok((name, tensor.cast(info.element).map_err(|e| self.failed(format_args!("{name}: {e}")))?))
            })
            .collect()
    }

    /// An error of this model.
    pub(crate) fn failed(&self, what: impl fmt::Display) -> Error {
        Error::internal(format!("the model {}: {what}", self.name))
    }

    fn unknown(&self, what: &str, name: &str, known: &[TensorInfo]) -> Error {
        let known: Vec<&str> = known.iter().map(|info| info.name.as_str()).collect();
        self.failed(format_args!("no {what} named {name}, but {}", known.join(", ")))
    }
}

impl TensorInfo {
    /// Whether a tensor of that shape fits.
    #[must_use]
    pub fn takes(&self, shape: &[usize]) -> bool {
        self.shape.is_empty()
            || (self.shape.len() == shape.len()
                && self.shape.iter().zip(shape).all(|(declared, given)| declared.is_none_or(|d| d == *given)))
    }

    /// The shape for people: `[?, 3, 96, 96]`.
    #[must_use]
    pub fn shape_text(&self) -> String {
        let extents: Vec<String> = self
            .shape
            .iter()
            .map(|extent| extent.map_or_else(|| "?".to_owned(), |e| e.to_string()))
            .collect();
        format!("[{}]", extents.join(", "))
    }
}

fn find<'a>(infos: &'a [TensorInfo], name: &str) -> Option<&'a TensorInfo> {
    infos.iter().find(|info| info.name == name)
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Placement {
    /// The runtime that runs it.
    pub runtime: RuntimeKind,
    /// The device that it runs on.
    pub device: Device,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.runtime, self.device)
    }
}

/// The runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// `rten`: pure Rust, compiled in, always there, CPU only.
    Rten,
    /// ONNX Runtime, from its shared library where one is installed.
    Ort,
}

/// What a model runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Device {
    /// The processor.
    Cpu,
    /// The processor through Intel's OpenVINO.
    OpenVino,
    /// An NVIDIA GPU.
    Cuda,
    /// An NVIDIA GPU through TensorRT.
    TensorRt,
    /// Apple's CoreML.
    CoreMl,
    /// A GPU under Windows, through DirectML.
    DirectMl,
    /// An AMD GPU, through MIGraphX.
    MiGraphX,
}

impl RuntimeKind {
    /// All of them, in the order of preference where nothing speaks against the first.
    pub const ALL: [Self; 2] = [Self::Ort, Self::Rten];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rten => "rten",
            Self::Ort => "ort",
        }
    }
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::TensorRt, Self::Cuda, Self::MiGraphX, Self::CoreMl, Self::DirectMl, Self::OpenVino, Self::Cpu];

    /// Whether it is the processor, by whatever way.
    #[must_use]
    pub fn is_processor(self) -> bool {
        matches!(self, Self::Cpu | Self::OpenVino)
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::OpenVino => "openvino",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::CoreMl => "coreml",
            Self::DirectMl => "directml",
            Self::MiGraphX => "migraphx",
        }
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RuntimeKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            Error::invalid_input(format!("there is no runtime '{name}'"))
                .with_hint(format!("Known runtimes: {}.", Self::ALL.map(Self::name).join(", ")))
        })
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|device| device.name() == name).ok_or_else(|| {
            Error::invalid_input(format!("there is no device '{name}'"))
                .with_hint(format!("Known devices: {}.", Self::ALL.map(Self::name).join(", ")))
        })
    }
}
