//! Which runtime runs which model, on what, and why.

use super::cache::SessionCache;
use super::library::{Library, REMEDY};
use super::needs::{Objection, rten_objection};
use super::ort::OrtRuntime;
use super::{Device, InferenceSession, Placement, Runtime, RuntimeKind};
use crate::{ModelFile, ModelSource, RtenRuntime};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use viseme_core::{Error, ErrorKind, Result, Warning, WarningCode};

/// What the user asks for. Nothing said: the best that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeRequest {
    /// This runtime for every model, our own small nets included.
    pub runtime: Option<RuntimeKind>,
    /// This device for every model that is not in the binary.
    pub device: Option<Device>,
    /// Whether models that allow it may compute with 16-bit floats: faster, and not the same to the digit.
    pub reduced_precision: bool,
}

/// What was chosen for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Where it runs.
    #[serde(flatten)]
    pub placement: Placement,
    /// Why: a clause for people.
    pub reason: String,
}

/// A model that was loaded, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacedModel {
    /// What it is called in messages.
    pub model: String,
    /// Where it runs, and why there.
    #[serde(flatten)]
    pub choice: Choice,
}

/// All runtimes of this machine: the one to give to everything that loads models.
#[derive(Debug)]
pub struct Runtimes {
    rten: RtenRuntime,
    /// Where ONNX Runtime may have been installed.
    folder: Option<PathBuf>,
    /// ONNX Runtime's library, or why there is none: looked for when the first model asks for it.
    library: OnceLock<Result<Arc<Library>>>,
    request: RuntimeRequest,
    cache: Arc<SessionCache>,
    warnings: Mutex<Vec<Warning>>,
    placed: Mutex<Vec<PlacedModel>>,
    files: Mutex<Vec<PathBuf>>,
}

/// Devices that are used without being asked for. The others take minutes to prepare a model or compute with 16 bits.
const AUTOMATIC: [Device; 3] = [Device::Cuda, Device::OpenVino, Device::Cpu];

impl Runtimes {
    /// Looks for ONNX Runtime, among what was installed into the folder `runtimes` too, and chooses by `request`.
    ///
    /// # Errors
    /// `InvalidInput` for a request that contradicts itself; `MissingTool` when it names what is not there.
    pub fn find(request: RuntimeRequest, runtimes: Option<&Path>) -> Result<Self> {
        let wants_other_device = request.device.filter(|device| *device != Device::Cpu);
        if let (Some(RuntimeKind::Rten), Some(device)) = (request.runtime, wants_other_device) {
            return Err(Error::invalid_input(format!("rten cannot run on {device}"))
                .with_hint("Leave --runtime out, or take ort."));
        }
        let runtimes = Self {
            rten: RtenRuntime::default(),
            folder: runtimes.map(Path::to_owned),
            library: OnceLock::new(),
            request,
            cache: SessionCache::of_process(),
            warnings: Mutex::default(),
            placed: Mutex::default(),
            files: Mutex::default(),
        };
        if request.runtime == Some(RuntimeKind::Ort) || wants_other_device.is_some() {
            let library = Library::find(runtimes.folder.as_deref(), request.device)?;
            let _ = runtimes.library.set(Ok(library));
        }
        Ok(runtimes)
    }

    fn found(&self) -> Result<&Arc<Library>, &Error> {
        let find = || match self.request.runtime {
            Some(RuntimeKind::Rten) => {
                Err(Error::invalid_input("only rten was asked for").with_hint("Leave --runtime out."))
            }
            _ => Library::find(self.folder.as_deref(), self.request.device),
        };
        self.library.get_or_init(find).as_ref()
    }

    /// ONNX Runtime's library.
    ///
    /// # Errors
    /// Why there is none.
    pub fn library(&self) -> Result<&Library, &Error> {
        self.found().map(AsRef::as_ref)
    }

    /// Says where a model would run, without loading it. A device may turn out not to work when it is loaded.
    ///
    /// # Errors
    /// `MissingTool` when it needs a runtime that is not there, `InvalidInput` when it is no model or cannot run where
    /// the request wants it.
    pub fn choose(&self, model: &ModelFile) -> Result<Choice> {
        self.candidates(model).map(|mut candidates| candidates.swap_remove(0))
    }

