//! The task of a lipsync job.

use super::{CharacterTask, Source, null_is_default};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use viseme::{DEFAULT_CROSSFADE_FRAMES, DEFAULT_SMOOTHING, LoopMode, MAX_CROSSFADE_FRAMES};
use viseme_cloud::RemoteUrl;

use crate::error::{ApiError, ApiResult};

/// Moves the lips of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LipsyncTask {
    pub(crate) video: Source,
    pub(crate) audio: Source,
    /// Where the result is sent, with one PUT.
    pub(crate) upload_url: Option<RemoteUrl>,
    pub(crate) characters: Vec<CharacterTask>,
    pub(crate) faces: Vec<FaceTask>,
    pub(crate) options: LipsyncOptions,
}

/// A face that was found before: by where it is, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Face)]
pub(crate) struct FaceTask {
    /// The name that the face has in the result.
    pub(crate) character_id: String,
    /// `[x, y, width, height]` in pixels of the source frame, origin top left.
    pub(crate) bbox: [f32; 4],
    /// From when on it speaks, in milliseconds. Null is the start.
    #[serde(default)]
    pub(crate) start_time_ms: Option<u64>,
    /// Until when it speaks, in milliseconds. Null is the end.
    #[serde(default)]
    pub(crate) end_time_ms: Option<u64>,
}

impl FaceTask {
    /// Checks boxes and times.
    ///
    /// # Errors
    /// 422 with the first that cannot be.
    pub(crate) fn check_all(faces: &[Self]) -> ApiResult<()> {
        for face in faces {
            let [_, _, width, height] = face.bbox;
            if !(width > 0.0 && height > 0.0 && face.bbox.iter().all(|value| value.is_finite())) {
                let message =
                    format!("the bbox of '{}' is empty: it is [x, y, width, height]", face.character_id);
                return Err(ApiError::unprocessable("faces", message));
            }
            if face.start_time_ms.zip(face.end_time_ms).is_some_and(|(start, end)| start >= end) {
                let message = format!("the time of '{}' ends before it begins", face.character_id);
                return Err(ApiError::unprocessable("faces", message));
            }
        }
        Ok(())
    }
}

/// How lips are moved. Every field may be left out, or null.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct LipsyncOptions {
    /// Least likeness of a face and a reference picture, 0 to 1. Null is what was measured for the model in use, which services
    /// before this one called 0.5.
    #[serde(default)]
    pub(crate) similarity_threshold: Option<f32>,
    /// Whether faces are made sharper afterwards, where an enhancer is installed.
    #[serde(default, deserialize_with = "yes_unless_said")]
    pub(crate) enhance_quality: YesUnlessSaid,
    /// For `CodeFormer`: 0 is the finest face, 1 the same face.
    #[serde(default)]
    pub(crate) fidelity_weight: Option<f32>,
    /// What is shown where the audio is longer than the video: `none`, `repeat`, `pingpong`, `crossfade`, `smart`, `hold` or
    /// `remap`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) loop_mode: Option<LoopMode>,
    /// Frames that are blended at the boundary of a loop, 1 to 30.
    #[serde(default)]
    pub(crate) crossfade_frames: Option<u8>,
    /// How strongly faces are smoothed over time, 0 to 1.
    #[serde(default)]
    pub(crate) temporal_smoothing: Option<f32>,
    /// Whether the result has sound.
    #[serde(default, deserialize_with = "yes_unless_said")]
    pub(crate) include_audio: YesUnlessSaid,
    /// Room around the mouth box of Wav2Lip: `[top, bottom, left, right]` in pixels.
    #[serde(default)]
    pub(crate) padding: Option<[i32; 4]>,
    /// Chin room of the mouth box in pixels, for clients that know `MuseTalk`.
    #[serde(default)]
    pub(crate) bbox_shift: Option<i32>,
    /// Read and not needed: the batch is chosen by the engine.
    #[serde(default)]
    pub(crate) wav2lip_batch_size: Option<u32>,
    /// The engine; null is the built-in one.
    #[serde(default)]
    pub(crate) engine: Option<String>,
    /// Engines that are tried when that one cannot be used, in this order.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) fallback: Vec<String>,
    /// How strongly mouths move: 1 is natural, 0 keeps them closed, 2 is the most.
    #[serde(default)]
    pub(crate) expression: Option<f32>,
}

/// A flag that is true unless it is said to be false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Option<bool>, default = true)]
pub(crate) struct YesUnlessSaid(pub(crate) bool);

impl Default for YesUnlessSaid {
    fn default() -> Self {
        Self(true)
    }
}

fn yes_unless_said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<YesUnlessSaid, D::Error> {
    null_is_default(deserializer)
}

impl LipsyncOptions {
    /// What the audio is longer than the video is met with: the contract's default is a crossfade.
    pub(crate) fn loop_mode(&self) -> LoopMode {
        self.loop_mode.unwrap_or(LoopMode::Crossfade)
    }

    pub(crate) fn crossfade_frames(&self) -> u8 {
        self.crossfade_frames.unwrap_or(DEFAULT_CROSSFADE_FRAMES)
    }

    pub(crate) fn temporal_smoothing(&self) -> f32 {
        self.temporal_smoothing.unwrap_or(DEFAULT_SMOOTHING)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// 422 with the field.
    pub(crate) fn check(&self) -> ApiResult<()> {
        check_unit("similarity_threshold", self.similarity_threshold)?;
        check_unit("fidelity_weight", self.fidelity_weight)?;
        check_unit("temporal_smoothing", self.temporal_smoothing)?;
        if !(1..=MAX_CROSSFADE_FRAMES).contains(&self.crossfade_frames()) {
            let message = format!("crossfade_frames is not between 1 and {MAX_CROSSFADE_FRAMES}");
            return Err(ApiError::unprocessable("crossfade_frames", message));
        }
        if self.expression.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            return Err(ApiError::unprocessable("expression", "expression is not between 0 and 2"));
        }
        let known: Vec<&str> = viseme::engines().iter().map(|engine| engine.name).collect();
        let is_known = |name: &&String| known.contains(&name.as_str());
        match self.engine.iter().chain(&self.fallback).find(|name| !is_known(name)) {
            Some(name) => Err(ApiError::unprocessable("engine", format!("there is no engine '{name}'"))
                .with_hint(format!("Known engines: {}.", known.join(", ")))),
            None => Ok(()),
        }
    }
}

/// Checks that a number lies between 0 and 1.
///
/// # Errors
/// 422 with the field.
pub(crate) fn check_unit(param: &str, value: Option<f32>) -> ApiResult<()> {
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(ApiError::unprocessable(param, format!("{param} is not between 0 and 1")))
        }
        _ => Ok(()),
    }
}
