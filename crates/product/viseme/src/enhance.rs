//! Which enhancers there are, and how a job asks for one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Result, Warning, WarningCode};
use viseme_engines::enhance::codeformer::DEFAULT_FIDELITY;
use viseme_engines::enhance::{CodeFormer, Gfpgan, RestoreFormer};
use viseme_engines::{EnhanceArea, EnhanceOptions, FaceEnhancer};
use viseme_models::{ModelFile, Runtime, Store};

/// What makes the faces sharper after the engine, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnhanceChoice {
    /// Which enhancer.
    pub name: EnhancerName,
    /// How much of what it makes is taken: 0 nothing, 1 all.
    pub strength: f32,
    /// Which part of the face.
    pub area: EnhanceArea,
    /// For `codeformer`, how close it keeps to the face that it sees: 0 the finest face, 1 the same face. None is 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<f32>,
    /// Whether its colours are moved to where they meet the picture's at the edge of the area.
    pub match_colour: bool,
    /// What happens when its model is not installed.
    pub when_missing: WhenMissing,
}

impl Default for EnhanceChoice {
    fn default() -> Self {
        let EnhanceOptions { strength, area, match_colour } = EnhanceOptions::default();
        Self {
            name: EnhancerName::None,
            strength,
            area,
            fidelity: None,
            match_colour,
            when_missing: WhenMissing::Fail,
        }
    }
}

/// The enhancers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EnhancerName {
    /// None: the faces stay as the engine made them.
    #[default]
    None,
    /// GFPGAN 1.4.
    Gfpgan,
    /// `CodeFormer`; its weights are not free for commercial use.
    CodeFormer,
    /// `RestoreFormer++`.
    RestoreFormer,
}

/// What happens when a model is not installed that a job would use but could do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// The job fails, and says how to get the model.
    #[default]
    Fail,
    /// The job goes on without, with a warning.
    Continue,
}

impl EnhancerName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Gfpgan, Self::CodeFormer, Self::RestoreFormer];

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gfpgan => "gfpgan",
            Self::CodeFormer => "codeformer",
            Self::RestoreFormer => "restoreformer",
        }
    }

    /// Its model in the manifest.
    fn model(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gfpgan => Some("gfpgan_1_4"),
            Self::CodeFormer => Some("codeformer"),
            Self::RestoreFormer => Some("restoreformer_pp"),
        }
    }
}

impl fmt::Display for EnhancerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EnhancerName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            // In the message: the command line shows no hint here.
            let known = Self::ALL.map(Self::name).join(", ");
            Error::invalid_input(format!("there is no enhancer '{name}', but {known}"))
        })
    }
}

impl EnhanceChoice {
    /// Checks the numbers.
    ///
    /// # Errors
    /// `InvalidInput` when one is not between 0 and 1, or there is a fidelity and another enhancer than `codeformer`.
    pub(crate) fn validate(&self) -> Result<()> {
        let numbers = [("strength", Some(self.strength)), ("fidelity", self.fidelity)];
        for (name, value) in numbers {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return Err(Error::invalid_input(format!(
                    "enhancement {name} {value} is not between 0 and 1"
                )));
            }
        }
        if self.fidelity.is_some() && self.name != EnhancerName::CodeFormer {
            return Err(Error::invalid_input(format!("the enhancer {} has no fidelity", self.name))
                .with_hint("Only codeformer has one."));
        }
        Ok(())
    }

    /// The same for the enhancement.
    pub(crate) fn options(&self) -> EnhanceOptions {
        EnhanceOptions { strength: self.strength, area: self.area, match_colour: self.match_colour }
    }
}

/// An enhancer, or why there is none though one was asked for.
type Opened = (Option<Arc<dyn FaceEnhancer>>, Option<Warning>);

/// The enhancer that a job asks for.
///
/// # Errors
/// `ModelMissing` when its model is not installed and the job does not go on without.
pub(crate) fn open(choice: &EnhanceChoice, runtime: &dyn Runtime) -> Result<Opened> {
    match choice.name.model() {
        None => Ok((None, None)),
        Some(model) => open_from(&Store::open()?, model, choice, runtime),
    }
}

