//! The three nets, and what they see together of one face.

use crate::detect::{DetectorNet, FaceDetector};
use crate::framing::{AnalysisImage, Framing, eye_line};
use crate::landmarks::{LandmarkModel, LandmarkNet};
use crate::mouth::{Lips, MouthModel, MouthNet};
use crate::points::{LIP_COUNT, POINT_COUNT};
use crate::{FaceObservation, HeadPose};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use viseme_core::Result;
use viseme_core::geometry::{Vec2, Vec3};
use viseme_models::{ModelFile, Runtime};

/// Our own nets. How they were made and what they were trained on stands in `training/face`.
const DETECTOR: &[u8] = include_bytes!("../nets/detector.onnx");
const LANDMARKS: &[u8] = include_bytes!("../nets/landmarks.onnx");
const MOUTH: &[u8] = include_bytes!("../nets/mouth.onnx");
const CLEAN_LANDMARKS: &[u8] = include_bytes!("../nets/clean/landmarks.onnx");
const CLEAN_MOUTH: &[u8] = include_bytes!("../nets/clean/mouth.onnx");

/// How often the mouth net looks: the second time its region is centred on what it found the first time.
const MOUTH_PASSES: usize = 2;

/// Which weights the landmark and mouth nets have. The detector has one set, trained on data of clear rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The more exact ones; their training data includes clips of unclear rights.
    #[default]
    Default,
    /// Those trained on data of clear rights alone.
    Clean,
}

/// The models that the tracker works with. Cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct FaceNets {
    /// Finds faces.
    pub detector: Arc<dyn FaceDetector>,
    /// Finds the landmarks of a face.
    pub landmarks: Arc<dyn LandmarkModel>,
    /// Finds the lips.
    pub mouth: Arc<dyn MouthModel>,
}

impl FaceNets {
    /// Loads the embedded nets.
    ///
    /// # Errors
    /// When `runtime` cannot run them.
    pub fn embedded(runtime: &dyn Runtime, weights: Weights) -> Result<Self> {
        let (landmarks, mouth) = match weights {
            Weights::Default => (LANDMARKS, MOUTH),
            Weights::Clean => (CLEAN_LANDMARKS, CLEAN_MOUTH),
        };
        Ok(Self {
            detector: Arc::new(DetectorNet::new(
                runtime.load(&ModelFile::embedded("face detector", DETECTOR))?,
            )),
            landmarks: Arc::new(LandmarkNet::new(
                runtime.load(&ModelFile::embedded("face landmarks", landmarks))?,
            )),
            mouth: Arc::new(MouthNet::new(runtime.load(&ModelFile::embedded("mouth", mouth))?)),
        })
    }

    /// The same nets with another detector.
    #[must_use]
    pub fn with_detector(self, detector: Arc<dyn FaceDetector>) -> Self {
        Self { detector, ..self }
    }

    /// Everything about the face that `framing` shows. Looked at a second time when it does not fill the region as it
    /// should.
    ///
    /// `None` when the landmark net is less sure of it than `least_presence`.
    ///
    /// # Errors
    /// When a model fails.
    pub fn observe(
        &self,
        image: AnalysisImage<'_>,
        framing: &Framing,
        least_presence: f32,
    ) -> Result<Option<FaceObservation>> {
        let mut found = self.landmarks.locate(image, framing)?;
        let better = Framing::of_face(&found.points);
        if found.presence >= least_presence && is_loose(framing, &better) {
            found = self.landmarks.locate(image, &better)?;
        }
        // Landmarks that are not numbers have no pose, a presence that is none compares as false.
        let pose = if found.presence >= least_presence { HeadPose::fit(&found.points) } else { None };
        let Some(pose) = pose else { return Ok(None) };
        let lips = self.look_at_mouth(image, &found.points, &pose)?;
        let mut points = found.points;
        place_lips(&mut points, &lips.points, &pose);
        Ok(FaceObservation::new(points, found.presence, lips.visible))
    }

