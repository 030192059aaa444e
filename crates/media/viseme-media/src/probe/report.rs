//! ffprobe's JSON report, as far as we read it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole report.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    #[serde(default)]
    pub(super) streams: Vec<ReportedStream>,
    #[serde(default)]
    pub(super) chapters: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    pub(super) format: ReportedFormat,
}

/// The container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportedFormat {
    pub(super) format_name: String,
    pub(super) start_time: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// One stream. ffprobe writes most numbers as text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportedStream {
    pub(super) index: u32,
    pub(super) codec_type: String,
    pub(super) codec_name: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) sample_aspect_ratio: Option<String>,
    pub(super) pix_fmt: Option<String>,
    pub(super) color_range: Option<String>,
    pub(super) color_space: Option<String>,
    pub(super) color_primaries: Option<String>,
    pub(super) color_transfer: Option<String>,
    pub(super) r_frame_rate: String,
    pub(super) avg_frame_rate: String,
    pub(super) time_base: String,
    pub(super) start_pts: Option<i64>,
    pub(super) start_time: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) nb_frames: Option<String>,
    /// Only where the packets were counted.
    pub(super) nb_read_packets: Option<String>,
    pub(super) sample_rate: Option<String>,
    pub(super) channels: u32,
    pub(super) channel_layout: Option<String>,
    pub(super) disposition: BTreeMap<String, i32>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) side_data_list: Vec<SideData>,
}

/// Side data of a stream: we look for the display matrix.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SideData {
    /// Counter-clockwise, in degrees; whole numbers for all but hand-made files.
    pub(super) rotation: Option<f64>,
}

impl ReportedStream {
    /// Whether the stream has the disposition `name`: "default", `"attached_pic"`.
    pub(super) fn has_disposition(&self, name: &str) -> bool {
        self.disposition.get(name).is_some_and(|&value| value != 0)
    }

    /// The value of a tag, without the placeholder of an unknown language.
    pub(super) fn tag(&self, name: &str) -> Option<String> {
        self.tags.get(name).filter(|value| *value != "und").cloned()
    }
}

/// A number that ffprobe wrote as text; `None` for "N/A" and what is not finite.
pub(super) fn number(text: Option<&String>) -> Option<f64> {
    text.and_then(|text| text.parse().ok()).filter(|value: &f64| value.is_finite())
}
