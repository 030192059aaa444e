//! Draws what the tracker sees into a frame: boxes, landmarks and a line of text per face.

mod colours;
mod font;
mod painter;

use crate::FaceObservation;
use crate::points::LIP_COUNT;
pub use colours::person_colour;
use painter::{Painter, Rgb};
use viseme_core::geometry::{Rect, Vec2};
use viseme_core::segment::SkipReason;
use viseme_imaging::{ColourInfo, Frame};

const LIPS: Rgb = [1.0, 0.25, 0.5];
const POINTS: Rgb = [0.4, 0.85, 1.0];
const PAPER: Rgb = [0.0, 0.0, 0.0];

/// Rows of the picture per pixel of line width and per dot of a letter.
const ROWS_PER_DOT: u32 = 480;

/// A face to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct PreviewFace<'a> {
    /// Who it is.
    pub name: &'a str,
    /// The colour that stands for that person: red, green, blue.
    pub colour: [u8; 3],
    /// Where it is.
    pub face: &'a FaceObservation,
    /// How well it can be synced, 0 to 1.
    pub quality: f32,
    /// Why it cannot, when it cannot.
    pub skip: Option<SkipReason>,
}

/// Draws `faces` into the planes of `frame`, each in the colour of its person: in a whole box where the lips can be moved,
/// between four corners where not.
pub fn draw(frame: &mut Frame, colour: &ColourInfo, faces: &[PreviewFace<'_>]) {
    let mut painter = Painter::new(frame, colour);
    let dot = (painter.size().1.div_ceil(ROWS_PER_DOT)).max(1) as f32;
    for shown in faces {
        let rgb = shown.colour.map(|value| f32::from(value) / 255.0);
        outline(&mut painter, &shown.face.bbox, dot, rgb, shown.skip.is_none());
        for (i, point) in shown.face.points.iter().enumerate() {
            let rgb = if i < LIP_COUNT { LIPS } else { POINTS };
            painter
                .fill(&Rect { x: point.x - dot / 2.0, y: point.y - dot / 2.0, width: dot, height: dot }, rgb);
        }
        let text = caption(shown);
        let place = caption_place(&shown.face.bbox, &text, dot, painter.size());
        write(&mut painter, &text, place, dot, rgb);
    }
}

/// "alice 87% yaw -12" or "alice profile view".
fn caption(shown: &PreviewFace<'_>) -> String {
    let why = match shown.skip {
        None => {
            let [_, yaw, _] = shown.face.pose.euler_degrees();
            return format!("{} {:.0}% yaw {yaw:+.0}", shown.name, 100.0 * shown.quality);
        }
        Some(SkipReason::NotVisible) => "not visible",
        Some(SkipReason::ProfileView) => "profile view",
        Some(SkipReason::FaceTooSmall) => "too small",
        Some(SkipReason::LowDetectionQuality) => "low quality",
        Some(SkipReason::Occluded) => "occluded",
        Some(_) => "skipped",
    };
    format!("{} {why}", shown.name)
}

/// The top left corner of a caption: above the box, or within the picture where there is no room.
fn caption_place(bbox: &Rect, text: &str, dot: f32, (width, height): (u32, u32)) -> Vec2 {
    let size = text_size(text, dot);
    let x = bbox.x.min(width as f32 - size.x).max(0.0);
    let y = (bbox.y - size.y - dot).min(height as f32 - size.y).max(0.0);
    Vec2::new(x, y)
}

/// Extent of a text on its paper: one dot between letters and around them.
fn text_size(text: &str, dot: f32) -> Vec2 {
    let letters = text.chars().count() as f32;
    Vec2::new((letters * (font::COLUMNS + 1) as f32 + 1.0) * dot, (font::ROWS + 2) as f32 * dot)
}

fn write(painter: &mut Painter<'_>, text: &str, place: Vec2, dot: f32, rgb: Rgb) {
    let size = text_size(text, dot);
    painter.fill(&Rect { x: place.x, y: place.y, width: size.x, height: size.y }, PAPER);
    for (position, letter) in text.chars().enumerate() {
        let left = place.x + (position as f32 * (font::COLUMNS + 1) as f32 + 1.0) * dot;
        for (row, dots) in font::glyph(letter).into_iter().enumerate() {
            for column in (0..font::COLUMNS).filter(|column| dots >> (font::COLUMNS - 1 - column) & 1 == 1) {
                let (x, y) = (left + column as f32 * dot, place.y + (row + 1) as f32 * dot);
                painter.fill(&Rect { x, y, width: dot, height: dot }, rgb);
            }
        }
    }
}

/// The sides of a rectangle, whole or only next to its corners.
fn outline(painter: &mut Painter<'_>, rect: &Rect, line: f32, rgb: Rgb, is_whole: bool) {
    let parts: &[[f32; 2]] = if is_whole { &[[0.0, 1.0]] } else { &[[0.0, 0.25], [0.75, 1.0]] };
    for [start, end] in parts {
        let (x, width) = (rect.x + start * rect.width, (end - start) * rect.width);
        let (y, height) = (rect.y + start * rect.height, (end - start) * rect.height);
        for edge in [rect.y, rect.y + rect.height - line] {
            painter.fill(&Rect { x, y: edge, width, height: line }, rgb);
        }
        for edge in [rect.x, rect.x + rect.width - line] {
            painter.fill(&Rect { x: edge, y, width: line, height }, rgb);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};
    use viseme_core::Pts;
    use viseme_imaging::{ChromaSampling, ColourMatrix, ColourRange, PixelFormat, Samples, crop_rgb};

    const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

    fn gray_frame(format: PixelFormat, width: u32, height: u32) -> Frame {
        let bytes = vec![if format.bit_depth > 8 { 1 } else { 128 }; format.frame_bytes(width, height)];
        Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap()
    }

    #[test]
    fn colours_come_out_as_meant_in_every_format() {
        for chroma in [ChromaSampling::Yuv420, ChromaSampling::Yuv444, ChromaSampling::Gbr] {
            for bit_depth in [8, 10] {
                let mut frame = gray_frame(PixelFormat { chroma, bit_depth, alpha: false }, 16, 16);
                Painter::new(&mut frame, &COLOUR)
                    .fill(&Rect { x: 0.0, y: 0.0, width: 16.0, height: 16.0 }, [1.0, 0.6, 0.1]);
                let pixels = crop_rgb(&frame, &COLOUR, &viseme_core::geometry::Affine::IDENTITY, 16).unwrap();
                for (plane, wanted) in pixels.chunks(256).zip([1.0, 0.6, 0.1]) {
                    assert!(
                        plane.iter().all(|v| (v - 255.0 * wanted).abs() < 3.0),
                        "{chroma:?}: {}",
                        plane[0]
                    );
                }
            }
        }
    }

    #[test]
    fn a_face_anywhere_is_drawn_and_the_rest_left_alone() {
        let faces = [
            canonical_face(&head([0.0, 20.0, 5.0], 30.0, 80.0, 60.0), 0.1),
            canonical_face(&head([0.0; 3], 30.0, -20.0, 119.0), 0.1),
            canonical_face(&head([0.0; 3], 30.0, 900.0, -400.0), 0.1),
        ];
        for (number, face) in faces.iter().enumerate() {
            let format = PixelFormat { alpha: true, ..PixelFormat::YUV420P };
            let before = gray_frame(format, 161, 121);
            let mut after = before.clone();
            let skip = (number == 1).then_some(SkipReason::ProfileView);
            draw(
                &mut after,
                &COLOUR,
                &[PreviewFace { name: "bob", colour: [9, 200, 90], face, quality: 0.87, skip }],
            );
            assert_ne!(before.planes[0], after.planes[0]);
            assert_eq!(before.planes[3], after.planes[3]);
        }
        let mut untouched = gray_frame(PixelFormat::YUV420P, 8, 8);
        draw(&mut untouched, &COLOUR, &[]);
        assert_eq!(untouched, gray_frame(PixelFormat::YUV420P, 8, 8));
    }

    #[test]
    fn letters_look_like_letters() {
        let mut frame =
            gray_frame(PixelFormat { chroma: ChromaSampling::Gray, ..PixelFormat::YUV420P }, 13, 9);
        write(&mut Painter::new(&mut frame, &COLOUR), "L7", Vec2::default(), 1.0, [1.0; 3]);
        let Samples::U8(samples) = &frame.planes[0].samples else { panic!("8 bits") };
        let shown: Vec<String> = samples
            .chunks(13)
            .map(|row| row.iter().map(|&v| if v > 200 { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(shown[1], ".#.....#####.");
        assert_eq!(shown[7], ".#####..#....");
    }
}
