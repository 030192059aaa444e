//! From ffprobe's report to our description.

use super::colour;
use super::info::{AudioInfo, MediaInfo, OtherStream, Ratio, StreamKind, VideoInfo};
use super::report::{Report, ReportedStream, number};
use crate::input::Input;
use crate::pixel_format;
use viseme_core::{Error, ErrorKind, Pts, Result, Timebase};

/// A start this late is an accident of cutting or of the container's clock, not a pause that was meant, in seconds.
const LATE_START_S: f64 = 1.0;

/// Describes the file.
pub(super) fn media_info(input: &Input, report: Report) -> Result<MediaInfo> {
    let picture = main_picture(&report.streams).map(|stream| stream.index);
    let origin_s = origin_s(input, &report, picture);
    let mut info = MediaInfo {
        container: input.demuxer().trim_end_matches("_pipe").to_owned(),
        duration_s: if input.is_still() { 0.0 } else { duration_s(&report) },
        origin_s,
        video: None,
        audio: Vec::new(),
        other: Vec::new(),
        chapters: report.chapters.len(),
        is_still: input.is_still(),
        tags: report.format.tags,
    };
    for stream in &report.streams {
        if Some(stream.index) == picture {
            info.video = Some(video_info(input, stream, info.duration_s, origin_s)?);
        } else if stream.codec_type == "audio" && stream.channels > 0 {
            info.audio.push(audio_info(stream, origin_s));
        } else {
            info.other.push(other_stream(stream));
        }
    }
    if info.video.is_none() && info.audio.is_empty() {
        return Err(Error::invalid_input(format!("{} has neither picture nor sound", input.display())));
    }
    Ok(info)
}

/// The stream that players show: the first default one, else the first; never a cover picture.
fn main_picture(streams: &[ReportedStream]) -> Option<&ReportedStream> {
    let pictures = || streams.iter().filter(|stream| is_moving_picture(stream));
    pictures().find(|stream| stream.has_disposition("default")).or(pictures().next())
}

fn is_moving_picture(stream: &ReportedStream) -> bool {
    stream.codec_type == "video"
        && !stream.has_disposition("attached_pic")
        && !stream.has_disposition("timed_thumbnails")
        && stream.width > 0
        && stream.height > 0
}

/// What the file's own clock shows at our zero.
fn origin_s(input: &Input, report: &Report, picture: Option<u32>) -> f64 {
    let start_s = number(report.format.start_time.as_ref()).unwrap_or(0.0);
    let clock_starts_anywhere = matches!(input.demuxer(), "mpeg" | "mpegts" | "mpegvideo");
    if clock_starts_anywhere || start_s > LATE_START_S {
        return start_s;
    }
    let picture = report.streams.iter().find(|stream| Some(stream.index) == picture);
    // Encoders of sound often start before zero, to be cut; a picture that does is meant to be seen.
    picture.and_then(|stream| number(stream.start_time.as_ref())).unwrap_or(0.0).min(0.0)
}

fn duration_s(report: &Report) -> f64 {
    let of_streams = report.streams.iter().filter_map(|stream| number(stream.duration.as_ref()));
    let of_container = number(report.format.duration.as_ref());
    of_container.into_iter().chain(of_streams).fold(0.0, f64::max)
}

fn video_info(input: &Input, stream: &ReportedStream, duration_s: f64, origin_s: f64) -> Result<VideoInfo> {
    let stored_format = stream.pix_fmt.clone().unwrap_or_default();
    let format = pixel_format::nearest(&stored_format).ok_or_else(|| {
        let codec = stream.codec_name.as_deref().unwrap_or("an unknown codec");
        Error::new(
            ErrorKind::Unsupported,
            format!("cannot decode the picture of {} ({codec}, format '{stored_format}')", input.display()),
        )
    })?;
    let timebase = timebase(&stream.time_base).unwrap_or(Timebase::MICROSECOND);
    let rotation_degrees = rotation_degrees(stream);
    let is_turned = rotation_degrees % 180 == 90;
    let upright = |a, b| if is_turned { (b, a) } else { (a, b) };
    let (width, height) = upright(stream.width, stream.height);
    let colour_tags = colour::tags(stream);
    let aspect = stream.sample_aspect_ratio.as_deref().and_then(|text| ratio(text, ':'));
    let origin = timebase.nearest(origin_s);
    let start = stream.start_pts.map_or(0, |start| start - origin.0);
    Ok(VideoInfo {
        stream_index: stream.index,
        codec: stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned()),
        width,
        height,
        rotation_degrees,
        sample_aspect_ratio: aspect.and_then(|aspect| {
            let (numerator, denominator) = upright(aspect.numerator, aspect.denominator);
            Ratio::new(numerator, denominator)
        }),
        format,
        colour: colour::colour(&colour_tags, format, &stored_format, (stream.width, stream.height)),
        colour_tags,
        pixel_format_name: stored_format,
        timebase,
        average_frame_rate: frame_rate(stream),
        frame_count: frame_count(stream),
        duration_s: number(stream.duration.as_ref()).unwrap_or(duration_s),
        start: Pts(start.max(0)),
        origin,
    })
}

