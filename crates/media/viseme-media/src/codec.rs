//! Which encoder makes the picture, with which arguments.

use crate::encoder_options;
use crate::input::strings;
use crate::pixel_format;
use std::ffi::OsString;
use viseme_core::{Error, ErrorKind, Result};
use viseme_imaging::{ChromaSampling, PixelFormat};

/// A picture codec that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// H.264 (x264). Plays everywhere.
    #[default]
    H264,
    /// H.265 (x265). Smaller.
    H265,
    /// AV1 (SVT-AV1, or libaom for what that does not take).
    Av1,
    /// VP9 (libvpx).
    Vp9,
    /// FFV1: lossless, keeps alpha and every format. In .mkv and .mov.
    Ffv1,
}

/// How to encode. The default is H.264 at CRF 16, near to preset veryfast, two threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeSettings {
    /// The codec.
    pub codec: VideoCodec,
    /// Constant quality, smaller is better: 0 to 51 for H.264 and H.265, 0 to 63 for AV1 and VP9. `None` for the codec's
    /// default here: 16, 20, 28 and 24.
    pub crf: Option<u8>,
    /// Speed against size: "ultrafast" to "veryslow" for H.264 and H.265, "0" to "13" for AV1. `None` for the codec's
    /// default here: "veryfast" without cut blocks, "medium", "8".
    pub preset: Option<String>,
    /// Every sample as it was given; refused where the codec cannot, such as 12 bits in H.264.
    pub lossless: bool,
    /// Threads of the encoder. The bytes depend on it, so it is not taken from the machine.
    pub threads: u32,
}

impl Default for EncodeSettings {
    fn default() -> Self {
        Self { codec: VideoCodec::H264, crf: None, preset: None, lossless: false, threads: 2 }
    }
}

/// The presets of x264 and x265.
const PRESETS: [&str; 9] =
    ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

impl EncodeSettings {
    /// Checks that the values are in the ranges of the codec.
    ///
    /// # Errors
    /// [`InvalidInput`](viseme_core::ErrorKind::InvalidInput) that says which value is not.
    pub fn validate(&self) -> Result<()> {
        let best_to_worst = if matches!(self.codec, VideoCodec::Av1 | VideoCodec::Vp9) { 63 } else { 51 };
        if let Some(crf) = self.crf.filter(|&crf| crf > best_to_worst) {
            return Err(Error::invalid_input(format!("crf {crf} is not between 0 and {best_to_worst}")));
        }
        let Some(preset) = &self.preset else { return Ok(()) };
        let is_known = match self.codec {
            VideoCodec::H264 | VideoCodec::H265 => PRESETS.contains(&preset.as_str()),
            VideoCodec::Av1 => preset.parse::<u8>().is_ok_and(|preset| preset <= 13),
            VideoCodec::Vp9 | VideoCodec::Ffv1 => {
                return Err(Error::invalid_input(format!("{:?} has no presets", self.codec)));
            }
        };
        if is_known { Ok(()) } else { Err(Error::invalid_input(format!("unknown preset '{preset}'"))) }
    }
}

/// What the encoder is given and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncoderPlan {
    /// ffmpeg's name of the format that the encoder gets.
    pub(crate) pixel_format: String,
    /// Whether red, green and blue become luma and chroma (BT.709, limited range).
    pub(crate) rgb_becomes_yuv: bool,
    /// Whether an alpha plane is lost.
    pub(crate) drops_alpha: bool,
    /// Arguments from `-c:v` on.
    pub(crate) arguments: Vec<OsString>,
}

/// Plans the encoder for frames of `format` and size.
///
/// The format is kept wherever the codec can hold it. Otherwise:
/// * Alpha is dropped by all codecs but FFV1.
/// * Gray becomes 4:2:0 with neutral chroma: few players take gray video.
/// * RGB becomes 4:2:0 in lossy files, so that they play everywhere, and stays RGB in lossless ones.
/// * An odd size with subsampled chroma becomes 4:4:4 for H.264, H.265 and SVT-AV1's codec, whose encoders refuse it:
///   all pixels are kept at the price of a file that fewer players take.
/// * H.264 has no 12-bit profile that players take: 12 bits become 10.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when lossless coding is asked for and the codec would change samples.
pub(crate) fn plan(settings: &EncodeSettings, format: PixelFormat, size: (u32, u32)) -> Result<EncoderPlan> {
    let target = target_format(settings, format, size);
    let is_exact = target.bit_depth == format.bit_depth
        && (target.chroma == format.chroma || format.chroma == ChromaSampling::Gray);
    if settings.lossless && !is_exact {
        let (name, codec) = (pixel_format::ffmpeg_name(format), settings.codec);
        let message = format!("{codec:?} cannot hold {name} at {}x{} without loss", size.0, size.1);
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("Use --codec ffv1 and a .mkv or .mov file."));
    }
    let encoder = encoder(settings, target);
    Ok(EncoderPlan {
        pixel_format: encoder_format(encoder, target),
        rgb_becomes_yuv: format.chroma == ChromaSampling::Gbr && target.chroma != ChromaSampling::Gbr,
        drops_alpha: format.alpha && !target.alpha,
        arguments: arguments(settings, encoder),
    })
}

