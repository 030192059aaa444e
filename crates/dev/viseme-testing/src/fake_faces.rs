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
        Self::nets_of(&[self])
    }

    /// Nets that see these faces, apart from each other, in every frame that is large enough to show them.
    #[must_use]
    pub fn nets_of(faces: &[Self]) -> FaceNets {
        let crowd = Arc::new(Crowd(faces.to_vec()));
        FaceNets { detector: crowd.clone(), landmarks: crowd.clone(), mouth: crowd }
    }

    /// Nets that never see a face.
    #[must_use]
    pub fn no_nets() -> FaceNets {
        Self::nets_of(&[])
    }
}

/// The faces that there are.
#[derive(Debug)]
struct Crowd(Vec<FakeFace>);

impl Crowd {
    /// The points of the face that `framing` shows. Nobody asks for those of no face.
    fn points(&self, framing: &Framing) -> Box<[Vec3; POINT_COUNT]> {
        let distance = |face: &FakeFace| (face.bbox().center() - framing.center).length();
        let nearest = self.0.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.unwrap_or(&FakeFace { x: 0.0, y: 0.0, scale_px: 1.0 }).points()
    }
}

impl FaceDetector for Crowd {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        let is_shown = |bbox: &Rect| {
            let (width, height) = (image.frame.width as f32, image.frame.height as f32);
            (0.0..width).contains(&bbox.center().x) && (0.0..height).contains(&bbox.center().y)
        };
        let boxes = self.0.iter().map(FakeFace::bbox).filter(is_shown);
        Ok(boxes.map(|bbox| Detection { bbox, score: CERTAIN, points: None }).collect())
    }
}

impl LandmarkModel for Crowd {
    fn locate(&self, _: AnalysisImage<'_>, framing: &Framing) -> Result<Landmarks> {
        Ok(Landmarks { points: self.points(framing), presence: CERTAIN })
    }
}

impl MouthModel for Crowd {
    fn refine(&self, _: AnalysisImage<'_>, framing: &Framing) -> Result<Lips> {
        let points = self.points(framing);
        Ok(Lips { points: std::array::from_fn(|index: usize| points[index].xy()), visible: CERTAIN })
    }
}
