//! A face that is seen wherever the tracker looks, with no nets at all.

use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::{Rect, Vec3};
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::detect::{Detection, FaceDetector};
use viseme_face::framing::{AnalysisImage, Framing};
use viseme_face::landmarks::{LandmarkModel, Landmarks};
use viseme_face::mouth::{Lips, MouthModel};
use viseme_face::points::POINT_COUNT;
use viseme_face::{FaceNets, HeadPose};

/// How sure the fakes are of what they see.
const CERTAIN: f32 = 0.98;

/// One face that looks into the camera and never moves: the canonical face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FakeFace {
    /// Where the bridge of its nose is, in pixels.
    pub x: f32,
    /// The same, downwards.
    pub y: f32,
    /// Pixels per canonical unit; the face is about 2.6 times as wide.
    pub scale_px: f32,
}

impl FakeFace {
    /// Its landmarks, in pixels.
    #[must_use]
    pub fn points(&self) -> Box<[Vec3; POINT_COUNT]> {
        let pose = HeadPose {
            scale_px: self.scale_px,
            rotation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            translation: Vec3::new(self.x, self.y, 0.0),
        };
        Box::new(CANONICAL_POINTS.map(|point| pose.image_from_canonical(point)))
    }

    /// The box around all landmarks.
    #[must_use]
    pub fn bbox(&self) -> Rect {
        Rect::bounding(self.points().iter().map(|point| point.xy())).unwrap_or_default()
    }

    /// Nets that see this face in every frame.
    #[must_use]
    pub fn nets(self) -> FaceNets {
        FaceNets { detector: Arc::new(Faces(Some(self))), landmarks: Arc::new(self), mouth: Arc::new(self) }
    }

    /// Nets that never see a face.
    #[must_use]
    pub fn no_nets() -> FaceNets {
        let unseen = Self { x: 0.0, y: 0.0, scale_px: 1.0 };
        FaceNets { detector: Arc::new(Faces(None)), ..unseen.nets() }
    }
}

/// The faces that the detector sees.
#[derive(Debug)]
struct Faces(Option<FakeFace>);

impl FaceDetector for Faces {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn detect(&self, _: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        Ok(self.0.iter().map(|face| Detection { bbox: face.bbox(), score: CERTAIN, points: None }).collect())
    }
}

impl LandmarkModel for FakeFace {
    fn locate(&self, _: AnalysisImage<'_>, _: &Framing) -> Result<Landmarks> {
        Ok(Landmarks { points: self.points(), presence: CERTAIN })
    }
}

impl MouthModel for FakeFace {
    fn refine(&self, _: AnalysisImage<'_>, _: &Framing) -> Result<Lips> {
        let points = self.points();
        Ok(Lips { points: std::array::from_fn(|index: usize| points[index].xy()), visible: CERTAIN })
    }
}
