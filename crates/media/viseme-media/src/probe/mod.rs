//! What is in a file: its streams, times, geometry and colour, as ffprobe finds them.

mod colour;
mod info;
mod report;
mod streams;

pub use info::{AudioInfo, ColourTags, MediaInfo, OtherStream, Ratio, StreamKind, VideoInfo};

use crate::Tools;
use crate::input::{Input, strings};
use crate::process::{Running, Wiring};
use report::Report;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Limits, Result};

/// The longest report of ffprobe that we read: files with thousands of streams or tags are not media.
const MAX_REPORT_BYTES: u64 = 16 << 20;

/// Processor time of ffprobe, in seconds: it reads headers and a few frames.
const MAX_PROCESSOR_TIME_S: u64 = 60;

/// Says what is in the file `path`, and refuses what is no media or larger than `limits`.
///
/// The first bytes decide which demuxer may read it; a playlist or any other text never reaches ffprobe.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::InvalidInput`] for what is empty, cut off or no media,
/// [`ErrorKind::LimitExceeded`] for too long or too large, with the flag that raises the limit as the hint.
pub fn probe(tools: &Tools, path: &Path, limits: &Limits) -> Result<MediaInfo> {
    let input = Input::open(path)?;
    let limits_of_child =
        Limits { child_cpu_s: limits.child_cpu_s.min(MAX_PROCESSOR_TIME_S), ..limits.clone() };
    let report = run_ffprobe(tools, &input, &[], &limits_of_child)?;
    let info = streams::media_info(&input, report)?;
    check_limits(&input, &info, limits)?;
    Ok(info)
}

/// As [`probe`], for a file of our own: its frames are counted by their packets, and it may be as long as it is.
pub(crate) fn count(tools: &Tools, path: &Path, limits: &Limits) -> Result<MediaInfo> {
    let input = Input::open(path)?;
    streams::media_info(&input, run_ffprobe(tools, &input, &["-count_packets"], limits)?)
}

fn run_ffprobe(tools: &Tools, input: &Input, more: &[&str], limits: &Limits) -> Result<Report> {
    let mut arguments = strings(&["-hide_banner", "-loglevel", "level+error", "-of", "json"]);
    arguments.extend(strings(&["-show_format", "-show_streams", "-show_chapters"]));
    arguments.extend(strings(more));
    arguments.extend(input.arguments());
    let action = format!("read {}", input.display());
    let output = Running::spawn(&tools.ffprobe, &arguments, Wiring::Stdout, limits)
        .and_then(|child| child.output(&action, MAX_REPORT_BYTES))
        .map_err(|error| explained(input, error))?;
    serde_json::from_slice(&output)
        .map_err(|error| Error::internal(format!("cannot {action}: {error}")).with_source(error))
}

/// Whatever ffprobe cannot read is a fault of the file, unless a limit or the machine stopped it.
fn explained(input: &Input, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Internal | ErrorKind::InvalidInput => {}
        _ => return error,
    }
    let message = if error.to_string().contains("moov atom not found") {
        format!("{} is cut off: its index (moov), which stands at the end, is missing", input.display())
    } else {
        format!("{} is damaged or not what it claims to be", input.display())
    };
    let detail = error.to_string();
    Error::invalid_input(message).with_hint(format!("ffprobe says: {detail}")).with_source(error)
}

fn check_limits(input: &Input, info: &MediaInfo, limits: &Limits) -> Result<()> {
    let over = |what: String, flag: &str| {
        Err(Error::new(ErrorKind::LimitExceeded, format!("{} {what}", input.display()))
            .with_hint(format!("Raise the limit with {flag} if you mean it.")))
    };
    if info.duration_s > limits.duration_s {
        let (is, may) = (info.duration_s, limits.duration_s);
        return over(format!("lasts {is:.0} s, more than the {may:.0} s allowed"), "--max-duration");
    }
    let Some(video) = &info.video else { return Ok(()) };
    if u64::from(video.width) * u64::from(video.height) > limits.pixels {
        let (width, height, may) = (video.width, video.height, limits.pixels);
        return over(format!("is {width}x{height}, more than the {may} pixels allowed"), "--max-pixels");
    }
    if let Some(frames) = video.frame_count.filter(|&frames| frames > limits.frames) {
        return over(
            format!("has {frames} frames, more than the {} allowed", limits.frames),
            "--max-duration",
        );
    }
    Ok(())
}