/// Frames by their packets where those were counted, else as the container says.
fn frame_count(stream: &ReportedStream) -> Option<u64> {
    let count = stream.nb_read_packets.as_ref().or(stream.nb_frames.as_ref());
    count.and_then(|count| count.parse().ok()).filter(|&count| count > 0)
}

/// ffprobe reports the display matrix as a counter-clockwise angle, old files have a clockwise tag.
fn rotation_degrees(stream: &ReportedStream) -> u32 {
    let of_matrix = stream.side_data_list.iter().find_map(|data| data.rotation).map(|degrees| -degrees);
    let of_tag = || number(stream.tags.get("rotate"));
    let degrees = of_matrix.or_else(of_tag).unwrap_or(0.0);
    // ffmpeg applies any other angle inside a frame of the same size, so it does not count here.
    let quarter_turns = (degrees / 90.0).round();
    if (degrees - quarter_turns * 90.0).abs() > 1.0 {
        0
    } else {
        (quarter_turns.rem_euclid(4.0) * 90.0) as u32
    }
}

fn frame_rate(stream: &ReportedStream) -> Ratio {
    // A rate above this is the tick of the time base, which some demuxers give for want of anything better.
    let plausible = |rate: &Ratio| rate.value() <= 1000.0;
    ratio(&stream.avg_frame_rate, '/')
        .filter(plausible)
        .or_else(|| ratio(&stream.r_frame_rate, '/').filter(plausible))
        .unwrap_or(Ratio { numerator: 25, denominator: 1 })
}

fn audio_info(stream: &ReportedStream, origin_s: f64) -> AudioInfo {
    AudioInfo {
        stream_index: stream.index,
        codec: stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned()),
        sample_rate_hz: number(stream.sample_rate.as_ref()).unwrap_or(0.0) as u32,
        channels: stream.channels,
        channel_layout: stream.channel_layout.clone(),
        duration_s: number(stream.duration.as_ref()),
        start_s: number(stream.start_time.as_ref()).unwrap_or(origin_s) - origin_s,
        origin_s,
        is_default: stream.has_disposition("default"),
        language: stream.tag("language"),
    }
}

fn other_stream(stream: &ReportedStream) -> OtherStream {
    OtherStream {
        stream_index: stream.index,
        kind: match stream.codec_type.as_str() {
            "video" if is_moving_picture(stream) => StreamKind::Video,
            "video" => StreamKind::CoverPicture,
            "subtitle" => StreamKind::Subtitle,
            "attachment" => StreamKind::Attachment,
            _ => StreamKind::Data,
        },
        codec: stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned()),
        language: stream.tag("language"),
    }
}

fn ratio(text: &str, separator: char) -> Option<Ratio> {
    let (numerator, denominator) = text.split_once(separator)?;
    Ratio::new(numerator.parse().ok()?, denominator.parse().ok()?)
}

fn timebase(text: &str) -> Option<Timebase> {
    let ratio = ratio(text, '/')?;
    Timebase::new(ratio.numerator, ratio.denominator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::report::SideData;

    #[test]
    fn quarter_turns_are_read_from_the_matrix_and_the_tag() {
        for (matrix, expected) in [(-90.0, 90), (90.0, 270), (180.0, 180), (-180.0, 180), (0.0, 0), (12.0, 0)]
        {
            let side_data_list = vec![SideData { rotation: Some(matrix) }];
            let stream = ReportedStream { side_data_list, ..ReportedStream::default() };
            assert_eq!(rotation_degrees(&stream), expected, "{matrix}");
        }
        let tags = [("rotate".to_owned(), "270".to_owned())].into();
        assert_eq!(rotation_degrees(&ReportedStream { tags, ..ReportedStream::default() }), 270);
    }

    #[test]
    fn a_cover_is_not_the_picture() {
        let cover = ReportedStream {
            codec_type: "video".to_owned(),
            width: 8,
            height: 8,
            disposition: [("attached_pic".to_owned(), 1)].into(),
            ..ReportedStream::default()
        };
        assert!(main_picture(&[cover]).is_none());
    }
}
