//! The picture of a file, packet by packet as it is: for a video in which nothing was changed.

use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{Tools, VideoInfo, WrittenVideo};
use std::path::Path;
use viseme_core::{Limits, Result};

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
    WrittenVideo::read_back(tools, output, limits, child.peak_memory_bytes())
}
