//! A frame as an interleaved RGB picture: what the public models are shown.

use crate::colour::ColourInfo;
use crate::frame::Frame;
use crate::image::ImageF32;
use crate::image_u8::ImageU8;
use crate::rgb::RgbConversion;
use crate::siting::PlaneSiting;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_core::{Error, Result};

/// The frame in its own size: red, green, blue, 8 bits, rounded. Chroma is interpolated linearly between its samples.
///
/// # Errors
/// When the frame has no pixels, or more than an [`ImageU8`] may have.
pub fn rgb_image(frame: &Frame, colour: &ColourInfo) -> Result<ImageU8<3>> {
    rgb_part(frame, colour, PixelRect::of_size(frame.width, frame.height))
}

/// The part `region` of what [`rgb_image`] makes of the frame.
///
/// # Errors
/// When the region is empty or does not lie in the frame.
pub fn rgb_part(frame: &Frame, colour: &ColourInfo, region: PixelRect) -> Result<ImageU8<3>> {
    let fits =
        |start: u32, extent: u32, whole: u32| start.checked_add(extent).is_some_and(|end| end <= whole);
    if !fits(region.x, region.width, frame.width) || !fits(region.y, region.height, frame.height) {
        return Err(Error::internal(format!("{region:?} of a {}x{} frame", frame.width, frame.height)));
    }
    let mut image = ImageU8::filled(region.width as usize, region.height as usize, [0; 3])?;
    each_row(frame, colour, region, |y, rows| {
        for (x, pixel) in image.row_mut(y).iter_mut().enumerate() {
            *pixel = rows.each_ref().map(|row| (row[x] + 0.5) as u8);
        }
    });
    Ok(image)
}

/// The frame in its own size as red, green and blue on 0 to 255, not rounded: what the bits of the format tell apart stays apart.
/// Chroma is interpolated linearly between its samples.
#[must_use]
pub fn rgb_planes(frame: &Frame, colour: &ColourInfo) -> [ImageF32; 3] {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut planes = [(); 3].map(|()| ImageF32::filled(width, height, 0.0));
    each_row(frame, colour, PixelRect::of_size(frame.width, frame.height), |y, rows| {
        for (plane, row) in planes.iter_mut().zip(rows) {
            plane.row_mut(y).copy_from_slice(row);
        }
    });
    planes
}

/// Calls `take` with the number of every row of a region of the frame and what is in it: red, green and blue on 0 to 255.
fn each_row(
    frame: &Frame,
    colour: &ColourInfo,
    region: PixelRect,
    mut take: impl FnMut(usize, &[Vec<f32>; 3]),
) {
    let conversion = RgbConversion::new(frame.format, colour);
    let mut planes: Vec<FullSize> =
        (0..frame.format.chroma.plane_count()).map(|index| FullSize::new(frame, index, region)).collect();
    let mut rows = [(); 3].map(|()| vec![0.0; region.width as usize]);
    for y in 0..region.height as usize {
        for (plane, row) in planes.iter_mut().zip(&mut rows) {
            plane.read_row(y, row);
        }
        let [first, second, third] = &mut rows;
        conversion.convert(first, second, third);
        take(y, &rows);
    }
}

/// A plane, read at every pixel of a region.
struct FullSize {
    /// The samples that the region needs.
    window: ImageF32,
    /// Where each column and each row of the region lies in the window.
    columns: Vec<Between>,
    rows: Vec<Between>,
    /// A row of the window at the height of a row of the region.
    line: Vec<f32>,
}

/// A position between two samples.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    /// How far towards the next, 0 to 1.
    share: f32,
}

impl FullSize {
    fn new(frame: &Frame, index: usize, region: PixelRect) -> Self {
        let siting = PlaneSiting::of(frame.format, index);
        let position = |x: u32, y: u32| siting.plane_from_frame(Vec2::new(x as f32, y as f32));
        let corner = position(region.x, region.y);
        // Left siting never reaches before the first column; rows between two of luma do, and are clamped there.
        let (left, top) = (corner.x.floor(), corner.y.floor());
        let end = position(region.right(), region.bottom());
        let extent = |start: f32, end: f32| (end - start).ceil() as usize + 2;
        let plane = &frame.planes[index];
        let window =
            ImageF32::window(plane, left as i64, top as i64, extent(left, end.x), extent(top, end.y));
        let between = |position: f32| Between { first: position as usize, share: position.fract() };
        Self {
            line: vec![0.0; window.width],
            window,
            columns: (region.x..region.right()).map(|x| between(position(x, 0).x - left)).collect(),
            rows: (region.y..region.bottom()).map(|y| between(position(0, y).y - top)).collect(),
        }
    }

