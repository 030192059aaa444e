//! Which part of the face `MuseTalk` lays over the picture: skin, grown downwards so that the chin may drop, without the
//! outer cheeks' edges, and the mouth.
//!
//! `FaceParsing` in mode "jaw" of `MuseTalk` 1.5 (`musetalk/utils/face_parsing/__init__.py`).

use viseme_core::Result;
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{StructuringElement, dilate, erode};

/// How far from the middle column the cheeks begin, in columns, in `MuseTalk` 1.5.
pub const CHEEK_WIDTH: usize = 90;

/// Labels of the face parsing net (`BiSeNet`, 19 classes of `CelebAMask-HQ`).
const SKIN: u8 = 1;
const NOSE: u8 = 10;
const MOUTH_AND_LIPS: std::ops::RangeInclusive<u8> = 11..=13;

/// Side of the grid that skin is dilated with, the height of the cone in it, and the width of the stem below.
const CONE_SIDE: usize = 33;
const CONE_TOP: usize = 10;
const STEM_TOP: usize = 21;
/// The flat ellipse that cheeks are eroded with, and how often.
const CHEEK_ELEMENT: (usize, usize) = (35, 3);
const CHEEK_EROSIONS: usize = 2;

/// The mask of a picture of face labels (512 × 512 in the reference): 255 where the new mouth is laid over, 0 elsewhere.
///
/// Columns `cheek_width` and farther from the middle one are cheeks.
///
/// # Errors
/// Never for a picture that [`ImageU8`] holds.
pub fn jaw_mask(labels: &ImageU8<1>, cheek_width: usize) -> Result<ImageU8<1>> {
    let skin = labels.map(|[label]| [if label == SKIN { 255 } else { 0 }]);
    let grown = dilate(&skin, &cone()?, 1);
    let flat = StructuringElement::ellipse(CHEEK_ELEMENT.0, CHEEK_ELEMENT.1)?;
    let eroded = erode(&grown, &flat, CHEEK_EROSIONS);
    let middle = labels.width() / 2;
    ImageU8::from_fn(labels.width(), labels.height(), |x, y| {
        let [label] = labels.at(x, y);
        let is_cheek = x.abs_diff(middle) >= cheek_width;
        let face = if is_cheek { eroded.at(x, y) } else { grown.at(x, y) };
        let is_set = (face == [255] && label != NOSE) || MOUTH_AND_LIPS.contains(&label);
        [if is_set { 255 } else { 0 }]
    })
}

/// A cone that widens downwards over a stem of the same width. Its middle is below its point: skin grows down.
fn cone() -> Result<StructuringElement> {
    StructuringElement::from_fn(CONE_SIDE, CONE_SIDE, |x, y| {
        let half_width = y.min(STEM_TOP - 1).checked_sub(CONE_TOP);
        half_width.is_some_and(|half_width| x.abs_diff(CONE_SIDE / 2) <= half_width)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_of_picture_has_a_mask() {
        for (width, height) in [(1, 1), (1, 700), (3, 2), (512, 40)] {
            let labels = ImageU8::from_fn(width, height, |x, y| [((x * 5 + y * 3) % 19) as u8]).unwrap();
            for cheek_width in [0, CHEEK_WIDTH, usize::MAX] {
                let mask = jaw_mask(&labels, cheek_width).unwrap();
                assert_eq!((mask.width(), mask.height()), (width, height));
                assert!(mask.pixels().iter().all(|&[value]| value == 0 || value == 255));
            }
        }
    }

    #[test]
    fn the_nose_is_never_covered_and_the_mouth_always() {
        let labels =
            ImageU8::from_fn(60, 60, |_, y| [if y < 20 { SKIN } else { NOSE + (y % 4) as u8 }]).unwrap();
        let mask = jaw_mask(&labels, CHEEK_WIDTH).unwrap();
        for (label, value) in labels.pixels().iter().zip(mask.pixels()) {
            assert!(label != &[NOSE] || value == &[0]);
            assert!(!MOUTH_AND_LIPS.contains(&label[0]) || value == &[255]);
        }
    }
}
