//! A plain re-encode by ffmpeg alone: the yardstick of `viseme bench`.

use crate::codec::{EncodeSettings, plan};
use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{Tools, VideoInfo};
use std::path::Path;
use viseme_core::{Limits, Result};

/// Decodes the picture of `input` and encodes it to `output` with the arguments that
/// [`VideoWriter`](crate::VideoWriter) would use, in one ffmpeg process and without any work of ours between.
///
/// # Errors
/// As the reader and the writer.
pub fn reencode(
    tools: &Tools,
    input: &Path,
    video: &VideoInfo,
    output: &Path,
    settings: &EncodeSettings,
    limits: &Limits,
) -> Result<()> {
    settings.validate()?;
    let encoder = plan(settings, video.format, (video.width, video.height))?;
    let mut arguments = preamble("warning");
    arguments.extend(strings(&["-threads", "2"]));
    arguments.extend(Input::open(input)?.arguments());
    arguments.extend(strings(&["-map", &format!("0:{}", video.stream_index), "-fps_mode", "passthrough"]));
    arguments.extend(encoder.arguments);
    arguments.extend(strings(&[
        "-pix_fmt",
        &encoder.pixel_format,
        "-f",
        Container::of(output)?.muxer(),
        "-y",
    ]));
    arguments.push(file_url(output));
    let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
    child.wait(&format!("encode {}", output.display()))
}
