//! What tells who speaks, loaded when somebody asks.

use super::HeardFrom;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Result};
use viseme_engines::speaking::{LrAsd, NativeSense, SpeakerSense};
use viseme_models::{ModelFile, Runtimes, Store};

/// The name of the net in the store, and of its part.
const LR_ASD: &str = "lr_asd";
const PART: &str = "speaking";

/// What tells who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeakerSenseChoice {
    /// LR-ASD where it is installed, our own measure otherwise.
    #[default]
    Auto,
    /// Our own measure: how the mouths open with the sound. Nothing needs to be installed.
    Native,
    /// The net LR-ASD, which must be installed.
    LrAsd,
}

impl FromStr for SpeakerSenseChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "native" => Ok(Self::Native),
            "lr_asd" | "lr-asd" => Ok(Self::LrAsd),
            _ => Err(Error::invalid_input(format!("'{text}' does not tell who speaks"))
                .with_hint("It can be auto, native or lr_asd.")),
        }
    }
}

/// Where the senses come from.
#[derive(Debug)]
pub(crate) enum Senses {
    /// The caller's.
    Given(Arc<dyn SpeakerSense>),
    /// Those of this machine.
    Installed(Arc<Runtimes>),
}

impl Senses {
    /// Loads what `choice` names, to hear the sound `from`. Where that is not the original, only our own measure says
    /// anything.
    ///
    /// # Errors
    /// `ModelMissing`, with the command that mends it, for a net that was named and is not installed; whatever loading it
    /// meets.
    pub(crate) fn open(&self, choice: SpeakerSenseChoice, from: HeardFrom) -> Result<Arc<dyn SpeakerSense>> {
        let runtimes = match self {
            Self::Given(sense) => return Ok(Arc::clone(sense)),
            Self::Installed(runtimes) => runtimes,
        };
        if choice == SpeakerSenseChoice::Native || from == HeardFrom::Speech {
            return Ok(Arc::new(NativeSense));
        }
        match lr_asd(runtimes) {
            Err(error) if choice == SpeakerSenseChoice::Auto && error.kind() == ErrorKind::ModelMissing => {
                Ok(Arc::new(NativeSense))
            }
            opened => opened,
        }
    }
}

fn lr_asd(runtimes: &Runtimes) -> Result<Arc<dyn SpeakerSense>> {
    let missing = |error: Error| Error::new(ErrorKind::ModelMissing, error.to_string());
    // Without a folder for models nothing is installed.
    let model = Store::open().map_err(missing)?.model(LR_ASD)?;
    let file = ModelFile::file(LR_ASD, &model.graph(PART)?.path);
    Ok(Arc::new(LrAsd::load(runtimes, &file)?))
}