fn target_format(settings: &EncodeSettings, format: PixelFormat, (width, height): (u32, u32)) -> PixelFormat {
    let codec = settings.codec;
    let mut target = format;
    if codec != VideoCodec::Ffv1 {
        target.alpha = false;
        if target.chroma == ChromaSampling::Gray
            || (target.chroma == ChromaSampling::Gbr && !settings.lossless)
        {
            target.chroma = ChromaSampling::Yuv420;
        }
        let (x, y) = target.chroma.chroma_shift();
        let fits = width % (1 << x) == 0 && height % (1 << y) == 0;
        if !fits && codec != VideoCodec::Vp9 {
            target.chroma = ChromaSampling::Yuv444;
        }
        if codec == VideoCodec::H264 {
            let most = if target.chroma == ChromaSampling::Gbr { 8 } else { 10 };
            target.bit_depth = target.bit_depth.min(most);
        }
    }
    target
}

fn encoder(settings: &EncodeSettings, target: PixelFormat) -> &'static str {
    match settings.codec {
        // x264 knows RGB with 8 bits only, as packed samples.
        VideoCodec::H264 if target.chroma == ChromaSampling::Gbr => "libx264rgb",
        VideoCodec::H264 => "libx264",
        VideoCodec::H265 => "libx265",
        VideoCodec::Av1 if settings.lossless => "libaom-av1",
        VideoCodec::Av1 if target.chroma == ChromaSampling::Yuv420 && target.bit_depth <= 10 => "libsvtav1",
        VideoCodec::Av1 => "libaom-av1",
        VideoCodec::Vp9 => "libvpx-vp9",
        VideoCodec::Ffv1 => "ffv1",
    }
}

fn encoder_format(encoder: &str, target: PixelFormat) -> String {
    let is_rgb8 = target.chroma == ChromaSampling::Gbr && target.bit_depth == 8;
    match encoder {
        "libx264rgb" => "rgb24".to_owned(),
        // FFV1 stores 8-bit RGB from packed samples: the same values.
        "ffv1" if is_rgb8 && target.alpha => "bgra".to_owned(),
        "ffv1" if is_rgb8 => "bgr0".to_owned(),
        // It has no 12 bits with alpha beside luma; the next it has holds them.
        "ffv1" if target.alpha && target.bit_depth == 12 && target.chroma != ChromaSampling::Gbr => {
            pixel_format::ffmpeg_name(target).replace("12", "16")
        }
        _ => pixel_format::ffmpeg_name(target),
    }
}

fn arguments(settings: &EncodeSettings, encoder: &str) -> Vec<OsString> {
    let mut arguments = strings(&["-c:v", encoder]);
    for (name, value) in encoder_options::options(settings, encoder) {
        arguments.extend([OsString::from(name), OsString::from(value)]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(
        codec: VideoCodec,
        lossless: bool,
        chroma: ChromaSampling,
        bits: u8,
        size: (u32, u32),
    ) -> String {
        let settings = EncodeSettings { codec, lossless, ..EncodeSettings::default() };
        plan(&settings, PixelFormat { chroma, bit_depth: bits, alpha: false }, size).unwrap().pixel_format
    }

    #[test]
    fn formats_stay_unless_the_codec_cannot_hold_them() {
        use ChromaSampling::{Gbr, Gray, Yuv420, Yuv422};
        use VideoCodec::{Ffv1, H264, H265, Vp9};
        assert_eq!(planned(H264, false, Yuv420, 8, (64, 64)), "yuv420p");
        assert_eq!(planned(H264, false, Yuv422, 10, (64, 64)), "yuv422p10le");
        assert_eq!(planned(H264, false, Yuv422, 12, (64, 64)), "yuv422p10le");
        assert_eq!(planned(H265, false, Yuv422, 12, (64, 64)), "yuv422p12le");
        assert_eq!(planned(H264, false, Yuv420, 8, (63, 64)), "yuv444p");
        assert_eq!(planned(Vp9, false, Yuv420, 8, (63, 63)), "yuv420p");
        assert_eq!(planned(H264, false, Yuv422, 8, (64, 63)), "yuv422p");
        assert_eq!(planned(H264, false, Gray, 8, (64, 64)), "yuv420p");
        assert_eq!(planned(H264, false, Gbr, 8, (64, 64)), "yuv420p");
        assert_eq!(planned(H264, true, Gbr, 8, (64, 64)), "rgb24");
        assert_eq!(planned(Ffv1, false, Gbr, 8, (63, 63)), "bgr0");
        assert_eq!(planned(Ffv1, false, Gbr, 12, (63, 63)), "gbrp12le");
    }

    #[test]
    fn lossless_is_refused_where_it_would_not_be() {
        let settings = EncodeSettings { lossless: true, ..EncodeSettings::default() };
        let format = |bit_depth| PixelFormat { bit_depth, ..PixelFormat::YUV420P };
        assert!(plan(&settings, format(10), (64, 64)).is_ok());
        assert_eq!(plan(&settings, format(12), (64, 64)).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(plan(&settings, format(8), (63, 64)).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let settings = |codec, crf, preset: Option<&str>| EncodeSettings {
            codec,
            crf,
            preset: preset.map(str::to_owned),
            ..EncodeSettings::default()
        };
        assert!(settings(VideoCodec::H264, Some(51), Some("slow")).validate().is_ok());
        assert!(settings(VideoCodec::H264, Some(52), None).validate().is_err());
        assert!(settings(VideoCodec::Av1, Some(63), Some("13")).validate().is_ok());
        assert!(settings(VideoCodec::H265, None, Some("quick")).validate().is_err());
        assert!(settings(VideoCodec::Vp9, None, Some("slow")).validate().is_err());
    }
}
