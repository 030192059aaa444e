//! The description of a media file.

use crate::pixel_format;
use serde::Serialize;
use std::collections::BTreeMap;
use viseme_core::{Pts, Timebase};
use viseme_imaging::{ColourInfo, PixelFormat};

/// A media file. Serialises to what `viseme probe --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MediaInfo {
    /// ffmpeg's name of the container: "mov", "matroska", "wav".
    pub container: String,
    /// Length of the longest stream in seconds; 0 for a still picture.
    pub duration_s: f64,
    /// The time of the file's own clock that we call zero, in seconds: see the crate's documentation.
    pub origin_s: f64,
    /// The picture; cover pictures are not it.
    pub video: Option<VideoInfo>,
    /// All sound streams in the order of the file.
    pub audio: Vec<AudioInfo>,
    /// Every other stream.
    pub other: Vec<OtherStream>,
    /// Number of chapters.
    pub chapters: usize,
    /// Whether it is one still picture.
    pub is_still: bool,
    /// Tags of the container: title, artist, comment.
    pub tags: BTreeMap<String, String>,
}

impl MediaInfo {
    /// The sound that players choose: the first one marked as default, else the first.
    #[must_use]
    pub fn default_audio(&self) -> Option<&AudioInfo> {
        self.audio.iter().find(|audio| audio.is_default).or(self.audio.first())
    }
}

/// Two whole numbers as a quotient: frames per second, or width by height of a pixel. Both above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u32,
    /// Below the line.
    pub denominator: u32,
}

impl Ratio {
    /// `numerator / denominator`; `None` if either is zero.
    #[must_use]
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        (numerator > 0 && denominator > 0).then_some(Self { numerator, denominator })
    }

    /// The quotient.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

/// The picture of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoInfo {
    /// Its number among the streams of the file.
    pub stream_index: u32,
    /// ffmpeg's name of the codec: "h264".
    pub codec: String,
    /// Columns of the upright picture: the reader has applied the rotation.
    pub width: u32,
    /// Rows of the upright picture.
    pub height: u32,
    /// How far the stored picture has to be turned clockwise to be upright, in degrees: 0, 90, 180 or 270.
    pub rotation_degrees: u32,
    /// Width by height of a pixel of the upright picture; `None` when the file does not say (square).
    pub sample_aspect_ratio: Option<Ratio>,
    /// Layout of the frames that the reader gives.
    #[serde(serialize_with = "pixel_format::serialize")]
    pub format: PixelFormat,
    /// ffmpeg's name of the stored format, which may be packed: "nv12".
    pub pixel_format_name: String,
    /// What the samples mean. Where the file does not say, what players assume: BT.601 for standard definition, BT.709
    /// for high, limited range for YUV.
    pub colour: ColourInfo,
    /// What the file itself says about that.
    pub colour_tags: ColourTags,
    /// Unit of the times of the frames.
    #[serde(serialize_with = "serialize_timebase")]
    pub timebase: Timebase,
    /// Frames per second over the whole stream; frames need not be evenly spaced.
    pub average_frame_rate: Ratio,
    /// Number of frames, where the container knows it. An edit list may hide some of them.
    pub frame_count: Option<u64>,
    /// Length in seconds.
    pub duration_s: f64,
    /// Time of the first frame, after the shift by `origin`.
    pub start: Pts,
    /// The time of the file's own clock that is our zero. The reader subtracts it from every frame.
    pub origin: Pts,
}

impl VideoInfo {
    /// Time from one frame to the next at the average rate, in ticks of the time base; at least one.
    #[must_use]
    pub fn average_frame_ticks(&self) -> i64 {
        self.timebase.nearest(1.0 / self.average_frame_rate.value()).0.max(1)
    }
}

/// The colour description that a stream carries, in ffmpeg's names; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColourTags {
    /// "tv" or "pc".
    pub range: Option<String>,
    /// Matrix coefficients: "bt709", "smpte170m".
    pub matrix: Option<String>,
    /// Primaries: "bt709".
    pub primaries: Option<String>,
    /// Transfer characteristics: "bt709", "smpte2084".
    pub transfer: Option<String>,
}

/// A sound stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioInfo {
    /// Its number among the streams of the file.
    pub stream_index: u32,
    /// ffmpeg's name of the codec: "aac".
    pub codec: String,
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u32,
    /// ffmpeg's name of the channel layout: "stereo", "5.1".
    pub channel_layout: Option<String>,
    /// Length in seconds, when known.
    pub duration_s: Option<f64>,
    /// Time of the first sample, in seconds of the media's time.
    pub start_s: f64,
    /// The time of the file's own clock that is our zero, in seconds.
    pub origin_s: f64,
    /// Whether players choose it.
    pub is_default: bool,
    /// Language (ISO 639-2).
    pub language: Option<String>,
}

/// What kind of stream another stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamKind {
    /// A second moving picture.
    Video,
    /// A cover picture.
    CoverPicture,
    /// Subtitles.
    Subtitle,
    /// A file inside the container: a font.
    Attachment,
    /// Anything else: time code, telemetry.
    Data,
}

/// A stream that is neither the picture nor sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherStream {
    /// Its number among the streams of the file.
    pub stream_index: u32,
    /// What it is.
    pub kind: StreamKind,
    /// ffmpeg's name of the codec: `"mov_text"`; "unknown" for what it does not know.
    pub codec: String,
    /// Language (ISO 639-2).
    pub language: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn serialize_timebase<S: serde::Serializer>(timebase: &Timebase, serializer: S) -> Result<S::Ok, S::Error> {
    Ratio { numerator: timebase.numerator(), denominator: timebase.denominator() }.serialize(serializer)
}
