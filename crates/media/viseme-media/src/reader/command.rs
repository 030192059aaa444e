//! The command line of the decoding child.

use crate::VideoInfo;
use crate::input::{Input, preamble, strings};
use crate::pixel_format;
use std::ffi::OsString;
use viseme_core::{Limits, Pts};
use viseme_imaging::ColourRange;

/// Threads of the decoder. Two keep up with every engine; each more costs a few frames of memory.
const DECODER_THREADS: &str = "2";

/// Decodes the stream of `info` to raw planes on standard output, with one `showinfo` line per frame on standard error.
///
/// `seek` is a time on our clock: decoding then starts at the key frame before it, or not far off in files that seek badly.
pub(super) fn arguments(
    input: &Input,
    info: &VideoInfo,
    seek: Option<Pts>,
    limits: &Limits,
) -> Vec<OsString> {
    // `showinfo` speaks at level "info". `-copyts` keeps the file's own times.
    let mut arguments = preamble("info");
    arguments.extend(strings(&["-copyts", "-threads", DECODER_THREADS, "-filter_threads", "1"]));
    if let Some(pts) = seek {
        let seconds = info.timebase.seconds(Pts(pts.0 + info.origin.0));
        arguments.extend(strings(&[
            "-seek_timestamp",
            "1",
            "-noaccurate_seek",
            "-ss",
            &format!("{seconds:.6}"),
        ]));
    }
    // The stream may grow on the way. Decoders round sizes up to whole blocks, so a little more is let through.
    let max_pixels = limits.pixels.saturating_mul(2).min(i32::MAX as u64);
    arguments.extend(strings(&["-max_pixels", &max_pixels.to_string()]));
    arguments.extend(input.arguments());
    let stream = format!("0:{}", info.stream_index);
    arguments.extend(strings(&["-map", &stream, "-an", "-sn", "-dn", "-vf", &filters(info)]));
    arguments.extend(strings(&["-fps_mode", "passthrough", "-c:v", "rawvideo"]));
    arguments
        .extend(strings(&["-pix_fmt", &pixel_format::decoded_name(&info.pixel_format_name, info.format)]));
    arguments.extend(strings(&["-f", "rawvideo", "pipe:1"]));
    arguments
}

/// The filters, which leave the frames of an ordinary file as they are.
fn filters(info: &VideoInfo) -> String {
    let (numerator, denominator) = (info.timebase.numerator(), info.timebase.denominator());
    let mut filters = vec![format!("settb={numerator}/{denominator}")];
    // A stream may change its size on the way: then the later frames are scaled to the size that was announced.
    let range = match info.colour.range {
        ColourRange::Limited => "limited",
        ColourRange::Full => "full",
    };
    let (width, height) = (info.width, info.height);
    filters.push(format!(
        "scale=w={width}:h={height}:in_range={range}:out_range={range}:flags=bicubic+accurate_rnd+full_chroma_int+bitexact"
    ));
    let name = pixel_format::decoded_name(&info.pixel_format_name, info.format);
    filters.push(format!("format={name}"));
    filters.push("showinfo=checksum=0".to_owned());
    filters.join(",")
}
