//! Finding faces anywhere in a frame: our own net, and the public ones, one file each.

mod anchors;
mod choice;
mod letterbox;
mod native;
mod s3fd;
mod scrfd;
mod suppression;
mod yunet;

pub use choice::DetectorChoice;
pub use native::DetectorNet;
pub use s3fd::S3fd;
pub use scrfd::{Scrfd, keep_central};
pub use yunet::YuNet;

use crate::framing::{AnalysisImage, Framing};
use std::fmt::Debug;
use viseme_core::Result;
use viseme_core::geometry::{Rect, Vec2};

/// A place that looks like a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The box around the face, in pixels of the frame; may reach beyond its edges. What exactly it holds depends on
    /// the detector; all take the face from the forehead to the chin.
    pub bbox: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Left and right eye (as the viewer sees them), tip of the nose, left and right corner of the mouth, in pixels of
    /// the frame, where the detector says.
    pub points: Option<[Vec2; 5]>,
}

impl Detection {
    /// Where the landmark net should look for this face.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.points
            .and_then(|points| Framing::of_five_points(&points))
            .unwrap_or_else(|| Framing::of_box(&self.bbox))
    }
}

/// Finds the faces of a frame.
pub trait FaceDetector: Debug + Send + Sync {
    /// What it is called in reports: `native`, or the name of its model.
    fn name(&self) -> &str;

    /// The faces of the frame, best first, each once.
    ///
    /// # Errors
    /// When the model fails.
    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>>;
}
