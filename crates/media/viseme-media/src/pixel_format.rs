//! ffmpeg's pixel formats and ours.

use viseme_imaging::{ChromaSampling, PixelFormat};

/// The planar format nearest to ffmpeg's `name`, from which no sample has to be invented or thrown away.
///
/// Packed and semi-planar formats (nv12, rgb24, bgra) become the planar format of the same sampling. More than 12 bits
/// and floats become 12 bits. Palettes become RGB with alpha. `None` for what has no such neighbour.
pub(crate) fn nearest(name: &str) -> Option<PixelFormat> {
    let name = name.strip_suffix("le").or(name.strip_suffix("be")).unwrap_or(name);
    let (chroma, alpha) = sampling(name)?;
    Some(PixelFormat { chroma, bit_depth: bit_depth(name), alpha })
}

fn sampling(name: &str) -> Option<(ChromaSampling, bool)> {
    use ChromaSampling::{Gbr, Gray, Yuv420, Yuv422, Yuv444};
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let found = if starts(&["yuva420"]) {
        (Yuv420, true)
    } else if starts(&["yuva422"]) {
        (Yuv422, true)
    } else if starts(&["yuva444", "ayuv", "vuya"]) {
        (Yuv444, true)
    } else if starts(&["yuv420", "yuvj420", "nv12", "nv21", "p01"]) {
        (Yuv420, false)
    } else if starts(&["yuv422", "yuvj422", "yuyv422", "yvyu422", "uyvy422", "nv16", "nv20", "p21", "y21"]) {
        (Yuv422, false)
    } else if starts(&["yuv4", "yuvj4", "uyyvyy411", "nv24", "nv42", "p41", "vuyx", "xv3"]) {
        // 4:1:1, 4:1:0 and 4:4:0 are rare; full chroma holds all of their samples.
        (Yuv444, false)
    } else if starts(&["gray", "mono", "y8"]) {
        (Gray, false)
    } else if starts(&["gbrap", "rgba", "bgra", "argb", "abgr", "pal8", "ya8", "ya16"]) {
        (Gbr, true)
    } else if starts(&["gbrp", "rgb", "bgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "xyz12", "bayer"]) {
        (Gbr, false)
    } else {
        return None;
    };
    Some(found)
}

/// Bits of a sample, rounded up to one of 8, 10 and 12; more than 12 become 12.
fn bit_depth(name: &str) -> u8 {
    const EIGHT_BIT: [&str; 5] = ["nv12", "rgb565", "bgr565", "rgb555", "bgr555"];
    if EIGHT_BIT.contains(&name) {
        return 8;
    }
    let depth = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
    if depth(&[
        "f32", "f16", "rgb48", "bgr48", "rgba64", "bgra64", "xyz12", "p016", "p216", "p416", "ya16", "gray16",
    ]) || name.ends_with("p12")
        || name.ends_with("p14")
        || name.ends_with("p16")
        || depth(&["gray12", "gray14", "p012", "p212", "p412", "y212", "xv36"])
    {
        12
    } else if name.ends_with("p9")
        || name.ends_with("p10")
        || depth(&["gray9", "gray10", "p010", "p210", "p410", "y210", "nv20", "x2rgb10", "x2bgr10", "xv30"])
    {
        10
    } else {
        8
    }
}

/// ffmpeg's name of a planar format of ours, 16-bit samples little endian.
///
/// Gray with alpha has no planar name in ffmpeg; no input maps to it.
pub(crate) fn ffmpeg_name(format: PixelFormat) -> String {
    let alpha = if format.alpha { "a" } else { "" };
    let base = match format.chroma {
        ChromaSampling::Gray => "gray".to_owned(),
        ChromaSampling::Yuv420 => format!("yuv{alpha}420p"),
        ChromaSampling::Yuv422 => format!("yuv{alpha}422p"),
        ChromaSampling::Yuv444 => format!("yuv{alpha}444p"),
        ChromaSampling::Gbr => format!("gbr{alpha}p"),
    };
    if format.bit_depth > 8 { format!("{base}{}le", format.bit_depth) } else { base }
}

/// ffmpeg's name under which it decodes `source` to [`nearest`] without touching the samples where that is possible.
///
/// The `yuvj` names mean the same planes at full range: asking for the plain name would make ffmpeg scale the range.
pub(crate) fn decoded_name(source: &str, format: PixelFormat) -> String {
    if source.starts_with("yuvj") && source.ends_with(&ffmpeg_name(format)[3..]) {
        source.to_owned()
    } else {
        ffmpeg_name(format)
    }
}

/// The name of a format in reports: ffmpeg's.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(crate) fn serialize<S: serde::Serializer>(
    format: &PixelFormat,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&ffmpeg_name(*format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_map_to_the_nearest_planes() {
        for (name, expected) in [
            ("yuv420p", "yuv420p"),
            ("yuvj420p", "yuv420p"),
            ("nv12", "yuv420p"),
            ("p010le", "yuv420p10le"),
            ("yuv420p10le", "yuv420p10le"),
            ("yuv422p12be", "yuv422p12le"),
            ("yuv444p16le", "yuv444p12le"),
            ("yuyv422", "yuv422p"),
            ("yuv411p", "yuv444p"),
            ("yuva444p10le", "yuva444p10le"),
            ("rgb24", "gbrp"),
            ("bgra", "gbrap"),
            ("rgba64be", "gbrap12le"),
            ("pal8", "gbrap"),
            ("gbrpf32le", "gbrp12le"),
            ("gray", "gray"),
            ("gray10le", "gray10le"),
            ("monob", "gray"),
            ("0bgr", "gbrp"),
        ] {
            assert_eq!(ffmpeg_name(nearest(name).unwrap()), expected, "{name}");
        }
        assert_eq!(nearest("vaapi_vld"), None);
    }

    #[test]
    fn full_range_names_stay_so_that_nothing_is_scaled() {
        let name = |source| decoded_name(source, nearest(source).unwrap());
        assert_eq!(name("yuvj422p"), "yuvj422p");
        assert_eq!(name("yuvj440p"), "yuv444p");
        assert_eq!(name("nv12"), "yuv420p");
    }
}
