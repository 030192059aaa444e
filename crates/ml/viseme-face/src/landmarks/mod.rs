//! Where the landmarks of a face are, given where the face is: our own 159, and the points of public annotation schemes.

mod fan;
mod insightface;
mod native;
mod pfld;

pub use fan::Fan;
pub use insightface::{InsightFace68, InsightFace106};
pub use native::LandmarkNet;
pub use pfld::Pfld;

use crate::HeadPose;
use crate::framing::{AnalysisImage, Framing};
use crate::points::POINT_COUNT;
use std::fmt::Debug;
use viseme_core::Result;
use viseme_core::geometry::{Rect, Vec3};
use viseme_imaging::ImageU8;

/// The landmarks of what was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// In pixels of the frame, z in the same unit (smaller is nearer), in the order of [`points`](crate::points).
    pub points: Box<[Vec3; POINT_COUNT]>,
    /// How sure the model is that there is a face and that it fills the region as it should, 0 to 1.
    pub presence: f32,
}

/// Finds our own landmarks of a face in a region: what the tracker works with.
pub trait LandmarkModel: Debug + Send + Sync {
    /// The landmarks of the face that `framing` shows.
    ///
    /// # Errors
    /// When the model fails.
    fn locate(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Landmarks>;
}

/// A public way to number the points of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointScheme {
    /// The 68 points of iBUG 300-W: jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, lips 48–67.
    Ibug68,
    /// The 106 points of `InsightFace`'s 2d106det: contour 0–32, then eyes, brows, mouth and nose.
    InsightFace106,
}

impl PointScheme {
    /// How many points it has.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Ibug68 => 68,
            Self::InsightFace106 => 106,
        }
    }
}

/// The points of a face in a public scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemePoints {
    /// As many as the scheme has, in its order, in pixels of the picture. z is in the same unit, smaller nearer, and 0
    /// where the model knows no depth.
    pub points: Vec<Vec3>,
    /// How sure the model is, 0 to 1, where it says.
    pub score: Option<f32>,
}

/// Finds the points of a public scheme.
pub trait SchemeModel: Debug + Send + Sync {
    /// Which points it finds.
    fn scheme(&self) -> PointScheme;

    /// The points of the face in `bbox` (that of a detector, in pixels) of a picture (red, green, blue).
    ///
    /// # Errors
    /// `InvalidInput` for an empty box; otherwise when the model fails.
    fn locate(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<SchemePoints>;
}

/// Finds how a head is turned.
pub trait HeadPoseModel: Debug + Send + Sync {
    /// The pose of the face in `bbox` (that of a detector, in pixels) of a picture (red, green, blue); `None` when what
    /// the model sees is no face.
    ///
    /// # Errors
    /// `InvalidInput` for an empty box; otherwise when the model fails.
    fn pose(&self, image: &ImageU8<3>, bbox: &Rect) -> Result<Option<HeadPose>>;
}
