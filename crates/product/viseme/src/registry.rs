//! Which engines there are.

use crate::spec::{EngineChoice, JobSpec};
use std::collections::BTreeMap;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};
use viseme_engines::{LocalEngine, NativeEngine, NativeOptions, Profile, Wav2LipEngine, Wav2LipOptions};
use viseme_face::{DetectorChoice, InstalledModels};
use viseme_models::{ModelFile, Runtime, Store};

/// The name of the engine that needs no download.
pub(crate) const NATIVE: &str = "native";

/// An engine that a job can name.
#[derive(Debug, Clone, Copy)]
pub struct EngineEntry {
    /// The name in [`EngineChoice`] and on the command line.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// What can be chosen.
    pub options: &'static [EngineOption],
    /// The models of which one has to be installed, the best first. None for an engine that needs nothing.
    pub models: &'static [&'static str],
    /// Makes the engine as a job wants it.
    pub(crate) open: fn(&JobSpec, &dyn Runtime) -> Result<Box<dyn LocalEngine>>,
    /// Refuses what in the rest of a job the engine cannot do.
    check: fn(&JobSpec) -> Result<()>,
}

/// Something that can be chosen about an engine.
#[derive(Debug, Clone, Copy)]
pub struct EngineOption {
    /// The name in [`EngineChoice::options`] and on the command line.
    pub name: &'static str,
    /// What it can be; the first when nothing is said.
    pub values: &'static [&'static str],
}

const ENGINES: &[EngineEntry] = &[
    EngineEntry {
        name: NATIVE,
        description: "moves the mouth that the video shows, at full resolution; nothing to download",
        options: &[],
        models: &[],
        open: native,
        check: |_| Ok(()),
    },
    EngineEntry {
        name: WAV2LIP,
        description: "a net of 96 × 96 pixels trained to speak; its weights must be installed",
        options: &[
            EngineOption { name: PROFILE, values: &["viseme", "reference"] },
            EngineOption { name: MODEL, values: WAV2LIP_MODELS },
        ],
        models: WAV2LIP_MODELS,
        open: wav2lip,
        check: check_wav2lip,
    },
];

/// The engine that speaks through the net of Wav2Lip.
pub(crate) const WAV2LIP: &str = "wav2lip";
/// Its models, the best first.
pub(crate) const WAV2LIP_MODELS: &[&str] = &["wav2lip_gan", "wav2lip"];

const PROFILE: &str = "profile";
/// The option that names one of its models.
pub(crate) const MODEL: &str = "model";

/// All engines, the best first.
#[must_use]
pub fn engines() -> &'static [EngineEntry] {
    ENGINES
}

/// The engine of that name.
///
/// # Errors
/// `InvalidInput` naming the engines that there are.
pub(crate) fn find(name: &str) -> Result<&'static EngineEntry> {
    ENGINES.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<&str> = ENGINES.iter().map(|entry| entry.name).collect();
        Error::invalid_input(format!("there is no engine '{name}'"))
            .with_hint(format!("Known engines: {}.", known.join(", ")))
    })
}

