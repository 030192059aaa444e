//! What the samples mean, with the guesses that players make where a stream does not say.

use super::info::ColourTags;
use super::report::ReportedStream;
use viseme_imaging::{ChromaSampling, ColourInfo, ColourMatrix, ColourRange, PixelFormat};

/// The tags as the stream has them.
pub(super) fn tags(stream: &ReportedStream) -> ColourTags {
    let said = |tag: &Option<String>| {
        tag.clone().filter(|value| !matches!(value.as_str(), "unknown" | "unspecified" | "reserved"))
    };
    ColourTags {
        range: said(&stream.color_range),
        matrix: said(&stream.color_space),
        primaries: said(&stream.color_primaries),
        transfer: said(&stream.color_transfer),
    }
}

/// The tags with guesses where they are silent. `width` and `height` are those of the stored picture.
pub(super) fn colour(
    tags: &ColourTags,
    format: PixelFormat,
    stored_format: &str,
    (width, height): (u32, u32),
) -> ColourInfo {
    ColourInfo {
        range: range(tags, format, stored_format),
        matrix: matrix(tags, format, (width, height)),
        primaries: tags.primaries.clone(),
        transfer: tags.transfer.clone(),
    }
}

fn range(tags: &ColourTags, format: PixelFormat, stored_format: &str) -> ColourRange {
    let full_by_format = stored_format.starts_with("yuvj") || format.chroma == ChromaSampling::Gbr;
    match tags.range.as_deref() {
        Some("pc") => ColourRange::Full,
        Some("tv") if !full_by_format => ColourRange::Limited,
        _ if full_by_format => ColourRange::Full,
        _ => ColourRange::Limited,
    }
}

fn matrix(tags: &ColourTags, format: PixelFormat, (width, height): (u32, u32)) -> ColourMatrix {
    if format.chroma == ChromaSampling::Gbr {
        return ColourMatrix::Rgb;
    }
    match tags.matrix.as_deref() {
        Some("bt709") => return ColourMatrix::Bt709,
        Some("bt2020nc" | "bt2020c" | "ictcp") => return ColourMatrix::Bt2020,
        Some(_) => return ColourMatrix::Bt601,
        None => {}
    }
    match tags.primaries.as_deref() {
        Some("bt2020") => ColourMatrix::Bt2020,
        // The rule of mpv, VLC and browsers: high definition starts above the sizes of PAL.
        _ if width >= 1280 || height > 576 => ColourMatrix::Bt709,
        _ => ColourMatrix::Bt601,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_filled_by_size_and_format() {
        let none = ColourTags::default();
        let guess = |size| colour(&none, PixelFormat::YUV420P, "yuv420p", size).matrix;
        assert_eq!(guess((720, 576)), ColourMatrix::Bt601);
        assert_eq!(guess((1280, 720)), ColourMatrix::Bt709);
        assert_eq!(colour(&none, PixelFormat::YUV420P, "yuvj420p", (8, 8)).range, ColourRange::Full);
        let rgb = PixelFormat { chroma: ChromaSampling::Gbr, bit_depth: 8, alpha: false };
        let rgb = colour(&none, rgb, "rgb24", (8, 8));
        assert_eq!((rgb.matrix, rgb.range), (ColourMatrix::Rgb, ColourRange::Full));
    }
}
