//! How good a finished video is, in three numbers.

use crate::score::{Missing, ScoreReport};
use serde::Serialize;

/// Estimates, each from 0 to 1; what they are made of stands in `docs/SCORE.md`. Null where nothing can be measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LipsyncQuality {
    /// How well the lips follow the sound: from 0.85 on very good, from 0.70 on good, below that to be made again.
    pub sync_score: Option<f64>,
    /// The sound: from 0.90 on best, from 0.80 on good.
    pub audio_quality: Option<f64>,
    /// The picture: from 0.85 on best, from 0.75 on good.
    pub video_quality: Option<f64>,
    /// Which of them are null, and why.
    pub missing: Vec<Missing>,
}

impl LipsyncQuality {
    pub(super) fn of(report: ScoreReport) -> Self {
        let ScoreReport { sync_score, audio_quality, video_quality, missing, .. } = report;
        Self { sync_score, audio_quality, video_quality, missing }
    }
}