    fn look_at_mouth(
        &self,
        image: AnalysisImage<'_>,
        points: &[Vec3; POINT_COUNT],
        pose: &HeadPose,
    ) -> Result<Lips> {
        let roll = eye_line(points);
        let mut lips = Lips { points: std::array::from_fn(|i: usize| points[i].xy()), visible: 0.0 };
        for _ in 0..MOUTH_PASSES {
            lips = self.mouth.refine(image, &Framing::of_mouth(&lips.points, pose, roll))?;
        }
        Ok(lips)
    }
}

/// Whether a region fits a face too badly for the landmark net to be at its best: the face is off its middle, too
/// large or too small, or tilted.
fn is_loose(framing: &Framing, fitting: &Framing) -> bool {
    /// In sides of the region, as a ratio of sides, and in radians: within half of what the net was trained with.
    const SHIFT: f32 = 0.12;
    const RATIO: f32 = 1.18;
    const ROLL: f32 = 0.35;
    let ratio = (fitting.side / framing.side).max(framing.side / fitting.side);
    (fitting.center - framing.center).length() > SHIFT * framing.side
        || ratio > RATIO
        || (fitting.roll - framing.roll).abs() > ROLL
}

/// Puts the lip points where the mouth net saw them in the picture. Their depth in the head's own frame stays what the
/// landmark net said, so that the lips of a turned head stay on its surface.
fn place_lips(points: &mut [Vec3; POINT_COUNT], seen: &[Vec2; LIP_COUNT], pose: &HeadPose) {
    /// Below this cosine of the turn the picture says nothing about the place on the face.
    const EDGE_ON: f32 = 0.3;
    let [x_row, y_row, z_row] = pose.rotation;
    let determinant = x_row[0] * y_row[1] - x_row[1] * y_row[0];
    for (point, &seen) in points.iter_mut().zip(seen) {
        let depth = pose.canonical_from_image(*point).z;
        *point = Vec3::new(seen.x, seen.y, point.z);
        if determinant > EDGE_ON {
            let across = (seen.x - pose.translation.x) / pose.scale_px - x_row[2] * depth;
            let down = (seen.y - pose.translation.y) / pose.scale_px - y_row[2] * depth;
            let x = (y_row[1] * across - x_row[1] * down) / determinant;
            let y = (x_row[0] * down - y_row[0] * across) / determinant;
            point.z = (z_row[0] * x + z_row[1] * y + z_row[2] * depth) * pose.scale_px + pose.translation.z;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{canonical_face, head};

    #[test]
    fn lips_move_in_the_picture_and_keep_their_depth_on_the_face() {
        let pose = head([8.0, 30.0, -12.0], 90.0, 300.0, 200.0);
        let (shut, open) = (canonical_face(&pose, 0.0), canonical_face(&pose, 0.2));
        let seen = std::array::from_fn(|i: usize| open.points[i].xy());
        let mut points = shut.points.clone();
        place_lips(&mut points, &seen, &pose);
        for (i, (found, wanted)) in points.iter().zip(open.points.iter()).enumerate() {
            assert!((*found - *wanted).length() < 0.02, "point {i}: {found:?} instead of {wanted:?}");
        }
    }

    #[test]
    fn a_face_seen_edge_on_keeps_its_depth_in_the_picture() {
        let pose = head([0.0, 85.0, 0.0], 90.0, 300.0, 200.0);
        let face = canonical_face(&pose, 0.0);
        let mut points = face.points.clone();
        place_lips(&mut points, &[Vec2::new(310.0, 260.0); LIP_COUNT], &pose);
        assert!(points.iter().zip(face.points.iter()).all(|(a, b)| (a.z - b.z).abs() < f32::EPSILON));
        assert_eq!(points[0].xy(), Vec2::new(310.0, 260.0));
    }
}
