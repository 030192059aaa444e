//! The options of each encoder, pinned so that equal input gives equal bytes.

use crate::EncodeSettings;

/// Options of ffmpeg and their values, in order.
type Options = Vec<(&'static str, String)>;

/// The options of ffmpeg's encoder `encoder`, without its name.
pub(crate) fn options(settings: &EncodeSettings, encoder: &str) -> Options {
    match encoder {
        "libx264" | "libx264rgb" => x264(settings),
        "libx265" => x265(settings),
        "libsvtav1" => svt_av1(settings),
        "libaom-av1" => aom_av1(settings),
        "libvpx-vp9" => vp9(settings),
        _ => ffv1(settings),
    }
}

fn x264(settings: &EncodeSettings) -> Options {
    // Frames that wait in the encoder are most of its memory. Measured at 1920 x 1080, preset medium, two threads:
    // 470 MB with x264's lookahead of 40 frames, 246 MB with 10, 212 MB with 5, and 189 MB when the threads share one
    // frame instead of each taking its own. At CRF 18 that costs 0.12 dB and saves 19 % of the size.
    let threads = threads(settings);
    let mut parameters = format!("threads={threads}:sliced-threads=1:rc-lookahead=5:sync-lookahead=0");
    // Most of a job is the encoder. Against medium at CRF 18 these settings take two fifths of its time for a picture that is a
    // little closer to the frames that it gets, in a file that is a quarter larger. With blocks left uncut veryfast takes a fifth
    // less time, and the file is no larger for it (docs/QUALITY.md).
    if settings.preset.is_none() {
        parameters.push_str(":partitions=i4x4,i8x8");
    }
    let quality = if settings.lossless { ("-qp", "0".to_owned()) } else { ("-crf", crf(settings, 16)) };
    vec![("-x264-params", parameters), ("-preset", preset(settings, "veryfast")), quality]
}

fn x265(settings: &EncodeSettings) -> Options {
    let (threads, lossless) = (threads(settings), u8::from(settings.lossless));
    let parameters =
        format!("pools={threads}:frame-threads=1:rc-lookahead=10:log-level=error:lossless={lossless}:info=0");
    vec![
        ("-x265-params", parameters),
        ("-preset", preset(settings, "medium")),
        ("-crf", crf(settings, 20)),
        // The tag that Apple's players insist on.
        ("-tag:v", "hvc1".to_owned()),
    ]
}

fn svt_av1(settings: &EncodeSettings) -> Options {
    let parameters = format!("lp={}", threads(settings));
    vec![("-preset", preset(settings, "8")), ("-crf", crf(settings, 28)), ("-svtav1-params", parameters)]
}

fn aom_av1(settings: &EncodeSettings) -> Options {
    // Its scale of speed ends at 8, that of SVT-AV1 at 13.
    let speed = settings.preset.as_ref().and_then(|preset| preset.parse::<u8>().ok()).unwrap_or(6).min(8);
    let quality = if settings.lossless {
        ("-aom-params", "lossless=1".to_owned())
    } else {
        ("-crf", crf(settings, 28))
    };
    vec![("-cpu-used", speed.to_string()), ("-threads", threads(settings)), quality, ("-b:v", "0".to_owned())]
}

fn vp9(settings: &EncodeSettings) -> Options {
    let quality = if settings.lossless { ("-lossless", "1".to_owned()) } else { ("-crf", crf(settings, 24)) };
    vec![("-threads", threads(settings)), ("-cpu-used", "2".to_owned()), quality, ("-b:v", "0".to_owned())]
}

fn ffv1(settings: &EncodeSettings) -> Options {
    // Version 3 with checksums; every frame on its own, so that any part of the file can be read.
    let mut options: Options = vec![("-threads", threads(settings))];
    let fixed = [("-level", "3"), ("-slicecrc", "1"), ("-slices", "4"), ("-g", "1")];
    options.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    options
}

fn threads(settings: &EncodeSettings) -> String {
    settings.threads.max(1).to_string()
}

fn crf(settings: &EncodeSettings, default: u8) -> String {
    settings.crf.unwrap_or(default).to_string()
}

fn preset(settings: &EncodeSettings, default: &str) -> String {
    settings.preset.clone().unwrap_or_else(|| default.to_owned())
}
