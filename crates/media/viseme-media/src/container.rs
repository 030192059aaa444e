//! The containers that we write and what they can hold.

use crate::VideoCodec;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};

/// A container for the finished file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// MP4: `.mp4`, `.m4v`.
    Mp4,
    /// `QuickTime`: `.mov`.
    Mov,
    /// Matroska: `.mkv`. Rounds times to milliseconds.
    Matroska,
    /// `WebM`: `.webm`. Rounds times to milliseconds.
    WebM,
}

impl Container {
    /// The container that the extension of `path` asks for.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when we write none of that name.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "mp4" | "m4v" => Ok(Self::Mp4),
            "mov" => Ok(Self::Mov),
            "mkv" => Ok(Self::Matroska),
            "webm" => Ok(Self::WebM),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                format!("cannot write {}: unknown container '.{extension}'", path.display()),
            )
            .with_hint("Name the output .mp4, .mov, .mkv or .webm.")),
        }
    }

    /// Whether a picture of `codec` may be in it. Ask before the work, not after.
    #[must_use]
    pub fn takes_video(self, codec: VideoCodec) -> bool {
        match self {
            Self::Matroska => true,
            Self::Mov => codec != VideoCodec::Vp9 && codec != VideoCodec::Av1,
            Self::Mp4 => codec != VideoCodec::Ffv1,
            Self::WebM => matches!(codec, VideoCodec::Vp9 | VideoCodec::Av1),
        }
    }

    /// Whether a picture in ffmpeg's codec `codec` goes in as it is, so that players take it.
    #[must_use]
    pub fn takes_copied_picture(self, codec: &str) -> bool {
        match self {
            Self::Mp4 | Self::Matroska => matches!(codec, "h264" | "hevc" | "mpeg4" | "vp9" | "av1"),
            Self::Mov => matches!(codec, "h264" | "hevc" | "mpeg4"),
            Self::WebM => matches!(codec, "vp9" | "av1"),
        }
    }

    /// ffmpeg's name of its muxer.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }

    /// Whether sound of ffmpeg's codec `codec` goes in as it is, so that players take it.
    pub(crate) fn takes_audio(self, codec: &str) -> bool {
        match self {
            Self::Mp4 => matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac" | "opus" | "flac"),
            Self::Mov => matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac") || is_mov_pcm(codec),
            Self::Matroska => {
                matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3" | "dts" | "truehd" | "alac")
                    || matches!(codec, "opus" | "vorbis" | "flac" | "wavpack")
                    || matches!(
                        codec,
                        "pcm_u8" | "pcm_s16le" | "pcm_s24le" | "pcm_s32le" | "pcm_f32le" | "pcm_f64le"
                    )
            }
            Self::WebM => matches!(codec, "opus" | "vorbis"),
        }
    }

    /// How sound that does not go in is encoded: ffmpeg's encoder, its options, and a name for people.
    pub(crate) fn audio_encoder(
        self,
    ) -> (&'static str, &'static [(&'static str, &'static str)], &'static str) {
        match self {
            // Matroska cannot say how far an AAC encoder starts before zero; FLAC starts at zero and loses nothing.
            Self::Matroska => ("flac", &[], "FLAC"),
            // Opus works at 48 kHz inside. Matroska's readers subtract its warm-up from all times, so it is added here.
            Self::WebM => {
                ("libopus", &[("b", "128k"), ("ar", "48000"), ("filter", "asetpts=PTS+0.0065/TB")], "Opus")
            }
            // The coder that ffmpeg's manual recommends for high rates. Speech at 192 kbit/s comes out 5 dB closer to what it
            // was than with the usual one, in a third of the time.
            Self::Mp4 | Self::Mov => ("aac", &[("b", "192k"), ("aac_coder", "fast")], "AAC"),
        }
    }

    /// How much later than asked for sound of `codec` has to be put in, in seconds, when it is copied.
    pub(crate) fn copy_delay_s(self, codec: &str) -> f64 {
        /// The warm-up of an Opus encoder, 312 samples at 48 kHz: Matroska's readers subtract it from all times.
        const OPUS_WARM_UP_S: f64 = 312.0 / 48_000.0;
        if codec == "opus" && matches!(self, Self::Matroska | Self::WebM) { OPUS_WARM_UP_S } else { 0.0 }
    }

    /// The subtitle codec that text of ffmpeg's codec `codec` has to be in: "copy" where it may stay, `None` where it
    /// cannot be kept.
    pub(crate) fn subtitle_codec(self, codec: &str) -> Option<&'static str> {
        let is_text = matches!(codec, "subrip" | "ass" | "ssa" | "webvtt" | "mov_text" | "text");
        match self {
            Self::Mp4 | Self::Mov if codec == "mov_text" => Some("copy"),
            Self::Mp4 | Self::Mov if is_text => Some("mov_text"),
            Self::Matroska if codec == "mov_text" || codec == "text" => Some("subrip"),
            Self::Matroska
                if is_text || matches!(codec, "hdmv_pgs_subtitle" | "dvd_subtitle" | "dvb_subtitle") =>
            {
                Some("copy")
            }
            Self::WebM if codec == "webvtt" => Some("copy"),
            Self::WebM if is_text => Some("webvtt"),
            _ => None,
        }
    }
}

fn is_mov_pcm(codec: &str) -> bool {
    ["pcm_s16", "pcm_s24", "pcm_s32", "pcm_f32", "pcm_f64"].iter().any(|pcm| codec.starts_with(pcm))
        || matches!(codec, "pcm_u8" | "pcm_s8" | "pcm_alaw" | "pcm_mulaw")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        assert_eq!(Container::of(Path::new("a.b/talk.MP4")).unwrap(), Container::Mp4);
        for path in ["talk", "talk.avi", ".mp4"] {
            assert_eq!(Container::of(Path::new(path)).unwrap_err().kind(), ErrorKind::Unsupported, "{path}");
        }
    }

    #[test]
    fn speech_is_copied_only_where_players_take_it() {
        assert!(Container::Mp4.takes_audio("aac") && !Container::Mp4.takes_audio("pcm_s16le"));
        assert!(Container::Mov.takes_audio("pcm_s24le") && !Container::WebM.takes_audio("aac"));
    }
}
