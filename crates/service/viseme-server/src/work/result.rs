//! What jobs make, as the store keeps it and clients read it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use viseme_core::Warning;
use viseme_jobs::ArtifactKey;

/// What a lipsync job has made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LipsyncResult {
    /// The video.
    pub(crate) artifact: ArtifactKey,
    /// What happened to each face, as in the report of the library.
    pub(crate) faces: Value,
    /// What the video is.
    pub(crate) output: OutputFacts,
    /// How long it took.
    pub(crate) timing: Timing,
    /// The engine that made the mouths.
    pub(crate) method_used: String,
    /// What it cost.
    pub(crate) cost_usd: f64,
    /// What went less well than asked for.
    pub(crate) warnings: Vec<Warning>,
}

/// What a video is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct OutputFacts {
    pub(crate) duration_ms: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: f64,
    pub(crate) file_size_bytes: u64,
}

/// How long the stages of a job took, in milliseconds of wall-clock time.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names that clients know")]
pub(crate) struct Timing {
    pub(crate) total_ms: u64,
    pub(crate) download_ms: u64,
    pub(crate) detection_ms: u64,
    pub(crate) lipsync_ms: u64,
    /// Part of `lipsync_ms`: faces are enhanced as they are made.
    pub(crate) enhancement_ms: u64,
    pub(crate) encoding_ms: u64,
    pub(crate) upload_ms: u64,
}

/// What a faces job has seen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DetectFacesResponse)]
pub(crate) struct FacesResult {
    pub(crate) frames: Vec<FaceFrame>,
    pub(crate) frame_width: u32,
    pub(crate) frame_height: u32,
    pub(crate) sample_fps: f64,
    pub(crate) video_duration_ms: u64,
    pub(crate) characters_detected: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<crate::routes::WarningBody>)]
    pub(crate) warnings: Vec<Warning>,
}

/// The faces of a moment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct FaceFrame {
    pub(crate) timestamp_ms: u64,
    /// Each with `character_id`, `bbox`, `confidence`, `head_pose`, `syncable`, `sync_quality`, `skip_reason`.
    pub(crate) faces: Vec<SeenFace>,
}

/// A face of a moment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SeenFace {
    /// The id of a character, or `face_1`, `face_2`, …
    pub(crate) character_id: String,
    /// `[x, y, width, height]` in pixels.
    pub(crate) bbox: [f64; 4],
    /// 0 to 1.
    pub(crate) confidence: f64,
    /// `[pitch, yaw, roll]` in degrees.
    pub(crate) head_pose: [f64; 3],
    pub(crate) syncable: bool,
    /// 0 to 1.
    pub(crate) sync_quality: f64,
    /// `profile_view`, `face_too_small`, `low_detection_quality` or `occluded`.
    pub(crate) skip_reason: Option<String>,
}

/// What a tracking job has drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrackingResult {
    /// The video.
    pub(crate) artifact: ArtifactKey,
    pub(crate) character_colors: BTreeMap<String, String>,
    pub(crate) frame_count: u64,
    pub(crate) fps: f64,
    pub(crate) total_ms: u64,
    #[serde(default)]
    pub(crate) warnings: Vec<Warning>,
}

/// What a score job has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ScoreResult {
    pub(crate) sync_score: Option<f64>,
    pub(crate) audio_quality: Option<f64>,
    pub(crate) video_quality: Option<f64>,
    /// All that was measured.
    pub(crate) report: Value,
}
