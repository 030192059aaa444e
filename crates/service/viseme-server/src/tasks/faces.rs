//! The tasks of jobs that look for faces.

use super::{CharacterTask, Source};
use serde::{Deserialize, Serialize};
use viseme_cloud::RemoteUrl;

/// Finds faces, some times a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FacesTask {
    pub(crate) video: Source,
    /// Moments that are reported, per second.
    pub(crate) sample_fps: f64,
    pub(crate) characters: Vec<CharacterTask>,
    pub(crate) similarity_threshold: Option<f32>,
    pub(crate) start_time_ms: Option<u64>,
    pub(crate) end_time_ms: Option<u64>,
}

/// Draws the faces that it follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrackingTask {
    pub(crate) video: Source,
    /// Where the result is sent, with one PUT.
    pub(crate) upload_url: Option<RemoteUrl>,
    pub(crate) characters: Vec<CharacterTask>,
    pub(crate) similarity_threshold: Option<f32>,
    pub(crate) temporal_smoothing: Option<f32>,
}
