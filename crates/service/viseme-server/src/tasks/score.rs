//! The task of a job that measures a video.

use super::Source;
use serde::{Deserialize, Serialize};

/// Measures a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScoreTask {
    pub(crate) video: Source,
    /// The speech that the lips should follow; none is the video's own sound.
    pub(crate) audio: Option<Source>,
}
