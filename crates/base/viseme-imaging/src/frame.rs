//! Frames as the planes that the decoder gave, so that samples which are not changed stay the decoder's own.

use crate::image::ImageF32;
use viseme_core::geometry::PixelRect;
use viseme_core::{Error, Pts, Result};

/// How the chroma planes relate to the first plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChromaSampling {
    /// One plane only.
    Gray,
    /// Chroma halved in both directions.
    Yuv420,
    /// Chroma halved horizontally.
    Yuv422,
    /// All planes of one size.
    Yuv444,
    /// Planes green, blue, red (ffmpeg's `gbrp`), all of one size.
    Gbr,
}

impl ChromaSampling {
    /// Number of colour planes, alpha not counted.
    #[must_use]
    pub fn plane_count(self) -> usize {
        if self == Self::Gray { 1 } else { 3 }
    }

    /// log2 of how much smaller planes 1 and 2 are: (horizontally, vertically).
    #[must_use]
    pub fn chroma_shift(self) -> (u32, u32) {
        match self {
            Self::Yuv420 => (1, 1),
            Self::Yuv422 => (1, 0),
            Self::Gray | Self::Yuv444 | Self::Gbr => (0, 0),
        }
    }
}

/// The layout of a frame's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    /// Colour planes.
    pub chroma: ChromaSampling,
    /// Bits per sample: 8, 10 or 12. Above 8 a sample takes 16 bits, the value in the low bits.
    pub bit_depth: u8,
    /// Whether a full-size alpha plane follows the colour planes.
    pub alpha: bool,
}

impl PixelFormat {
    /// The commonest format of video: 8 bits, 4:2:0, no alpha.
    pub const YUV420P: Self = Self { chroma: ChromaSampling::Yuv420, bit_depth: 8, alpha: false };

    /// All planes, alpha included.
    #[must_use]
    pub fn plane_count(self) -> usize {
        self.chroma.plane_count() + usize::from(self.alpha)
    }

    /// log2 of how much smaller plane `plane` is than the frame: (horizontally, vertically).
    #[must_use]
    pub fn plane_shift(self, plane: usize) -> (u32, u32) {
        if plane == 1 || plane == 2 { self.chroma.chroma_shift() } else { (0, 0) }
    }

    /// Columns and rows of plane `plane` of a frame of the given size. Odd sizes round up.
    #[must_use]
    pub fn plane_size(self, plane: usize, width: u32, height: u32) -> (u32, u32) {
        let (x, y) = self.plane_shift(plane);
        (width.div_ceil(1 << x), height.div_ceil(1 << y))
    }

    /// The part of plane `plane` that `region` (in pixels of the frame, chroma aligned) covers.
    #[must_use]
    pub fn plane_region(self, plane: usize, region: PixelRect) -> PixelRect {
        let (x, y) = self.plane_shift(plane);
        let (left, top) = (region.x >> x, region.y >> y);
        PixelRect {
            x: left,
            y: top,
            width: region.right().div_ceil(1 << x) - left,
            height: region.bottom().div_ceil(1 << y) - top,
        }
    }

    /// The largest sample value: 255, 1023 or 4095.
    #[must_use]
    pub fn max_value(self) -> u16 {
        ((1u32 << self.bit_depth) - 1) as u16
    }

    /// Bytes of one frame.
    #[must_use]
    pub fn frame_bytes(self, width: u32, height: u32) -> usize {
        let bytes_per_sample = if self.bit_depth > 8 { 2 } else { 1 };
        (0..self.plane_count())
            .map(|plane| {
                let (w, h) = self.plane_size(plane, width, height);
                w as usize * h as usize * bytes_per_sample
            })
            .sum()
    }

    /// What an edge of a region must be a multiple of, so that it falls on a chroma sample.
    #[must_use]
    pub fn alignment(self) -> u32 {
        let (x, y) = self.chroma.chroma_shift();
        1 << x.max(y)
    }
}

/// The samples of one plane, row by row without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// 8 bits each.
    U8(Vec<u8>),
    /// 9 to 16 bits each, the value in the low bits.
    U16(Vec<u16>),
}

