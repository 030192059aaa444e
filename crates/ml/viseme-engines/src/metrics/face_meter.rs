//! What the picture of one face is like, and of its mouth against the rest of it.

use super::blur::{self, BlurSums};
use super::face_crop::{FaceCrop, contains};
use super::jitter::JitterMeter;
use super::seam::SeamMeter;
use serde::Serialize;
use viseme_core::Result;
use viseme_face::FaceObservation;
use viseme_imaging::{ColourInfo, Frame};

/// What the picture of a face is like.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct FaceMeasures {
    /// Mean width of the box around its landmarks, in pixels of the frame.
    pub width_px: f64,
    /// Blur after Crété, 0 (sharp) to 1, of the face without the mouth, at no more than 256 pixels across.
    pub blur: Option<f64>,
    /// The same of the mouth.
    pub mouth_blur: Option<f64>,
    /// The greatest step of brightness, of 255, that follows the outline of a mask around the mouth.
    pub seam_step: Option<f64>,
    /// How much the lips tremble, in percent of the distance between the eyes.
    pub jitter_percent: Option<f64>,
}

/// Areas of a face.
const MOUTH: usize = 0;
const REST: usize = 1;

/// Collects what is seen of one face.
#[derive(Debug, Clone, Default)]
pub struct FaceMeter {
    areas: [BlurSums; 2],
    seam: SeamMeter,
    jitter: JitterMeter,
    width: f64,
    frames: f64,
}

impl FaceMeter {
    /// Takes the landmarks of the next frame.
    pub fn follow(&mut self, face: &FaceObservation) {
        self.width += f64::from(face.bbox.width);
        self.frames += 1.0;
        self.jitter.push(face);
    }

    /// Looks at the picture of the face: a few times a second are enough.
    ///
    /// # Errors
    /// When the face cannot be cut out: a fault of ours.
    pub fn look(&mut self, frame: &Frame, colour: &ColourInfo, face: &FaceObservation) -> Result<()> {
        let Some(crop) = FaceCrop::of(frame, colour, face)? else { return Ok(()) };
        let mouth = crop.mouth();
        blur::add(&crop.gray, &mut self.areas, |x, y| {
            if contains(&mouth, x, y) { Some(MOUTH) } else { crop.is_face(x, y).then_some(REST) }
        });
        self.seam.push(&crop);
        Ok(())
    }

    /// What was seen.
    #[must_use]
    pub fn measures(&self) -> FaceMeasures {
        FaceMeasures {
            width_px: self.width / f64::max(self.frames, 1.0),
            blur: self.areas[REST].blur(),
            mouth_blur: self.areas[MOUTH].blur(),
            seam_step: self.seam.step(),
            jitter_percent: self.jitter.percent(),
        }
    }
}
