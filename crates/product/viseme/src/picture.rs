//! Pictures as files.

use viseme_core::{Error, Result};
use viseme_imaging::ImageU8;

/// A picture, red, green, blue, as the bytes of a PNG.
///
/// # Errors
/// `Internal` when the encoder refuses it.
pub(crate) fn png_bytes(image: &ImageU8<3>) -> Result<Vec<u8>> {
    let failed = |source: png::EncodingError| Error::internal(format!("cannot write a picture: {source}"));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width() as u32, image.height() as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(image.pixels().as_flattened()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// A picture of three planes, red, green and blue one after the other, row by row, values 0 to 255.
///
/// # Errors
/// When a side is 0.
pub(crate) fn from_planes(planes: &[f32], width: usize, height: usize) -> Result<ImageU8<3>> {
    let count = width * height;
    let value = |plane: usize, index: usize| planes.get(plane * count + index).map_or(0, |v| (v + 0.5) as u8);
    ImageU8::from_fn(width, height, |x, y| [0, 1, 2].map(|plane| value(plane, y * width + x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let planes: Vec<f32> = (0..18).map(|i| i as f32 * 10.0).collect();
        let image = from_planes(&planes, 3, 2).unwrap();
        assert_eq!(image.at(2, 1), [50, 110, 170]);
        let bytes = png_bytes(&image).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; 18];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(ImageU8::from_bytes(3, 2, &pixels).unwrap(), image);
    }
}