impl Samples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
        }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One plane of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Columns; also the distance between rows.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` samples.
    pub samples: Samples,
}

impl Plane {
    /// The samples of `format` that come nearest to values on its scale.
    #[must_use]
    pub fn rounded(values: &ImageF32, format: PixelFormat) -> Self {
        let most = f32::from(format.max_value());
        let rounded = values.data.iter().map(|value| value.clamp(0.0, most) + 0.5);
        let samples = if format.bit_depth > 8 {
            Samples::U16(rounded.map(|value| value as u16).collect())
        } else {
            Samples::U8(rounded.map(|value| value as u8).collect())
        };
        Self { width: values.width as u32, height: values.height as u32, samples }
    }

    /// The sample at column `x` and row `y` as a float on the scale of the format (0 to 255 for 8 bits).
    ///
    /// Coordinates outside the plane give the nearest edge sample.
    #[must_use]
    pub fn value(&self, x: i64, y: i64) -> f32 {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        let index = y * self.width as usize + x;
        match &self.samples {
            Samples::U8(samples) => f32::from(samples[index]),
            Samples::U16(samples) => f32::from(samples[index]),
        }
    }
}

/// One decoded picture: colour planes in the order of its format, then alpha if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Presentation time in the time base of its stream.
    pub pts: Pts,
    /// Layout of the samples.
    pub format: PixelFormat,
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// The planes; their sizes follow from the format.
    pub planes: Vec<Plane>,
}

impl Frame {
    /// Makes a frame of the planes that lie one after the other in `bytes`, as ffmpeg's `rawvideo` writes them
    /// (16-bit samples little endian).
    ///
    /// # Errors
    /// When `bytes` has not exactly the length of such a frame.
    pub fn from_bytes(pts: Pts, format: PixelFormat, width: u32, height: u32, bytes: &[u8]) -> Result<Self> {
        let expected = format.frame_bytes(width, height);
        if bytes.len() != expected {
            return Err(Error::internal(format!("a frame of {} bytes instead of {expected}", bytes.len())));
        }
        let mut rest = bytes;
        let planes = (0..format.plane_count())
            .map(|plane| {
                let (w, h) = format.plane_size(plane, width, height);
                let count = w as usize * h as usize;
                let samples = if format.bit_depth > 8 {
                    let (head, tail) = rest.split_at(count * 2);
                    rest = tail;
                    Samples::U16(head.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
                } else {
                    let (head, tail) = rest.split_at(count);
                    rest = tail;
                    Samples::U8(head.to_vec())
                };
                Plane { width: w, height: h, samples }
            })
            .collect();
        Ok(Self { pts, format, width, height, planes })
    }

    /// Appends the planes to `bytes` as ffmpeg's `rawvideo` reads them.
    pub fn write_bytes(&self, bytes: &mut Vec<u8>) {
        for plane in &self.planes {
            match &plane.samples {
                Samples::U8(samples) => bytes.extend_from_slice(samples),
                Samples::U16(samples) => bytes.extend(samples.iter().flat_map(|v| v.to_le_bytes())),
            }
        }
    }

    /// Memory that the samples take.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        self.format.frame_bytes(self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_an_odd_ten_bit_frame_come_back() {
        let format = PixelFormat { chroma: ChromaSampling::Yuv420, bit_depth: 10, alpha: true };
        let bytes: Vec<u8> = (0..format.frame_bytes(5, 3)).map(|i| (i * 7 % 4) as u8).collect();
        let frame = Frame::from_bytes(Pts(9), format, 5, 3, &bytes).unwrap();
        assert_eq!((frame.planes[1].width, frame.planes[1].height), (3, 2));
        assert_eq!((frame.planes[3].width, frame.planes[3].height), (5, 3));
        let mut back = Vec::new();
        frame.write_bytes(&mut back);
        assert_eq!(back, bytes);
    }

    #[test]
    fn a_frame_of_the_wrong_length_is_refused() {
        assert!(Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 4, 4, &[0; 23]).is_err());
    }
}
