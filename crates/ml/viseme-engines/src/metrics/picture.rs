//! What the picture as a whole is like: blur, blocks, light.

use super::blur::{self, BlurSums};
use serde::Serialize;
use viseme_imaging::{ColourInfo, Frame, ImageF32, Plane, Samples, letterbox_rgb};

/// Pictures are looked at no wider and higher than this.
const SIZE: usize = 640;
/// Edges of blocks lie this far apart: those of JPEG, MPEG and the smallest transforms of H.264's high profile.
const BLOCK: usize = 8;
/// Rows and columns of which blocks are looked for: every so many.
const EVERY: usize = 4;
/// Below and above these gray levels nothing is seen any more.
const DARK: f32 = 10.0;
const BRIGHT: f32 = 245.0;
/// Red, green and blue in gray (ITU-R BT.601).
const GRAY_WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];

/// What the picture is like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PictureMeasures {
    /// Blur after Crété, 0 (sharp) to 1, of the picture at no more than 640 pixels each way. None for an even picture.
    pub blur: Option<f64>,
    /// How much more the picture steps at every eighth pixel than elsewhere, as a share: 0 without blocks.
    pub blockiness: f64,
    /// Mean brightness, 0 to 255.
    pub brightness: f64,
    /// Share of the pixels that are black or white to the eye.
    pub extreme_share: f64,
}

/// Averages frames.
#[derive(Debug, Clone, Default)]
pub struct PictureMeter {
    blur: [BlurSums; 1],
    at_edges: (f64, f64),
    elsewhere: (f64, f64),
    brightness: f64,
    extreme: f64,
    frames: f64,
}

impl PictureMeter {
    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame, colour: &ColourInfo) {
        let small = letterbox_rgb(frame, colour, SIZE, SIZE);
        let count = small.width * small.height;
        let gray = ImageF32::from_fn(small.width, small.height, |x, y| {
            let i = y * small.width + x;
            (0..3).map(|channel| GRAY_WEIGHTS[channel] * small.pixels[channel * count + i]).sum()
        });
        blur::add(&gray, &mut self.blur, |_, _| Some(0));
        let share = |holds: &dyn Fn(f32) -> bool| {
            gray.data.iter().filter(|&&v| holds(v)).count() as f64 / count.max(1) as f64
        };
        self.extreme += share(&|v| !(DARK..=BRIGHT).contains(&v));
        self.brightness += gray.data.iter().map(|&v| f64::from(v)).sum::<f64>() / count.max(1) as f64;
        if let Some(plane) = frame.planes.first() {
            self.add_steps(plane);
        }
        self.frames += 1.0;
    }

    /// What the frames were like; `None` before the first.
    #[must_use]
    pub fn measures(&self) -> Option<PictureMeasures> {
        let mean = |(sum, count): (f64, f64)| sum / count.max(1.0);
        let (at_edges, elsewhere) = (mean(self.at_edges), mean(self.elsewhere));
        (self.frames > 0.0).then(|| PictureMeasures {
            blur: self.blur[0].blur(),
            blockiness: if elsewhere > 0.0 { (at_edges / elsewhere - 1.0).max(0.0) } else { 0.0 },
            brightness: self.brightness / self.frames,
            extreme_share: self.extreme / self.frames,
        })
    }

    /// Adds the steps from pixel to pixel, at the edges of blocks and elsewhere, across and down.
    fn add_steps(&mut self, plane: &Plane) {
        let (width, height) = (plane.width as usize, plane.height as usize);
        let value = |i: usize| match &plane.samples {
            Samples::U8(samples) => f64::from(samples[i]),
            Samples::U16(samples) => f64::from(samples[i]),
        };
        let mut add = |place: usize, here: usize, before: usize| {
            let sum = if place.is_multiple_of(BLOCK) { &mut self.at_edges } else { &mut self.elsewhere };
            *sum = (sum.0 + (value(here) - value(before)).abs(), sum.1 + 1.0);
        };
        for y in (0..height).step_by(EVERY) {
            (1..width).for_each(|x| add(x, y * width + x, y * width + x - 1));
        }
        for y in 1..height {
            (0..width).step_by(EVERY).for_each(|x| add(y, y * width + x, (y - 1) * width + x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::Pts;
    use viseme_imaging::{ColourMatrix, ColourRange, PixelFormat};

    const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

    fn measures(luma: impl Fn(usize, usize) -> f32) -> PictureMeasures {
        let mut bytes: Vec<u8> = (0..128 * 96).map(|i| luma(i % 128, i / 128) as u8).collect();
        bytes.resize(PixelFormat::YUV420P.frame_bytes(128, 96), 128);
        let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 128, 96, &bytes).unwrap();
        let mut meter = PictureMeter::default();
        meter.push(&frame, &COLOUR);
        meter.measures().unwrap()
    }

    #[test]
    fn blocks_and_light_are_measured() {
        let slope = measures(|x, y| 20.0 + (x + y) as f32);
        let blocks = measures(|x, y| (20 + 8 * (x / 8 + y / 8) + x % 2 + y % 2) as f32);
        assert!(slope.blockiness < 0.2 && blocks.blockiness > 5.0, "{slope:?} {blocks:?}");
        let dark = measures(|_, _| 18.0);
        assert!(dark.extreme_share > 0.99 && dark.brightness < 5.0 && dark.blur.is_none());
        assert!(PictureMeter::default().measures().is_none());
    }
}