impl EngineEntry {
    /// Checks that the engine can do what the job wants of it.
    ///
    /// # Errors
    /// `InvalidInput` for an option or a value that there is not, naming those that there are.
    pub(crate) fn validate(&self, spec: &JobSpec) -> Result<()> {
        for (name, value) in &spec.engine.options {
            let option = self.options.iter().find(|option| option.name == name).ok_or_else(|| {
                let known: Vec<&str> = self.options.iter().map(|option| option.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Error::invalid_input(format!("the engine {} has no option '{name}'", self.name))
                    .with_hint(format!("Its options: {known}."))
            })?;
            if !option.values.contains(&value.as_str()) {
                return Err(Error::invalid_input(format!(
                    "the option {name} of {} cannot be '{value}'",
                    self.name
                ))
                .with_hint(format!("It can be: {}.", option.values.join(", "))));
            }
        }
        (self.check)(spec)
    }

    /// Every option with what was chosen, or what it is when nothing was.
    pub(crate) fn chosen(&self, choice: &EngineChoice) -> BTreeMap<String, String> {
        let value = |option: &EngineOption| {
            choice.options.get(option.name).map(String::as_str).or(option.values.first().copied())
        };
        self.options
            .iter()
            .filter_map(|option| Some((option.name.to_owned(), value(option)?.to_owned())))
            .collect()
    }
}

fn native(spec: &JobSpec, runtime: &dyn Runtime) -> Result<Box<dyn LocalEngine>> {
    let options = NativeOptions { expression: spec.engine.expression, animate_still: spec.still.animate };
    Ok(Box::new(NativeEngine::new(options, runtime)?))
}

fn wav2lip(spec: &JobSpec, runtime: &dyn Runtime) -> Result<Box<dyn LocalEngine>> {
    let chosen = find(&spec.engine.name)?.chosen(&spec.engine);
    let value = |name: &str| chosen.get(name).map_or("", String::as_str);
    let profile: Profile = value(PROFILE).parse()?;
    let store = Store::open()?;
    let installed = store.model(value(MODEL))?;
    let net = profile.net(ModelFile::file(installed.id.as_str(), &installed.graph("generator")?.path));
    let options = Wav2LipOptions { profile, expression: spec.engine.expression };
    let engine = Wav2LipEngine::new(options, runtime.load(&net)?)?;
    if profile == Profile::Viseme {
        return Ok(Box::new(engine));
    }
    Ok(Box::new(match InstalledModels::new(&store, runtime).detector(DetectorChoice::S3fd) {
        Ok(Some(detector)) => engine.with_detector(detector),
        Ok(None) => engine,
        Err(error) if error.kind() == ErrorKind::ModelMissing => engine,
        Err(error) => return Err(error),
    }))
}

/// Wav2Lip in our own profile with the net in `onnx`, which is not installed.
pub(crate) fn wav2lip_of(onnx: &Path, spec: &JobSpec, runtime: &dyn Runtime) -> Result<Box<dyn LocalEngine>> {
    let profile = Profile::Viseme;
    let options = Wav2LipOptions { profile, expression: spec.engine.expression };
    let session = runtime.load(&profile.net(ModelFile::file(WAV2LIP, onnx)))?;
    Ok(Box::new(Wav2LipEngine::new(options, session)?))
}

fn check_wav2lip(spec: &JobSpec) -> Result<()> {
    if spec.still.animate {
        return Err(
            Error::invalid_input("wav2lip cannot animate a picture").with_hint("The engine native can.")
        );
    }
    let is_reference =
        spec.engine.options.get(PROFILE).is_some_and(|profile| profile == Profile::Reference.name());
    if is_reference && spec.engine.expression.to_bits() != 1.0_f32.to_bits() {
        return Err(Error::invalid_input("the reference profile of wav2lip has no expression")
            .with_hint("Take the profile viseme, or an expression of 1."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(options: &[(&str, &str)]) -> JobSpec {
        let mut spec = JobSpec::new("a.mp4", "b.wav", "c.mp4");
        spec.engine.name = "wav2lip".to_owned();
        spec.engine.options =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        spec
    }

    #[test]
    fn options_are_those_that_the_engine_has() {
        let entry = find("wav2lip").unwrap();
        entry.validate(&job(&[("profile", "reference"), ("model", "wav2lip")])).unwrap();
        for (options, expected) in [
            ([("profil", "viseme")], "profile, model"),
            ([("profile", "Viseme")], "viseme, reference"),
            ([("model", "wav2lip_gna")], "wav2lip_gan, wav2lip"),
        ] {
            let error = entry.validate(&job(&options)).unwrap_err();
            assert!(error.hint().unwrap().contains(expected), "{error}");
        }
        let error = find(NATIVE).unwrap().validate(&job(&[("profile", "viseme")])).unwrap_err();
        assert_eq!(error.hint(), Some("Its options: none."));
    }

    #[test]
    fn what_nobody_chose_is_the_first_value() {
        let entry = find("wav2lip").unwrap();
        let chosen = entry.chosen(&job(&[("model", "wav2lip")]).engine);
        assert_eq!((chosen["profile"].as_str(), chosen["model"].as_str()), ("viseme", "wav2lip"));
        let profiles = entry.options[0].values.iter().map(|name| name.parse::<Profile>().unwrap());
        assert!(profiles.eq(Profile::ALL));
    }

    #[test]
    fn what_the_engine_cannot_do_is_refused() {
        let entry = find("wav2lip").unwrap();
        let mut animated = job(&[]);
        animated.still.animate = true;
        assert!(entry.validate(&animated).unwrap_err().to_string().contains("animate"));
        let mut loud = job(&[("profile", "reference")]);
        loud.engine.expression = 1.2;
        assert!(entry.validate(&loud).unwrap_err().to_string().contains("expression"));
        loud.engine.options.clear();
        entry.validate(&loud).unwrap();
    }
}
