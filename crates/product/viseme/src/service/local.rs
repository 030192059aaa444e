//! The engines of this machine, in the order in which they are tried, and what is loaded of them.

use super::Method;
use crate::registry::{self, NATIVE, WAV2LIP, WAV2LIP_MODELS};
use crate::runner::Runner;
use crate::spec::JobSpec;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use viseme_core::{Error, Result};
use viseme_models::{Architecture, Store, convert};

/// An engine of this machine, and where its weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LocalChoice {
    /// One that finds by itself what it needs.
    Named(&'static str),
    /// Wav2Lip with an installed model.
    Installed(&'static str),
    /// Wav2Lip with the weights in a file.
    Checkpoint(PathBuf),
}

impl LocalChoice {
    pub(super) fn engine(&self) -> &'static str {
        match self {
            Self::Named(name) => name,
            Self::Installed(_) | Self::Checkpoint(_) => WAV2LIP,
        }
    }
}

/// What may be tried for a method. More than one only where the caller leaves the choice to us.
pub(super) fn choices(method: Method, checkpoint: Option<&Path>) -> Vec<LocalChoice> {
    choices_given(method, checkpoint, installed_wav2lip())
}

fn choices_given(
    method: Method,
    checkpoint: Option<&Path>,
    installed: Option<&'static str>,
) -> Vec<LocalChoice> {
    let checkpoint = checkpoint.map(|path| LocalChoice::Checkpoint(path.to_owned()));
    let wav2lip = checkpoint.into_iter().chain(installed.map(LocalChoice::Installed));
    match method {
        Method::Auto => wav2lip.chain([LocalChoice::Named(NATIVE)]).collect(),
        Method::Engine(WAV2LIP) => wav2lip.chain([LocalChoice::Named(WAV2LIP)]).take(1).collect(),
        Method::Engine(name) => vec![LocalChoice::Named(name)],
        Method::HeyGen => Vec::new(),
    }
}

/// What is loaded.
#[derive(Debug, Default)]
pub(super) struct LocalEngines {
    /// By what their jobs want of them.
    runners: Mutex<BTreeMap<String, Arc<Runner>>>,
    /// The folder with the checkpoints that were converted, for as long as the service is there.
    converted: Mutex<Option<TempDir>>,
}

impl LocalEngines {
    /// A runner for a job with the engine that was chosen, and the job for it.
    ///
    /// # Errors
    /// When the engine cannot be loaded. Nothing of that is kept: what is installed in the meantime is found.
    pub(super) fn open(&self, choice: &LocalChoice, spec: &JobSpec) -> Result<(Arc<Runner>, JobSpec)> {
        let mut spec = spec.clone();
        choice.engine().clone_into(&mut spec.engine.name);
        if let LocalChoice::Installed(model) = choice {
            spec.engine.options.insert(registry::MODEL.to_owned(), (*model).to_owned());
        }
        let key = format!("{choice:?} {}", Runner::settings(&spec));
        let mut runners = self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runner) = runners.get(&key) {
            return Ok((Arc::clone(runner), spec));
        }
        let runner = Arc::new(match choice {
            LocalChoice::Checkpoint(checkpoint) => {
                let onnx = self.onnx(checkpoint)?;
                Runner::with_engine(&spec, |spec, runtime| registry::wav2lip_of(&onnx, spec, runtime))?
            }
            LocalChoice::Named(_) | LocalChoice::Installed(_) => Runner::for_spec(&spec)?,
        });
        runners.insert(key, Arc::clone(&runner));
        Ok((runner, spec))
    }

    /// The net of a checkpoint as ONNX.
    fn onnx(&self, checkpoint: &Path) -> Result<PathBuf> {
        if checkpoint.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
            return Ok(checkpoint.to_owned());
        }
        let mut converted = self.converted.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match converted.take() {
            Some(folder) => folder,
            None => tempfile::tempdir().map_err(|error| Error::io("make a folder for the net", error))?,
        };
        let onnx = converted.insert(folder).path().join("wav2lip.onnx");
        convert(Architecture::Wav2Lip, checkpoint, &onnx)?;
        Ok(onnx)
    }
}

/// The model of Wav2Lip that is installed, the best first.
fn installed_wav2lip() -> Option<&'static str> {
    let store = Store::open().ok()?;
    WAV2LIP_MODELS.iter().copied().find(|model| store.model(model).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_decides_only_where_the_choice_is_ours() {
        let path = Path::new("wav2lip.pth");
        let checkpoint = || LocalChoice::Checkpoint(path.to_owned());
        let (gan, native) = (LocalChoice::Installed("wav2lip_gan"), LocalChoice::Named(NATIVE));
        let auto = |checkpoint, installed| choices_given(Method::Auto, checkpoint, installed);
        assert_eq!(auto(None, None).as_slice(), std::slice::from_ref(&native));
        assert_eq!(auto(None, Some("wav2lip_gan")), [gan.clone(), native.clone()]);
        assert_eq!(auto(Some(path), Some("wav2lip_gan")), [checkpoint(), gan.clone(), native.clone()]);
        let wav2lip = |checkpoint, installed| choices_given(Method::Engine(WAV2LIP), checkpoint, installed);
        assert_eq!(wav2lip(Some(path), Some("wav2lip_gan")), [checkpoint()]);
        assert_eq!(wav2lip(None, Some("wav2lip_gan")), [gan]);
        assert_eq!(wav2lip(None, None), [LocalChoice::Named(WAV2LIP)], "it says what to install");
        assert_eq!(choices_given(Method::Engine(NATIVE), Some(path), Some("wav2lip")), [native]);
    }
}
