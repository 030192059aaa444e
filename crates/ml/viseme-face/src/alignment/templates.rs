//! Where the public models expect the eyes, the nose and the corners of the mouth.

use super::similarity;
use viseme_core::geometry::{AffineF64, Vec2};
use viseme_core::{Error, Result};

/// Red, green and blue of what lies outside the picture in the crops of the face restorers (facexlib,
/// `face_restoration_helper.py`, a gray near the mean of faces).
pub const RESTORATION_BORDER_RGB: [u8; 3] = [132, 133, 135];

/// `InsightFace`'s points at 112 pixels (`face_align.py`, `arcface_dst`).
const ARCFACE_112: [[f64; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];
/// How much farther right the same points lie at 128 pixels.
const ARCFACE_128_SHIFT: f64 = 8.0;
/// facexlib's points at 512 pixels (`face_restoration_helper.py`).
const FFHQ_512: [[f64; 2]; 5] = [
    [192.98138, 239.94708],
    [318.90277, 240.1936],
    [256.63416, 314.01935],
    [201.26117, 371.41043],
    [313.08905, 371.15118],
];

/// A square crop in which the five points of a face lie in known places. Named as in facefusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// 112 pixels, tight: `ArcFace` embeddings (`arcface_112_v2`).
    ArcFace112,
    /// 128 pixels, the same face with 8 more columns on each side and 16 more rows below (`arcface_128`).
    ArcFace128,
    /// 512 pixels, the whole head: GFPGAN, `CodeFormer` and other restorers (`ffhq_512`).
    Ffhq512,
}

impl Template {
    /// Length of a side of the crop, in pixels.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::ArcFace112 => 112,
            Self::ArcFace128 => 128,
            Self::Ffhq512 => 512,
        }
    }

    /// Where the left and right eye (as the viewer sees them), the tip of the nose, and the left and right corner of the
    /// mouth lie, in pixels of the crop, pixel centres at integers.
    #[must_use]
    pub fn points(self) -> [[f64; 2]; 5] {
        match self {
            Self::ArcFace112 => ARCFACE_112,
            Self::ArcFace128 => ARCFACE_112.map(|[x, y]| [x + ARCFACE_128_SHIFT, y]),
            Self::Ffhq512 => FFHQ_512,
        }
    }

    /// The similarity that takes five landmarks, in pixels of the image and in the order of [`points`](Self::points), to
    /// the template.
    ///
    /// # Errors
    /// When the landmarks lie in one place or are not finite.
    pub fn crop_from_image(self, landmarks: &[Vec2; 5]) -> Result<AffineF64> {
        let landmarks = landmarks.map(|p| [f64::from(p.x), f64::from(p.y)]);
        similarity(&landmarks, &self.points()).ok_or_else(|| {
            Error::invalid_input("five landmarks that are no face")
                .with_hint("Give the eyes, the nose and the corners of the mouth in pixels.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_a_template_stay_where_they_are() {
        for template in [Template::ArcFace112, Template::ArcFace128, Template::Ffhq512] {
            let points = template.points();
            assert!(points.iter().flatten().all(|&v| v > 0.0 && v < template.size() as f64));
            let map = template.crop_from_image(&points.map(|[x, y]| Vec2::new(x as f32, y as f32))).unwrap();
            for (actual, expected) in map.rows.iter().zip([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]) {
                assert!((actual - expected).abs() < 1e-4, "{map:?}");
            }
        }
    }

    #[test]
    fn landmarks_in_one_place_are_an_error() {
        assert!(Template::Ffhq512.crop_from_image(&[Vec2::new(4.1, 5.3); 5]).is_err());
        assert!(Template::Ffhq512.crop_from_image(&[Vec2::new(f32::NAN, 5.0); 5]).is_err());
    }
}
