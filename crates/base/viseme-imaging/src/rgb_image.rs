//! A whole frame as an interleaved RGB picture: what the public models are shown.

use crate::colour::ColourInfo;
use crate::frame::{Frame, Plane};
use crate::image_u8::ImageU8;
use crate::rgb::RgbConversion;
use crate::siting::PlaneSiting;
use viseme_core::Result;
use viseme_core::geometry::Vec2;

/// The frame in its own size: red, green, blue, 8 bits, rounded. Chroma is interpolated linearly between its samples.
///
/// # Errors
/// When the frame has no pixels, or more than an [`ImageU8`] may have.
pub fn rgb_image(frame: &Frame, colour: &ColourInfo) -> Result<ImageU8<3>> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut image = ImageU8::filled(width, height, [0; 3])?;
    let conversion = RgbConversion::new(frame.format, colour);
    let planes: Vec<FullPlane<'_>> = frame
        .planes
        .iter()
        .take(frame.format.chroma.plane_count())
        .enumerate()
        .map(|(index, plane)| FullPlane::new(plane, PlaneSiting::of(frame.format, index), width))
        .collect();
    let mut rows = [vec![0.0; width], vec![0.0; width], vec![0.0; width]];
    for y in 0..height {
        for (plane, row) in planes.iter().zip(&mut rows) {
            plane.read_row(y, row);
        }
        let [first, second, third] = &mut rows;
        conversion.convert(first, second, third);
        for (x, pixel) in image.row_mut(y).iter_mut().enumerate() {
            *pixel = [rows[0][x], rows[1][x], rows[2][x]].map(|value| value.round() as u8);
        }
    }
    Ok(image)
}

/// A plane, read at every pixel of the frame.
struct FullPlane<'a> {
    plane: &'a Plane,
    siting: PlaneSiting,
    /// Column, and how far towards the next, of every column of the frame. Empty where the plane has all of them.
    columns: Vec<(i64, f32)>,
}

impl<'a> FullPlane<'a> {
    fn new(plane: &'a Plane, siting: PlaneSiting, width: usize) -> Self {
        let column = |x: usize| split(siting.plane_from_frame(Vec2::new(x as f32, 0.0)).x);
        Self { plane, siting, columns: (0..width).map(column).collect() }
    }

    fn read_row(&self, y: usize, row: &mut [f32]) {
        let (above, down) = split(self.siting.plane_from_frame(Vec2::new(0.0, y as f32)).y);
        let between = |row: i64, column: i64, across: f32| {
            let left = self.plane.value(column, row);
            if across > 0.0 { left + (self.plane.value(column + 1, row) - left) * across } else { left }
        };
        for (value, &(column, across)) in row.iter_mut().zip(&self.columns) {
            let top = between(above, column, across);
            *value = if down > 0.0 { top + (between(above + 1, column, across) - top) * down } else { top };
        }
    }
}

/// A position as a whole number and what is left, 0 to 1.
fn split(position: f32) -> (i64, f32) {
    let whole = position.floor();
    (whole as i64, position - whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{ColourMatrix, ColourRange};
    use crate::frame::{ChromaSampling, PixelFormat};
    use viseme_core::Pts;

    fn colour(matrix: ColourMatrix) -> ColourInfo {
        ColourInfo { range: ColourRange::Full, matrix, primaries: None, transfer: None }
    }

    #[test]
    fn planes_of_red_green_and_blue_come_out_as_they_are() {
        let format = PixelFormat { chroma: ChromaSampling::Gbr, ..PixelFormat::YUV420P };
        let frame = Frame::from_bytes(Pts(0), format, 2, 1, &[10, 20, 30, 40, 50, 60]).unwrap();
        let image = rgb_image(&frame, &colour(ColourMatrix::Rgb)).unwrap();
        assert_eq!(image.pixels(), [[50, 10, 30], [60, 20, 40]]);
    }

    #[test]
    fn an_even_frame_of_odd_size_is_even() {
        let format = PixelFormat::YUV420P;
        let (width, height) = (7, 5);
        let mut bytes = vec![76; 35];
        bytes.extend([85; 12]);
        bytes.extend([255; 12]);
        let frame = Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap();
        let image = rgb_image(&frame, &colour(ColourMatrix::Bt601)).unwrap();
        assert!(image.pixels().iter().all(|&[r, g, b]| r > 252 && g < 2 && b < 2), "{image:?}");
    }
}
