//! Lays sounds over each other, each at its own time, in one pass of ffmpeg: memory does not grow with their length.

use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{AudioInfo, Tools};
use std::path::Path;
use viseme_core::{Limits, Result};

/// The rate of a mix: that of sound for video.
const SAMPLE_RATE_HZ: u32 = 48_000;
/// A sound that is cut off fades out over this long, in seconds: a hard edge clicks.
const CUT_FADE_S: f64 = 0.005;
/// The mix stays below this share of full scale (−0.2 dB); what is quieter is not touched.
const LIMIT: f64 = 0.977;

/// A sound of a mix.
#[derive(Debug, Clone, Copy)]
pub struct MixPart<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its stream, as [`probe`](crate::probe()) describes it.
    pub audio: &'a AudioInfo,
    /// When it is heard, in seconds of the mix: there lies the media time zero of the file.
    pub start_s: f64,
    /// When it is cut off, in seconds of the mix. None is its own end.
    pub end_s: Option<f64>,
}

/// Writes the sum of `parts`, none louder or quieter than it was, as FLAC with 24 bits and 48 kHz. It is stereo unless all
/// parts are mono. Where the sum would leave the scale a limiter holds it down.
///
/// # Errors
/// When a part cannot be decoded, or the file cannot be written.
pub fn mix(tools: &Tools, parts: &[MixPart<'_>], target: &Path, limits: &Limits) -> Result<()> {
    let mut arguments = preamble("warning");
    arguments.extend(strings(&["-copyts", "-threads", "1", "-filter_complex_threads", "1"]));
    for part in parts {
        arguments.extend(Input::open(part.path)?.arguments());
    }
    arguments.extend(strings(&["-filter_complex", &graph(parts), "-map", "[mix]", "-map_metadata", "-1"]));
    arguments.extend(strings(&["-c:a", "flac", "-sample_fmt", "s32", "-fflags", "+bitexact"]));
    arguments.extend(strings(&["-flags:a", "+bitexact", "-f", "flac", "-y"]));
    arguments.push(file_url(target));
    Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?.wait("mix the sounds")
}

/// The filters that make the mix.
fn graph(parts: &[MixPart<'_>]) -> String {
    let is_mono = parts.iter().all(|part| part.audio.channels == 1);
    let chains = parts.iter().enumerate().map(|(input, part)| {
        let stream = part.audio.stream_index;
        format!("[{input}:{stream}]{}[part{input}];", filters(part, is_mono).join(","))
    });
    let inputs = (0..parts.len()).map(|input| format!("[part{input}]"));
    let count = parts.len();
    let sum = format!("amix=inputs={count}:duration=longest:normalize=0");
    let limiter = format!("alimiter=limit={LIMIT}:level=0:latency=1");
    format!("{}{}{sum},{limiter}[mix]", chains.collect::<String>(), inputs.collect::<String>())
}

/// What happens to a part before it is added.
fn filters(part: &MixPart<'_>, is_mono: bool) -> Vec<String> {
    let MixPart { audio, start_s, end_s, .. } = part;
    let layout = if is_mono { "mono" } else { "stereo" };
    // As the lips hear it: gaps are filled, and the first sample is that of time zero.
    let mut filters = vec![
        format!("asetpts=PTS-({:.6})/TB", audio.origin_s),
        format!("aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0"),
    ];
    if !is_mono && audio.channels == 1 {
        // A voice in the middle is as loud in two channels as it was in one.
        filters.push("pan=stereo|c0=c0|c1=c0".to_owned());
    }
    filters.push(format!("aformat=sample_fmts=fltp:channel_layouts={layout}"));
    if let Some(end_s) = end_s {
        let length_s = (end_s - start_s).max(0.0);
        let fade_s = (length_s - CUT_FADE_S).max(0.0);
        filters.push(format!("atrim=end={length_s:.6}"));
        filters.push(format!("afade=t=out:st={fade_s:.6}:d={CUT_FADE_S}"));
    }
    let delay = (start_s * f64::from(SAMPLE_RATE_HZ)).round();
    filters.push(format!("adelay=delays={delay:.0}S:all=1"));
    filters
}
