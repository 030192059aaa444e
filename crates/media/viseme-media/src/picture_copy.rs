//! The picture of a file, packet by packet as it is: for a video in which nothing was changed.

use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{Tools, VideoInfo, WrittenVideo};
use std::ffi::OsString;
use std::path::Path;
use viseme_core::{Error, Limits, Result};

/// Copies the picture of `input` to the silent file `output`, on the media's clock and without decoding it.
///
/// The frames are counted in the written file. They need not be those that a reader gives: an edit list or a damaged
/// packet hides frames from it. Compare before the copy is used in their place. `output` has to be of a container that
/// [takes](Container::takes_copied_picture) the codec.
///
/// # Errors
/// Whatever keeps the copy from being written.
pub fn copy_picture(
    tools: &Tools,
    input: &Path,
    video: &VideoInfo,
    output: &Path,
    limits: &Limits,
) -> Result<WrittenVideo> {
    let mut arguments = preamble("warning");
    let origin_s = video.timebase.seconds(video.origin);
    arguments.extend(strings(&["-copyts", "-itsoffset", &format!("{:.6}", -origin_s)]));
    arguments.extend(Input::open(input)?.arguments());
    arguments.extend(strings(&["-map", &format!("0:{}", video.stream_index), "-c", "copy"]));
    arguments.extend(strings(&["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]));
    arguments.extend(strings(&["-f", Container::of(output)?.muxer(), "-y"]));
    arguments.push(file_url(output));
    let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
    child.wait(&format!("copy the picture of {}", input.display()))?;
    let frames = count_frames(tools, output, limits)?;
    Ok(WrittenVideo { path: output.to_owned(), frames, peak_memory_bytes: child.peak_memory_bytes() })
}

/// The number of pictures in a file of ours, counted by its packets.
pub(crate) fn count_frames(tools: &Tools, path: &Path, limits: &Limits) -> Result<u64> {
    let input = Input::open(path)?;
    let mut arguments: Vec<OsString> =
        strings(&["-hide_banner", "-loglevel", "level+error", "-of", "csv=p=0"]);
    arguments.extend(strings(&["-select_streams", "v:0", "-count_packets"]));
    arguments.extend(strings(&["-show_entries", "stream=nb_read_packets"]));
    arguments.extend(input.arguments());
    let child = Running::spawn(&tools.ffprobe, &arguments, Wiring::Stdout, limits)?;
    let output = child.output(&format!("check {}", path.display()), 4096)?;
    let text = String::from_utf8_lossy(&output);
    // Side data of a turned picture follows on the same line.
    let count = text.trim().split(',').next().unwrap_or_default();
    count.parse().map_err(|_| Error::internal("the encoder wrote no frame"))
}
