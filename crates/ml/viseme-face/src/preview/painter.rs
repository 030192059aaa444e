//! Flat colours in the planes of a frame.

use viseme_core::geometry::{PixelRect, Rect};
use viseme_imaging::{ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, Samples};

/// Red, green and blue, 0 to 1.
pub(super) type Rgb = [f32; 3];

/// Paints on one frame.
pub(super) struct Painter<'a> {
    frame: &'a mut Frame,
    colour: &'a ColourInfo,
}

impl<'a> Painter<'a> {
    pub(super) fn new(frame: &'a mut Frame, colour: &'a ColourInfo) -> Self {
        Self { frame, colour }
    }

    /// Columns and rows of the picture.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.frame.width, self.frame.height)
    }

    /// Fills a rectangle, clipped to the picture. Transparency stays as it is.
    pub(super) fn fill(&mut self, rect: &Rect, rgb: Rgb) {
        let region = rect.to_pixels(self.frame.width, self.frame.height);
        if region.is_empty() {
            return;
        }
        let values = plane_values(self.frame, self.colour, rgb);
        let format = self.frame.format;
        for (index, value) in values.into_iter().enumerate().take(format.chroma.plane_count()) {
            let part = format.plane_region(index, region);
            let plane = &mut self.frame.planes[index];
            let width = plane.width as usize;
            match &mut plane.samples {
                Samples::U8(samples) => fill_rows(samples, width, part, value as u8),
                Samples::U16(samples) => fill_rows(samples, width, part, value),
            }
        }
    }
}

fn fill_rows<S: Copy>(samples: &mut [S], width: usize, part: PixelRect, value: S) {
    for row in samples.chunks_exact_mut(width).take(part.bottom() as usize).skip(part.y as usize) {
        row[part.x as usize..part.right() as usize].fill(value);
    }
}

/// The samples of a colour in the planes of a frame (ITU-R BT.601, 709 or 2020, as `colour` says).
fn plane_values(frame: &Frame, colour: &ColourInfo, [r, g, b]: Rgb) -> [u16; 3] {
    let unit = f32::from(1_u16 << (frame.format.bit_depth - 8));
    let most = f32::from(frame.format.max_value());
    let (black, luma_steps, chroma_steps) = match colour.range {
        ColourRange::Limited => (16.0 * unit, 219.0 * unit, 224.0 * unit),
        ColourRange::Full => (0.0, most, most),
    };
    let luma = |value: f32| (black + luma_steps * value).round().clamp(0.0, most) as u16;
    if frame.format.chroma == ChromaSampling::Gbr {
        return [luma(g), luma(b), luma(r)];
    }
    let matrix = if colour.matrix == ColourMatrix::Rgb { ColourMatrix::Bt709 } else { colour.matrix };
    let (kr, kb) = matrix.luma_weights();
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let chroma = |difference: f32, weight: f32| {
        let value = 128.0 * unit + chroma_steps * difference / (2.0 * (1.0 - weight));
        value.round().clamp(0.0, most) as u16
    };
    [luma(y), chroma(b - y, kb), chroma(r - y, kr)]
}
