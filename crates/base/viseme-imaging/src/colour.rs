//! What the numbers in the planes mean: range, matrix, primaries and transfer.

use serde::{Deserialize, Serialize};

/// Whether samples use all values or leave head-room (16–235 for 8-bit luma).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourRange {
    /// Head-room kept: "tv", "mpeg".
    Limited,
    /// All values: "pc", "jpeg".
    Full,
}

/// How luma and chroma are made of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourMatrix {
    /// Standard definition (ITU-R BT.601).
    Bt601,
    /// High definition (ITU-R BT.709).
    Bt709,
    /// Ultra high definition (ITU-R BT.2020, non-constant luminance).
    Bt2020,
    /// The planes are red, green and blue themselves.
    Rgb,
}

impl ColourMatrix {
    /// The weights of red and blue in luma, from the ITU-R recommendation that names the matrix.
    #[must_use]
    pub fn luma_weights(self) -> (f32, f32) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 | Self::Rgb => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// The colour description of a stream. Primaries and transfer are ffmpeg's names: they are passed on, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColourInfo {
    /// Range of the samples.
    pub range: ColourRange,
    /// Matrix between RGB and the planes.
    pub matrix: ColourMatrix,
    /// ffmpeg's name of the primaries (`bt709`), when the stream says.
    pub primaries: Option<String>,
    /// ffmpeg's name of the transfer characteristics (`bt709`, `smpte2084`), when the stream says.
    pub transfer: Option<String>,
}
