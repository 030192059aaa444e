//! From red, green and blue to the planes of a format, for what is drawn and not decoded.

use crate::colour::{ColourInfo, SampleScale};
use crate::frame::{ChromaSampling, PixelFormat};
use crate::image::ImageF32;
use crate::patch::mask_of_plane;

/// The colour planes, on the scale of `format`, of a picture given as red, green and blue on 0 to 255, one value per
/// pixel of a region that starts on a chroma sample.
///
/// Halved chroma is averaged where its samples lie.
#[must_use]
pub fn planes_from_rgb(rgb: &[ImageF32; 3], format: PixelFormat, colour: &ColourInfo) -> Vec<ImageF32> {
    let SampleScale { black, luma_steps, chroma_steps, neutral } = colour.sample_scale(format);
    let (kr, kb) = colour.luma_weights();
    let stored = |value: f32| black + value * luma_steps / 255.0;
    let [red, green, blue] = rgb;
    if format.chroma == ChromaSampling::Gbr {
        return [green, blue, red].map(|plane| plane.clone().map(stored)).into();
    }
    let red_and_blue = red.clone().zip(blue, |red, blue| kr * red + kb * blue);
    let luma = red_and_blue.zip(green, |sum, green| sum + (1.0 - kr - kb) * green);
    let chroma = |plane: &ImageF32, weight: f32| {
        let gain = chroma_steps / 255.0 / (2.0 * (1.0 - weight));
        plane.clone().zip(&luma, |value, luma| neutral + (value - luma) * gain)
    };
    let planes = match format.chroma {
        ChromaSampling::Gray => vec![luma.map(stored)],
        _ => vec![luma.clone().map(stored), chroma(blue, kb), chroma(red, kr)],
    };
    planes.iter().enumerate().map(|(index, plane)| mask_of_plane(plane, format, index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{ColourMatrix, ColourRange};
    use crate::rgb::RgbConversion;

    #[test]
    fn colours_survive_the_way_into_planes_and_back() {
        use ColourMatrix::{Bt601, Bt709, Bt2020};
        let drawn = [200.0, 60.0, 90.0];
        let rgb = drawn.map(|value| ImageF32::filled(4, 4, value));
        for (chroma, bit_depth) in
            [(ChromaSampling::Yuv420, 8), (ChromaSampling::Yuv444, 10), (ChromaSampling::Gbr, 12)]
        {
            for (matrix, range) in
                [(Bt601, ColourRange::Limited), (Bt709, ColourRange::Full), (Bt2020, ColourRange::Limited)]
            {
                let format = PixelFormat { chroma, bit_depth, alpha: false };
                let colour = ColourInfo::new(range, matrix);
                let planes = planes_from_rgb(&rgb, format, &colour);
                let [mut a, mut b, mut c] = [0, 1, 2].map(|i| [planes[i].data[0]]);
                RgbConversion::new(format, &colour).convert(&mut a, &mut b, &mut c);
                for (back, wanted) in [a[0], b[0], c[0]].iter().zip(drawn) {
                    assert!((back - wanted).abs() < 0.1, "{back} instead of {wanted}");
                }
            }
        }
    }
}
