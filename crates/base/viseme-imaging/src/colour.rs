//! What the numbers in the planes mean: range, matrix, primaries and transfer.

use crate::frame::PixelFormat;
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

/// Where the values of a stream lie on the scale of its format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleScale {
    /// The value of black.
    pub(crate) black: f32,
    /// Steps from black to white.
    pub(crate) luma_steps: f32,
    /// Steps from the least to the most of a colour difference.
    pub(crate) chroma_steps: f32,
    /// The value of no colour.
    pub(crate) neutral: f32,
}

impl ColourInfo {
    /// The colour of a stream that says no more than this.
    #[must_use]
    pub const fn new(range: ColourRange, matrix: ColourMatrix) -> Self {
        Self { range, matrix, primaries: None, transfer: None }
    }

    /// The scale of samples of `format`. Ranges as ITU-R BT.601, BT.709 and BT.2100 define them: luma 16 to 235 and
    /// chroma 16 to 240 of 8 bits when limited, scaled to the bit depth.
    pub(crate) fn sample_scale(&self, format: PixelFormat) -> SampleScale {
        let unit = f32::from(1_u16 << (format.bit_depth - 8));
        let (black, luma_steps, chroma_steps) = match self.range {
            ColourRange::Limited => (16.0 * unit, 219.0 * unit, 224.0 * unit),
            ColourRange::Full => (0.0, f32::from(format.max_value()), f32::from(format.max_value())),
        };
        SampleScale { black, luma_steps, chroma_steps, neutral: 128.0 * unit }
    }

    /// The weights of red and blue in luma. Planes said to be RGB that are not stored as such are taken to have the
    /// matrix of high definition, the likeliest.
    pub(crate) fn luma_weights(&self) -> (f32, f32) {
        let matrix = if self.matrix == ColourMatrix::Rgb { ColourMatrix::Bt709 } else { self.matrix };
        matrix.luma_weights()
    }
}
