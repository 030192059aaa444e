//! What went less well than asked for, without stopping the job.

use serde::{Deserialize, Serialize};

/// What kind of warning, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningCode {
    /// No usable face in the whole input: the picture came out untouched.
    NoFace,
    /// Some frames had no usable face and passed through untouched.
    FramesUntouched,
    /// A character whom the job knows by name is not in the input, or not seen well enough to be known.
    CharacterNotFound,
    /// No speech was heard in the sound: the mouth stays closed.
    NoSpeech,
    /// The sound had to be encoded again for the container.
    AudioReencoded,
    /// A stream or a piece of metadata could not be kept.
    StreamDropped,
    /// The speech is longer than the clip: the clip was looped.
    Looped,
    /// The end of an input is damaged; what could be read was used.
    TruncatedInput,
    /// A device that could have run a model does not work; another one ran it.
    DeviceNotUsed,
    /// A model file was taken on trust: nothing known about it to check it against.
    Unverified,
    /// A model is not installed; the job went on without what it does.
    ModelMissing,
    /// Something was asked for that nothing here does; the job went on without it.
    NotApplied,
    /// Another process holds what is needed; this one waits for it.
    Waiting,
    /// What was to be tried first could not do it, or is not there: something else did.
    FellBack,
    /// What was learnt of the video could not be kept for the next job on it.
    NotCached,
}

/// A warning of a run: it is in the report and goes to the observer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What kind.
    pub code: WarningCode,
    /// One line for people.
    pub message: String,
}

impl Warning {
    /// Makes a warning.
    #[must_use]
    pub fn new(code: WarningCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