fn open_from(store: &Store, model: &str, choice: &EnhanceChoice, runtime: &dyn Runtime) -> Result<Opened> {
    let installed = match store.model(model) {
        Err(error)
            if error.kind() == ErrorKind::ModelMissing && choice.when_missing == WhenMissing::Continue =>
        {
            let hint = error.hint().unwrap_or_default();
            let message = format!("{error}, the faces stay as the engine made them. {hint}");
            return Ok((None, Some(Warning::new(WarningCode::ModelMissing, message.trim()))));
        }
        installed => installed?,
    };
    let file = ModelFile::file(installed.id.as_str(), installed.graph("enhancer")?.path.as_path());
    let session = runtime.load(&file.allowing_reduced_precision())?;
    let enhancer: Arc<dyn FaceEnhancer> = match choice.name {
        EnhancerName::None => return Ok((None, None)),
        EnhancerName::Gfpgan => Arc::new(Gfpgan::new(session)?),
        EnhancerName::RestoreFormer => Arc::new(RestoreFormer::new(session)?),
        EnhancerName::CodeFormer => {
            Arc::new(CodeFormer::new(session, choice.fidelity.unwrap_or(DEFAULT_FIDELITY))?)
        }
    };
    Ok((Some(enhancer), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::Silent;
    use viseme_models::RtenRuntime;
    use viseme_models::store::StoreOptions;
    use viseme_testing::fake_enhancer::{RESTORER, RESTORER_WEIGHTED};

    fn store(folder: &std::path::Path) -> Store {
        let options = StoreOptions::from_environment().unwrap();
        Store::with_options(StoreOptions { root: folder.join("models"), ..options }).unwrap()
    }

    fn choice(name: EnhancerName) -> EnhanceChoice {
        EnhanceChoice { name, ..EnhanceChoice::default() }
    }

    #[test]
    fn a_missing_model_is_an_error_with_its_remedy_or_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        for name in EnhancerName::ALL {
            let Some(model) = name.model() else { continue };
            let open = |choice: &EnhanceChoice| open_from(&store, model, choice, &RtenRuntime::default());
            let error = open(&choice(name)).unwrap_err();
            let remedy = error.hint().unwrap().to_owned();
            assert_eq!(error.kind(), ErrorKind::ModelMissing);
            assert!(remedy.contains(&format!("viseme models pull {model}")), "{remedy}");
            let lenient = EnhanceChoice { when_missing: WhenMissing::Continue, ..choice(name) };
            let (enhancer, warning) = open(&lenient).unwrap();
            let warning = warning.unwrap();
            assert!(enhancer.is_none() && warning.message.ends_with(&remedy), "{warning:?}");
            assert_eq!(warning.code, WarningCode::ModelMissing);
        }
    }

    #[test]
    fn an_installed_model_becomes_the_enhancer() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        for (name, onnx, file) in [
            (EnhancerName::Gfpgan, RESTORER, "gfpgan_1.4.onnx"),
            (EnhancerName::CodeFormer, RESTORER_WEIGHTED, "codeformer.onnx"),
            (EnhancerName::RestoreFormer, RESTORER, "restoreformer_plus_plus.onnx"),
        ] {
            let model = name.model().unwrap();
            let path = folder.path().join(file);
            std::fs::write(&path, onnx).unwrap();
            store.import(Some(model), &path, &Silent).unwrap();
            let (enhancer, warning) =
                open_from(&store, model, &choice(name), &RtenRuntime::default()).unwrap();
            assert_eq!((enhancer.unwrap().name(), warning), (name.name(), None));
        }
    }

    #[test]
    fn names_are_the_same_in_json_and_on_the_command_line() {
        for name in EnhancerName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.name());
            assert_eq!(name.name().parse::<EnhancerName>().unwrap(), name);
        }
        assert!("gpen".parse::<EnhancerName>().unwrap_err().to_string().contains("restoreformer"));
    }
}
