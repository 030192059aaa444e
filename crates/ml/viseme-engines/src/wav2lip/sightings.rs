//! Where the faces of a video were seen, for the reference profile.

use super::face_box::{FaceBoxes, padded, s3fd_like};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use viseme_core::geometry::{PixelRect, Rect};
use viseme_core::{FrameIndex, Result};
use viseme_face::framing::AnalysisImage;
use viseme_face::{FaceDetector, FaceObservation, TrackId, packed};
use viseme_imaging::{ColourInfo, Frame};

/// A detection that overlaps the face less than this is of another one.
const SAME_FACE_IOU: f32 = 0.3;

/// Where the boxes are kept for the next job on the video.
const FILE_NAME: &str = "boxes.bin";

/// The boxes of all faces.
#[derive(Debug)]
pub(super) struct Sightings {
    colour: ColourInfo,
    detector: Option<Arc<dyn FaceDetector>>,
    /// What the detector saw in the latest frame: several faces may be asked for in one.
    detected: Option<(FrameIndex, Vec<Rect>)>,
    faces: BTreeMap<TrackId, FaceBoxes>,
}

impl Sightings {
    pub(super) fn new(colour: ColourInfo, detector: Option<Arc<dyn FaceDetector>>) -> Self {
        Self { colour, detector, detected: None, faces: BTreeMap::new() }
    }

    /// Notes where a face of the next frame is.
    ///
    /// # Errors
    /// When the detector fails.
    pub(super) fn see(
        &mut self,
        index: FrameIndex,
        frame: &Frame,
        track: TrackId,
        face: &FaceObservation,
    ) -> Result<()> {
        let expected = s3fd_like(&face.bbox);
        let overlap = |detection: &Rect| detection.iou(&expected);
        let detected =
            self.detect(index, frame)?.iter().filter(|detection| overlap(detection) > SAME_FACE_IOU);
        let rect = detected.max_by(|a, b| overlap(a).total_cmp(&overlap(b))).copied().unwrap_or(expected);
        self.faces.entry(track).or_default().push(index, padded(&rect, frame.width, frame.height));
        Ok(())
    }

    fn detect(&mut self, index: FrameIndex, frame: &Frame) -> Result<&[Rect]> {
        let Some(detector) = &self.detector else { return Ok(&[]) };
        if self.detected.as_ref().is_none_or(|(seen, _)| *seen != index) {
            let detections = detector.detect(AnalysisImage { frame, colour: &self.colour })?;
            self.detected = Some((index, detections.iter().map(|detection| detection.bbox).collect()));
        }
        Ok(self.detected.as_ref().map_or(&[], |(_, rects)| rects))
    }

    /// Keeps all boxes in `folder`, before they are [steadied](Self::smooth).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        packed::write(&folder.join(FILE_NAME), &self.faces)
    }

    /// Takes over the boxes that another job kept in `folder`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn restore(&mut self, folder: &Path) -> Result<()> {
        self.faces = packed::read(&folder.join(FILE_NAME))?;
        Ok(())
    }

    /// Steadies all boxes, when the whole video has been seen.
    pub(super) fn smooth(&mut self) {
        self.faces.values_mut().for_each(FaceBoxes::smooth);
    }

    /// The box of a face in a frame; none where it was not seen.
    pub(super) fn face(&self, track: TrackId, source: FrameIndex) -> Option<PixelRect> {
        self.faces.get(&track)?.at(source)
    }
}
