//! How Wav2Lip is asked to work.

use super::network::FIRST_ROW;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use viseme_core::{Error, Result};
use viseme_models::ModelFile;

/// Runs of the net that are best under way at once: while one is between two layers the other computes. More would
/// hold more memory.
const LANES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// What is done around the net.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Only the mouth changes, behind a soft mask; the source's own detail where the net agrees with it; lips closed in
    /// pauses; speech and mouth aligned as in training.
    #[default]
    Viseme,
    /// What `inference.py` does, flaws included: the whole box is pasted.
    Reference,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Viseme, Self::Reference];

    /// The net as it is to be loaded: two runs at once, and where the result need not be the reference's to the digit, with 16-bit
    /// floats if they are asked for, and without the rows that are not taken.
    #[must_use]
    pub fn net(self, model: ModelFile) -> ModelFile {
        let model = model.in_lanes(LANES);
        match self {
            Self::Viseme => model.allowing_reduced_precision().with_first_row(FIRST_ROW),
            Self::Reference => model,
        }
    }

    /// The name in a job and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viseme => "viseme",
            Self::Reference => "reference",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| {
            Error::invalid_input(format!("there is no profile '{name}'"))
                .with_hint(format!("Known profiles: {}.", Self::ALL.map(Self::name).join(", ")))
        })
    }
}

/// How the engine speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wav2LipOptions {
    /// What is done around the net.
    pub profile: Profile,
    /// How strongly the mouth moves, 1 as the net has it: bands of the speech are scaled down towards silence, or up. Of
    /// no effect in [`Profile::Reference`].
    pub expression: f32,
}

impl Default for Wav2LipOptions {
    fn default() -> Self {
        Self { profile: Profile::default(), expression: 1.0 }
    }
}
