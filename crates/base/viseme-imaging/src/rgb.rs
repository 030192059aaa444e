//! From the planes of a frame to red, green and blue, for the nets. Video pixels never take this way.

use crate::colour::{ColourInfo, SampleScale};
use crate::frame::{ChromaSampling, PixelFormat};

/// The conversion of plane values on the scale of a format to red, green and blue on 0 to 255.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RgbConversion {
    chroma: ChromaSampling,
    /// The value of black.
    black: f32,
    /// Steps on 0 to 255 per step of luma.
    gain: f32,
    /// The value of no colour.
    neutral: f32,
    red_from_v: f32,
    green_from_u: f32,
    green_from_v: f32,
    blue_from_u: f32,
}

impl RgbConversion {
    /// The conversion for frames of a stream.
    pub(crate) fn new(format: PixelFormat, colour: &ColourInfo) -> Self {
        let SampleScale { black, luma_steps, chroma_steps, neutral } = colour.sample_scale(format);
        let (kr, kb) = colour.luma_weights();
        let kg = 1.0 - kr - kb;
        let chroma_gain = 255.0 / chroma_steps;
        Self {
            chroma: format.chroma,
            black,
            gain: 255.0 / luma_steps,
            neutral,
            red_from_v: 2.0 * (1.0 - kr) * chroma_gain,
            green_from_u: -2.0 * kb * (1.0 - kb) / kg * chroma_gain,
            green_from_v: -2.0 * kr * (1.0 - kr) / kg * chroma_gain,
            blue_from_u: 2.0 * (1.0 - kb) * chroma_gain,
        }
    }

    /// Turns the values of the three planes, in the order of the frame, into red, green and blue in place, clamped to
    /// 0 to 255. Of a gray frame only `first` is read.
    pub(crate) fn convert(&self, first: &mut [f32], second: &mut [f32], third: &mut [f32]) {
        let level = |value: f32| (value - self.black) * self.gain;
        match self.chroma {
            ChromaSampling::Gray => each(first, second, third, |y, _, _| [level(y); 3]),
            ChromaSampling::Gbr => each(first, second, third, |g, b, r| [level(r), level(g), level(b)]),
            ChromaSampling::Yuv420 | ChromaSampling::Yuv422 | ChromaSampling::Yuv444 => {
                each(first, second, third, |y, u, v| {
                    let (y, u, v) = (level(y), u - self.neutral, v - self.neutral);
                    let green = y + self.green_from_u * u + self.green_from_v * v;
                    [y + self.red_from_v * v, green, y + self.blue_from_u * u]
                });
            }
        }
    }
}

/// Replaces three values at a time: one loop per format, so that it vectorises.
fn each(first: &mut [f32], second: &mut [f32], third: &mut [f32], rgb: impl Fn(f32, f32, f32) -> [f32; 3]) {
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        [*a, *b, *c] = rgb(*a, *b, *c).map(|value| value.clamp(0.0, 255.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{ColourMatrix, ColourRange};

    fn one(format: PixelFormat, matrix: ColourMatrix, range: ColourRange, planes: [f32; 3]) -> [f32; 3] {
        let colour = ColourInfo::new(range, matrix);
        let [mut a, mut b, mut c] = planes.map(|value| [value]);
        RgbConversion::new(format, &colour).convert(&mut a, &mut b, &mut c);
        [a[0], b[0], c[0]]
    }

    fn near(actual: [f32; 3], expected: [f32; 3]) {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() < 1.1, "{actual:?} instead of {expected:?}");
        }
    }

    #[test]
    fn saturated_red_comes_out_red_in_every_matrix_and_depth() {
        use ColourMatrix::{Bt601, Bt709, Bt2020, Rgb};
        use ColourRange::{Full, Limited};
        let yuv = PixelFormat::YUV420P;
        let ten = PixelFormat { bit_depth: 10, ..yuv };
        let gbr = PixelFormat { chroma: ChromaSampling::Gbr, ..yuv };
        let red = [255.0, 0.0, 0.0];
        // Tables of the ITU-R recommendations for 100 % red.
        near(one(yuv, Bt601, Limited, [81.0, 90.0, 240.0]), red);
        near(one(yuv, Bt709, Limited, [63.0, 102.0, 240.0]), red);
        near(one(yuv, Bt601, Full, [76.0, 85.0, 255.5]), red);
        near(one(ten, Bt709, Limited, [250.0, 409.0, 960.0]), red);
        near(one(ten, Bt2020, Limited, [294.0, 387.0, 960.0]), red);
        near(one(gbr, Rgb, Full, [0.0, 0.0, 255.0]), red);
        near(one(PixelFormat { bit_depth: 10, ..gbr }, Rgb, Full, [0.0, 0.0, 1023.0]), red);
        near(one(yuv, Bt709, Limited, [235.0, 128.0, 128.0]), [255.0; 3]);
    }
}
