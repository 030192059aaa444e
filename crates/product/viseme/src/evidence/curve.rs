//! A mouth over time: what the speech asked for, what the source showed, what was made.

use serde::{Deserialize, Serialize};
use viseme_engines::ExpectedMouth;
use viseme_engines::metrics::sync_correlation::{SeenMouth, SyncCorrelation, sync_correlation};

/// The mouth of one face over a stretch of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SyncCurve {
    /// Whose mouth.
    pub(crate) name: String,
    /// One per frame of the stretch.
    pub(crate) points: Vec<CurvePoint>,
    /// Whether the stretch is less than the output.
    pub(crate) is_part: bool,
    /// How the mouth that was made follows the speech. None where there is too little of either.
    pub(crate) made: Option<SyncCorrelation>,
    /// The same of the mouth that the source showed.
    pub(crate) source: Option<SyncCorrelation>,
}

/// A mouth at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurvePoint {
    /// Seconds from the start of the output.
    pub(crate) time_s: f64,
    /// The opening that the speech asks for, 1 = the speaker's amplitude. None after its end, and where the face does not
    /// speak.
    pub(crate) asked: Option<f32>,
    /// The opening in the source frame, in canonical units. None where the face is not.
    pub(crate) source: Option<f32>,
    /// The opening in the frame that was made of it, in canonical units. None where the lips were not moved.
    pub(crate) made: Option<f32>,
}

impl SyncCurve {
    /// A curve with the measures that follow from its points.
    pub(crate) fn new(name: String, points: Vec<CurvePoint>, is_part: bool, speech: &ExpectedMouth) -> Self {
        let follows = |opening: fn(&CurvePoint) -> Option<f32>| {
            let seen = |point: &CurvePoint| {
                point.asked.and(opening(point)).map(|opening| SeenMouth { time_s: point.time_s, opening })
            };
            let mouth: Vec<SeenMouth> = points.iter().filter_map(seen).collect();
            sync_correlation(&mouth, speech)
        };
        let made = follows(|point| point.made);
        let source = follows(|point| point.source);
        Self { name, points, is_part, made, source }
    }
}
