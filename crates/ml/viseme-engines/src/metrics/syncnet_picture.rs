//! The picture that SyncNet looks at.

use super::syncnet_crop::{CROP_SIZE, CropRect, PADDING_VALUE};
use viseme_core::Result;
use viseme_core::geometry::Affine;
use viseme_imaging::opencv::{Interpolation, resize};
use viseme_imaging::{ColourInfo, Frame, ImageU8, crop_rgb};

/// Cuts `rect` out of a frame, blue, green and red, and scales it to 224 × 224 as `cv2.resize` does.
///
/// The reference pads the whole frame and writes it as JPEG first; here only what is cut out is made, without loss.
///
/// # Errors
/// When the rectangle is too large for a picture.
pub fn syncnet_picture(frame: &Frame, colour: &ColourInfo, rect: &CropRect) -> Result<ImageU8<3>> {
    let (width, height) = (i64::from(frame.width), i64::from(frame.height));
    // As numpy does, what lies beyond the padding is left out.
    let left = rect.left.clamp(0, width + 2 * rect.padding) - rect.padding;
    let right = rect.right.clamp(0, width + 2 * rect.padding) - rect.padding;
    let top = rect.top.clamp(0, height + 2 * rect.padding) - rect.padding;
    let bottom = rect.bottom.clamp(0, height + 2 * rect.padding) - rect.padding;
    let side = CROP_SIZE as usize;
    let (columns, rows) = ((right - left).max(0) as usize, (bottom - top).max(0) as usize);
    if columns == 0 || rows == 0 {
        return ImageU8::filled(side, side, [PADDING_VALUE; 3]);
    }
    let size = columns.max(rows);
    let crop_from_image = Affine { rows: [1.0, 0.0, -left as f32, 0.0, 1.0, -top as f32] };
    let rgb = crop_rgb(frame, colour, &crop_from_image, size)?;
    let is_inside = |x: usize, y: usize| {
        (0..width).contains(&(x as i64 + left)) && (0..height).contains(&(y as i64 + top))
    };
    let cut = ImageU8::from_fn(columns, rows, |x, y| {
        let value = |channel: usize| rgb[(channel * size + y) * size + x].round_ties_even() as u8;
        if is_inside(x, y) { [value(2), value(1), value(0)] } else { [PADDING_VALUE; 3] }
    })?;
    resize(&cut, side, side, Interpolation::Linear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::Pts;
    use viseme_imaging::{ColourMatrix, ColourRange, PixelFormat};

    #[test]
    fn the_picture_lies_where_the_rectangle_does_and_is_padded_beyond_the_frame() {
        let format = PixelFormat { chroma: viseme_imaging::ChromaSampling::Gbr, bit_depth: 8, alpha: false };
        let planes: [fn(u32, u32) -> u8; 3] = [|x, _| x as u8, |_, y| y as u8, |_, _| 200];
        let bytes: Vec<u8> =
            planes.iter().flat_map(|plane| (0..64 * 48).map(|i| plane(i % 64, i / 64))).collect();
        let frame = Frame::from_bytes(Pts(0), format, 64, 48, &bytes).unwrap();
        let colour = ColourInfo::new(ColourRange::Full, ColourMatrix::Rgb);
        let rect = CropRect { padding: 40, top: 40, bottom: 96, left: 12, right: 68 };
        let picture = syncnet_picture(&frame, &colour, &rect).unwrap();
        assert_eq!((picture.width(), picture.height()), (224, 224));
        // 56 pixels to 224: the frame begins at column 28 · 4 and ends at row 48 · 4.
        assert_eq!(picture.at(2, 2), [PADDING_VALUE; 3]);
        assert_eq!(picture.at(200, 210), [PADDING_VALUE; 3]);
        let [blue, green, red] = picture.at(112 + 4 * 10 + 1, 4 * 20 + 1);
        assert_eq!(red, 200);
        assert!(blue.abs_diff(20) <= 1 && green.abs_diff(10) <= 1, "{blue} {green}");
        let outside = CropRect { padding: 2, top: 400, bottom: 410, left: 0, right: 10 };
        assert_eq!(syncnet_picture(&frame, &colour, &outside).unwrap().at(100, 100), [PADDING_VALUE; 3]);
    }
}
