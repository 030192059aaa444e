//! `viseme offset`: how much lips and sound are apart, and the same video without that.

mod result;

use crate::job::work_dir;
use crate::score::{ScoreReport, ScoreSpec, TrackScore, score};
use crate::spec::is_same_file;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{Error, ErrorKind, Observer, Result, Warning};
use viseme_media::{
    Container, MediaInfo, MuxPlan, OutputFile, SourceStreams, Speech, Tools, VideoInfo, copy_picture, mux,
    probe,
};

pub(crate) use result::result_offset;
pub use result::{OffsetMode, ResultOffset};

/// Lips that follow the speech less than this at their best say nothing about when they do: speech of somebody else is
/// followed with a correlation of 0.46 in the median (docs/SCORE.md), and a film with music or a face turned away not better.
const LEAST_CORRELATION: f64 = 0.25;
/// Offsets below this, in milliseconds, are left as they are: half a frame of 25 a second, finer than anybody sees.
const LEAST_OFFSET_MS: f64 = 20.0;
/// Milliseconds of a frame of `SyncNet`.
const SYNCNET_FRAME_MS: f64 = 40.0;

/// What to measure, and where the mended video goes.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetSpec {
    /// The video with its sound, whose face, and what it may at most be. Its `audio` has to be none.
    pub score: ScoreSpec,
    /// Where to write the video with its sound moved. None only measures.
    pub output: Option<PathBuf>,
}

/// How much lips and sound are apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffsetReport {
    /// Above 0 the lips are late, below 0 early. In milliseconds.
    pub offset_ms: f64,
    /// The same in frames of the video, rounded.
    pub offset_frames: i64,
    /// The face that it was measured at, counted from 1 in order of appearance.
    pub face: u32,
    /// What measured it.
    pub measured_by: OffsetMeter,
    /// The correlation of lips and speech at that offset, −1 to 1: our own measure.
    pub correlation: f64,
    /// By how much the sound is later in the written video than in the given one, in milliseconds. None when none was
    /// written.
    pub sound_moved_ms: Option<f64>,
    /// What went less well than it could.
    pub warnings: Vec<Warning>,
}

/// What measures an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetMeter {
    /// The opening of the mouth against that which the built-in speech net hears.
    Native,
    /// `SyncNet`, where it is installed.
    SyncNet,
}

/// Measures how much lips and sound of a video are apart, and writes it without that: picture and sound are copied as
/// they are, the sound earlier or later.
///
/// # Errors
/// As [`score`](fn@score); `InvalidInput` when lips and sound cannot be compared; `Unsupported` when the container of the
/// output does not take the picture as it is.
pub fn offset(spec: &OffsetSpec, observer: &dyn Observer) -> Result<OffsetReport> {
    if let Some(output) = &spec.output {
        if is_same_file(&spec.score.video, output) {
            return Err(Error::invalid_input(format!("{} is both input and output", output.display()))
                .with_hint("Choose another name for the output: inputs are never overwritten."));
        }
        Container::of(output)?;
    }
    let scored = score(&spec.score, observer)?;
    let mut report = measured(&scored)?;
    if let Some(output) = &spec.output {
        let moved_ms = moved_ms(report.offset_ms);
        report.warnings.extend(write_moved(&spec.score, output, moved_ms / 1000.0)?);
        report.sound_moved_ms = Some(moved_ms);
    }
    Ok(report)
}

/// By how much the sound is moved that is so far from the lips, in milliseconds.
fn moved_ms(offset_ms: f64) -> f64 {
    if offset_ms.abs() < LEAST_OFFSET_MS { 0.0 } else { offset_ms }
}

/// The offset of the face that follows the speech best.
fn measured(scored: &ScoreReport) -> Result<OffsetReport> {
    let best = scored
        .tracks
        .iter()
        .filter_map(|track| track.sync.map(|sync| (track, sync)))
        .max_by(|(_, a), (_, b)| a.correlation_best.total_cmp(&b.correlation_best));
    let Some((track, sync)) = best else {
        let missing = scored.missing.iter().find(|missing| missing.field == "sync_score");
        let why =
            missing.map_or("no face speaks for as long as a second", |missing| missing.message.as_str());
        return Err(Error::invalid_input(format!("lips and sound cannot be compared: {why}")));
    };
    let (offset_ms, measured_by) = by_best_meter(track, sync.lag_ms);
    if measured_by == OffsetMeter::Native && sync.correlation_best < LEAST_CORRELATION {
        return Err(Error::invalid_input(format!(
            "the lips do not follow the sound at any offset up to 0.6 s (correlation {:.2})",
            sync.correlation_best
        ))
        .with_hint("Is it the speech of this face? `viseme score` tells more; --face chooses another one."));
    }
    Ok(OffsetReport {
        offset_ms,
        offset_frames: (offset_ms / 1000.0 * scored.input.fps).round() as i64,
        face: track.number,
        measured_by,
        correlation: sync.correlation_best,
        sound_moved_ms: None,
        warnings: scored.warnings.clone(),
    })
}

fn by_best_meter(track: &TrackScore, lag_ms: f64) -> (f64, OffsetMeter) {
    track.syncnet.map_or((lag_ms, OffsetMeter::Native), |syncnet| {
        (f64::from(syncnet.offset_frames) * SYNCNET_FRAME_MS, OffsetMeter::SyncNet)
    })
}

/// Writes the video with its sound later by `delay_s`.
fn write_moved(spec: &ScoreSpec, output: &Path, delay_s: f64) -> Result<Vec<Warning>> {
    let tools = Tools::locate()?;
    let info = probe(&tools, &spec.video, &spec.limits)?;
    let video = picture(&info, output)?;
    let audio = info.default_audio().ok_or_else(|| Error::invalid_input("the video has no sound"))?;
    let finished = OutputFile::create(output)?;
    let work_dir = work_dir(&std::env::temp_dir())?;
    let extension = output.extension().unwrap_or_default();
    let copied = work_dir.path().join("picture").with_extension(extension);
    let copied = copy_picture(&tools, &spec.video, video, &copied, &spec.limits)?;
    let plan = MuxPlan {
        video: &copied,
        speech: Some(Speech { path: &spec.video, audio, delay_s, is_mix: false }),
        source: Some(SourceStreams {
            path: &spec.video,
            info: &info,
            replaced_audio: Some(audio.stream_index),
        }),
        duration_s: info.duration_s + delay_s.max(0.0),
        is_edited_by_ai: false,
        tags: BTreeMap::new(),
    };
    Ok(mux(&tools, &plan, finished, &spec.limits)?.warnings)
}

/// The picture, which the container of the output takes as it is.
fn picture<'a>(info: &'a MediaInfo, output: &Path) -> Result<&'a VideoInfo> {
    let video = info.video.as_ref().ok_or_else(|| Error::invalid_input("the video has no picture"))?;
    if Container::of(output)?.takes_copied_picture(&video.codec) {
        return Ok(video);
    }
    let message = format!("{} does not take a {} picture as it is", output.display(), video.codec);
    Err(Error::new(ErrorKind::Unsupported, message).with_hint("A file named .mkv takes most."))
}
