//! Which part of a face each pixel shows.

mod bisenet;

pub use bisenet::BiSeNet;

use std::fmt::Debug;
use viseme_core::Result;
use viseme_imaging::ImageU8;

/// The regions of `CelebAMask-HQ`, numbered as the public parsers number them. Left and right are the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is named after what it is")]
pub enum FaceRegion {
    Background,
    Skin,
    LeftBrow,
    RightBrow,
    LeftEye,
    RightEye,
    Glasses,
    LeftEar,
    RightEar,
    Earring,
    Nose,
    /// The inside of the mouth, teeth and tongue.
    InnerMouth,
    UpperLip,
    LowerLip,
    Neck,
    Necklace,
    Cloth,
    Hair,
    Hat,
}

impl FaceRegion {
    /// How many there are.
    pub const COUNT: usize = Self::Hat as usize + 1;
}

/// Finds the regions of a face.
pub trait FaceParser: Debug + Send + Sync {
    /// The region of each pixel of a crop (red, green, blue; the whole head, as
    /// [`Template::Ffhq512`](crate::alignment::Template::Ffhq512) shows it), as the number of a [`FaceRegion`]. As large
    /// as the parser works, 512 × 512, whatever the size of the crop.
    ///
    /// # Errors
    /// When the model fails.
    fn parse(&self, crop: &ImageU8<3>) -> Result<ImageU8<1>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_the_numbers_of_the_public_parsers() {
        let numbers = [FaceRegion::Skin, FaceRegion::Nose, FaceRegion::InnerMouth, FaceRegion::LowerLip];
        assert_eq!(numbers.map(|region| region as u8), [1, 10, 11, 13]);
        assert_eq!(FaceRegion::COUNT, 19);
    }
}
