//! A picture in the top left corner of another one.

use viseme_core::Result;
use viseme_imaging::ImageU8;
use viseme_imaging::opencv::{Interpolation, resize};

/// A picture scaled to fit, its proportions kept.
#[derive(Debug)]
pub(super) struct Letterbox {
    /// The scaled picture; black lies to its right and below.
    pub(super) image: ImageU8<3>,
    /// Pixels of the scaled picture per pixel of the picture.
    pub(super) scale: f32,
}

/// Scales a picture to fit `width` × `height` as `InsightFace` does (`scrfd.py`): up as well as down, the other side
/// rounded down, `cv2.resize` linear.
///
/// # Errors
/// When a side of the picture vanishes.
pub(super) fn letterbox(image: &ImageU8<3>, width: usize, height: usize) -> Result<Letterbox> {
    let (columns, rows) = (image.width() as f64, image.height() as f64);
    let ratio = rows / columns;
    let (new_width, new_height) = if ratio > height as f64 / width as f64 {
        ((height as f64 / ratio) as usize, height)
    } else {
        (width, (width as f64 * ratio) as usize)
    };
    let (new_width, new_height) = (new_width.max(1), new_height.max(1));
    Ok(Letterbox {
        image: resize(image, new_width, new_height, Interpolation::Linear)?,
        scale: (new_height as f64 / rows) as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_picture_fits(width in 1_usize..300, height in 1_usize..300, side in 32_usize..200) {
            let found = letterbox(&ImageU8::filled(width, height, [9; 3]).unwrap(), side, side).unwrap();
            prop_assert!(found.image.width() <= side && found.image.height() <= side);
            prop_assert!(found.image.width() == side || found.image.height() == side);
        }
    }

    #[test]
    fn pictures_are_those_of_insightface() {
        let vectors = viseme_testing::Vectors::open(&viseme_testing::skip_without_shared!(), "scrfd");
        for (picture, side, wanted) in [
            ("monalisa.png", 640, "monalisa_det_640.png"),
            ("mosaic.png", 640, "mosaic_det_640.png"),
            ("mosaic.png", 320, "mosaic320_bnkps_det_320.png"),
        ] {
            let found = letterbox(&vectors.png(picture), side, side).unwrap().image;
            let wanted: ImageU8<3> = vectors.png(wanted);
            let part = wanted.cropped(0, 0, found.width(), found.height()).unwrap();
            assert_eq!(viseme_testing::compare::max_step(&found, &part), 0, "{picture} at {side}");
            let black = wanted.pixels().iter().filter(|pixel| **pixel == [0; 3]).count();
            assert!(black >= side * side - found.width() * found.height());
        }
    }
}