    fn read_row(&mut self, y: usize, row: &mut [f32]) {
        let Between { first, share } = self.rows[y];
        let rows = self.window.row(first).iter().zip(self.window.row(first + 1));
        for (value, (above, below)) in self.line.iter_mut().zip(rows) {
            *value = above + (below - above) * share;
        }
        for (value, &Between { first, share }) in row.iter_mut().zip(&self.columns) {
            let (left, right) = (self.line[first], self.line[first + 1]);
            *value = left + (right - left) * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{ColourMatrix, ColourRange};
    use crate::frame::{ChromaSampling, PixelFormat};
    use viseme_core::Pts;

    fn colour(matrix: ColourMatrix) -> ColourInfo {
        ColourInfo::new(ColourRange::Full, matrix)
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
        let mut bytes = vec![76; 35];
        bytes.extend([85; 12]);
        bytes.extend([255; 12]);
        let frame = Frame::from_bytes(Pts(0), format, 7, 5, &bytes).unwrap();
        let image = rgb_image(&frame, &colour(ColourMatrix::Bt601)).unwrap();
        assert!(image.pixels().iter().all(|&[r, g, b]| r > 252 && g < 2 && b < 2), "{image:?}");
    }

    #[test]
    fn planes_are_the_picture_before_it_is_rounded() {
        let format = PixelFormat { bit_depth: 10, ..PixelFormat::YUV420P };
        let samples = (0..format.frame_bytes(18, 10) / 2).map(|i| 64 + (i * 131 % 800) as u16);
        let bytes: Vec<u8> = samples.flat_map(u16::to_le_bytes).collect();
        let frame = Frame::from_bytes(Pts(0), format, 18, 10, &bytes).unwrap();
        let (image, planes) = (
            rgb_image(&frame, &colour(ColourMatrix::Bt709)).unwrap(),
            rgb_planes(&frame, &colour(ColourMatrix::Bt709)),
        );
        for (channel, plane) in planes.iter().enumerate() {
            let rounded = plane.data.iter().map(|value| value.round() as u8);
            assert!(rounded.eq(image.pixels().iter().map(|pixel| pixel[channel])));
            assert!(plane.data.iter().any(|value| value.fract() > 0.1));
        }
    }

    #[test]
    fn a_part_is_that_part_of_the_whole() {
        for chroma in
            [ChromaSampling::Yuv420, ChromaSampling::Yuv422, ChromaSampling::Yuv444, ChromaSampling::Gray]
        {
            let format = PixelFormat { chroma, ..PixelFormat::YUV420P };
            let bytes: Vec<u8> = (0..format.frame_bytes(17, 11)).map(|i| (i * 37 % 251) as u8).collect();
            let frame = Frame::from_bytes(Pts(0), format, 17, 11, &bytes).unwrap();
            let whole = rgb_image(&frame, &colour(ColourMatrix::Bt709)).unwrap();
            for region in [
                PixelRect { x: 0, y: 0, width: 5, height: 4 },
                PixelRect { x: 3, y: 5, width: 14, height: 6 },
                PixelRect { x: 16, y: 10, width: 1, height: 1 },
            ] {
                let part = rgb_part(&frame, &colour(ColourMatrix::Bt709), region).unwrap();
                let [x, y, width, height] =
                    [region.x, region.y, region.width, region.height].map(|value| value as usize);
                assert_eq!(part, whole.cropped(x, y, width, height).unwrap());
            }
        }
        let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 2, 2, &[0; 6]).unwrap();
        for (x, width) in [(1, 2), (0, 0), (u32::MAX, 2)] {
            let region = PixelRect { x, y: 0, width, height: 1 };
            assert!(rgb_part(&frame, &colour(ColourMatrix::Bt709), region).is_err());
        }
    }
}
