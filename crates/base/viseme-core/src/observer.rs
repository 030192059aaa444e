//! How a running job reports its progress and learns that it should stop. Only the top layers draw anything.

use crate::Warning;
use serde::Serialize;

/// The stages of a job, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Getting, checking or importing model files; counted in bytes.
    Models,
    /// Reading what the inputs are.
    Probe,
    /// Finding and following faces through every frame.
    Analyse,
    /// Turning the speech into features and mouth motion.
    Listen,
    /// Deciding what happens to each frame.
    Plan,
    /// Making mouths, compositing and encoding.
    Render,
    /// Enhancing faces: a part of [`Render`](Self::Render).
    Enhance,
    /// Joining picture and sound.
    Mux,
    /// Comparing lips and speech through nets made for it.
    Score,
}

impl Stage {
    /// The name shown to people, the same as in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Probe => "probe",
            Self::Analyse => "analyse",
            Self::Listen => "listen",
            Self::Plan => "plan",
            Self::Render => "render",
            Self::Enhance => "enhance",
            Self::Mux => "mux",
            Self::Score => "score",
        }
    }
}

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Steps done: frames, or bytes in [`Stage::Models`].
    pub done: u64,
    /// All steps, when known.
    pub total: Option<u64>,
}

/// Receives progress and warnings, and can stop the job. Called from several threads.
pub trait Observer: Send + Sync {
    /// A stage moved on.
    fn progress(&self, progress: Progress);
    /// Something worth telling happened; the job goes on.
    fn warn(&self, warning: &Warning);
    /// Asked between frames; `true` makes the job end with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    fn is_cancelled(&self) -> bool;
}

/// An observer that draws nothing and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress) {}
    fn warn(&self, _: &Warning) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}
