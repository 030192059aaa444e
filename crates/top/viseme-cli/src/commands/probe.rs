//! `viseme probe`: what is in a media file.

use crate::arguments::ProbeArguments;
use crate::printer;
use std::process::ExitCode;
use viseme_core::Result;
use viseme_media::{MediaInfo, Tools, VideoInfo};

/// Prints what is in the file.
pub(crate) fn run(arguments: &ProbeArguments) -> Result<ExitCode> {
    let info = viseme_media::probe(&Tools::locate()?, &arguments.file, &arguments.limits.limits())?;
    if arguments.json {
        printer::json(&info)?;
    } else {
        for line in lines(&info) {
            printer::data(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(info: &MediaInfo) -> Vec<String> {
    let kind = if info.is_still { "still picture".to_owned() } else { format!("{:.3} s", info.duration_s) };
    let mut lines = vec![format!("container  {}, {kind}", info.container)];
    lines.extend(info.video.as_ref().map(picture));
    lines.extend(info.audio.iter().map(|audio| {
        format!("sound      {}, {} Hz, {} channels", audio.codec, audio.sample_rate_hz, audio.channels)
    }));
    lines.extend(
        info.other
            .iter()
            .map(|other| format!("{:<10} {}", format!("{:?}", other.kind).to_lowercase(), other.codec)),
    );
    lines
}

fn picture(video: &VideoInfo) -> String {
    let frames = video.frame_count.map_or_else(String::new, |count| format!(", {count} frames"));
    format!(
        "picture    {}, {}x{}, {}, {:.3} frames per second{frames}",
        video.codec,
        video.width,
        video.height,
        video.pixel_format_name,
        video.average_frame_rate.value(),
    )
}