    /// What went less well than it could: a device that did not work. Each is told once.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The models that were loaded so far, in order.
    pub fn placed(&self) -> Vec<PlacedModel> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The files of the models that were loaded so far, in order: those that are in no binary.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where a model can run, the best first; never empty.
    fn candidates(&self, model: &ModelFile) -> Result<Vec<Choice>> {
        let is_ours = matches!(model.source, ModelSource::Embedded(_));
        if is_ours && self.request.runtime.is_none() {
            return Ok(vec![on_rten("one of our own small nets")]);
        }
        match (self.request.runtime, self.found()) {
            (Some(RuntimeKind::Ort), Ok(library)) => self.on_library(library, is_ours, "--runtime says so"),
            (None, Ok(library)) => {
                self.on_library(library, false, &format!("ONNX Runtime {} is installed", library.version))
            }
            (forced, library) => match (rten_objection(model)?, forced) {
                (None, Some(_)) => Ok(vec![on_rten("--runtime says so")]),
                (None, None) => Ok(vec![self.on_rten_alone(library.err())]),
                (Some(objection), _) => Err(refused(model, objection, library.err())),
            },
        }
    }

    /// `rten` because there is nothing else. Who named a library wants to know that it is not used.
    fn on_rten_alone(&self, missing: Option<&Error>) -> Choice {
        let reason = missing.map_or_else(String::new, ToString::to_string);
        if Library::is_named() {
            self.warn(format!("{reason}; rten runs instead"));
        }
        on_rten(&reason)
    }

    /// The devices of the library that suit the request.
    fn on_library(&self, library: &Library, is_ours: bool, why: &str) -> Result<Vec<Choice>> {
        let choice = |device, reason: String| Choice {
            placement: Placement { runtime: RuntimeKind::Ort, device },
            reason,
        };
        match self.request.device {
            Some(device) => Ok(vec![choice(device, format!("{why}, --device says {device}"))]),
            // A small net spends more time on its way to a GPU than in it.
            None if is_ours => Ok(vec![choice(Device::Cpu, why.to_owned())]),
            None => {
                let usable = |device: &Device| library.devices.contains(device) && device.is_present();
                let devices = AUTOMATIC.into_iter().filter(usable);
                let choices: Vec<Choice> = devices.map(|device| choice(device, why.to_owned())).collect();
                if choices.is_empty() {
                    Err(Error::internal("ONNX Runtime without a processor"))
                } else {
                    Ok(choices)
                }
            }
        }
    }

    fn load_at(&self, model: &ModelFile, choice: &Choice) -> Result<Arc<dyn InferenceSession>> {
        let placement = choice.placement;
        let session =
            self.cache.get_or_load(model, placement, self.request.reduced_precision, || {
                match (placement.runtime, self.found()) {
                    (RuntimeKind::Ort, Ok(library)) => {
                        let reduced = self.request.reduced_precision;
                        OrtRuntime::new(Arc::clone(library), placement.device, reduced).load(model)
                    }
                    _ => self.rten.load(model),
                }
            })?;
        let placed = PlacedModel { model: model.name.clone(), choice: choice.clone() };
        self.placed.lock().unwrap_or_else(PoisonError::into_inner).push(placed);
        if let ModelSource::File(path) = &model.source {
            self.files.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        }
        Ok(session)
    }

    fn warn(&self, message: String) {
        let warning = Warning::new(WarningCode::DeviceNotUsed, message);
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

impl Runtime for Runtimes {
    /// Loads the model where [`Runtimes::choose`] says. A device that was not asked for and does not work is passed
    /// over with a warning; one that was asked for is an error.
    fn load(&self, model: &ModelFile) -> Result<Arc<dyn InferenceSession>> {
        let candidates = self.candidates(model)?;
        let (last, others) =
            candidates.split_last().ok_or_else(|| Error::internal("nowhere to run a model"))?;
        for choice in others {
            match self.load_at(model, choice) {
                Ok(session) => return Ok(session),
                Err(error) => {
                    self.warn(format!("{} does not run on {}: {error}", model.name, choice.placement.device));
                }
            }
        }
        self.load_at(model, last)
    }
}

fn on_rten(reason: &str) -> Choice {
    let placement = Placement { runtime: RuntimeKind::Rten, device: Device::Cpu };
    Choice { placement, reason: reason.to_owned() }
}

/// The error of a model that `rten` must not run while there is nothing else.
fn refused(model: &ModelFile, objection: Objection, missing: Option<&Error>) -> Error {
    Error::new(ErrorKind::MissingTool, format!("the model {} needs ONNX Runtime: {objection}", model.name))
        .with_hint(missing.and_then(Error::hint).unwrap_or(REMEDY))
}
