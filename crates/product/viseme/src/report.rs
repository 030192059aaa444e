//! What a job did, for people and machines.

use crate::cache::CacheUse;
use crate::loops::LoopFacts;
use crate::offset::ResultOffset;
use crate::people::FacesReport;
use crate::speaking::SpeakersReport;
use crate::voices::LineReport;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use viseme_core::geometry::Rect;
use viseme_core::segment::Segment;
use viseme_core::{Stage, Warning};
use viseme_face::Weights;
use viseme_models::PlacedModel;

/// The version of the JSON form of [`Report`].
pub const REPORT_VERSION: u32 = 1;

/// What a job did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The engine that made the mouths.
    pub engine: String,
    /// How it was asked to work: each of its options.
    pub engine_options: BTreeMap<String, String>,
    /// What made the faces sharper after it. None when nothing did.
    pub enhancer: Option<String>,
    /// Which weights the face nets had.
    pub weights: Weights,
    /// The detector that looked for faces: `native`, or the name of its model.
    pub detector: String,
    /// The models that were used, and what ran them.
    pub models: Vec<PlacedModel>,
    /// The video that went in.
    pub input: InputFacts,
    /// The speech that went in: that of the job and of its lines together.
    pub speech: SpeechFacts,
    /// The video that came out.
    pub output: OutputFacts,
    /// What was shown where the video and the speech were not of one length.
    #[serde(rename = "loop")]
    pub looping: LoopFacts,
    /// What happened to each person.
    pub faces: FacesReport,
    /// Who was taken for the speaker, where the faces spoke in turns.
    pub speakers: Option<SpeakersReport>,
    /// Who spoke what, in the order of the job.
    pub lines: Vec<LineReport>,
    /// How far lips and sound of the result are apart, where that was measured and can be told.
    pub offset: Option<ResultOffset>,
    /// Every face that was followed, in order of appearance.
    pub tracks: Vec<TrackReport>,
    /// Whether the faces came from the cache, or the video was looked at.
    pub analysis_cache: CacheUse,
    /// Frames of the output that an earlier run of the job had made and kept. None where nothing is [kept](crate::Checkpoints).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_resumed: Option<u64>,
    /// What went less well than asked for.
    pub warnings: Vec<Warning>,
    /// Wall-clock time of each stage, in milliseconds. That of [`Stage::Enhance`] is a part of that of [`Stage::Render`].
    pub timings_ms: BTreeMap<Stage, u64>,
    /// Wall-clock time of the whole job, in milliseconds.
    pub total_ms: u64,
    /// The most memory that this process and its children held at one time, sampled five times a second. Pages that
    /// several of them share are counted in each.
    pub peak_memory_bytes: u64,
    /// Output frames per second of wall-clock time, all stages together.
    pub frames_per_second: f64,
}

/// The video that went in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputFacts {
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// Mean frames per second of the chosen range.
    pub fps: f64,
    /// Frames in the chosen range.
    pub frames: u64,
    /// Length of the chosen range in milliseconds.
    pub duration_ms: u64,
    /// Whether it is a single picture.
    pub is_still: bool,
}

/// The speech that went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpeechFacts {
    /// When the last of it ends, in milliseconds of the output.
    pub duration_ms: u64,
    /// How much of it is voice, in milliseconds; what several people say is counted for each.
    pub voiced_ms: u64,
}

/// The video that came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputFacts {
    /// Where it is.
    pub path: PathBuf,
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// Mean frames per second.
    pub fps: f64,
    /// Frames that the plan asked for.
    pub frames_planned: u64,
    /// Frames in the written file, counted in it.
    pub frames_written: u64,
    /// Frames in which at least one mouth was changed.
    pub frames_changed: u64,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Size of the file in bytes.
    pub size_bytes: u64,
}

/// One face that was followed through the video.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackReport {
    /// Its number in order of appearance, from 1: what [`Speakers::Nth`](crate::Speakers::Nth) takes.
    pub number: u32,
    /// Whom it shows: the id of a character, or `face_1`, `face_2`, …
    pub character_id: String,
    /// Source frames in which it was seen.
    pub frames: u64,
    /// Mean box over those frames, in pixels.
    pub mean_bbox: Rect,
    /// Whether its lips were to be moved.
    pub chosen: bool,
    /// What happened to it over the output, without gap or overlap. Empty when not chosen.
    pub segments: Vec<Segment>,
    /// Sums over the segments. None when not chosen.
    pub summary: Option<TrackSummary>,
}

/// Sums over the segments of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TrackSummary {
    /// Length of the output in milliseconds.
    pub total_ms: u64,
    /// Of that, with lips moved.
    pub synced_ms: u64,
    /// Of that, left as it was.
    pub skipped_ms: u64,
}

impl TrackSummary {
    /// The sums of `segments`.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Self {
        let sum = |synced: bool| {
            let chosen = segments.iter().filter(|segment| segment.synced == synced);
            chosen.map(|segment| segment.end_ms.saturating_sub(segment.start_ms)).sum()
        };
        let (synced_ms, skipped_ms) = (sum(true), sum(false));
        Self { total_ms: synced_ms + skipped_ms, synced_ms, skipped_ms }
    }
}
