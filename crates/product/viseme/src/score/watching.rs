//! The picture of a video that is scored, seen once.

use std::collections::BTreeMap;
use viseme_core::Result;
use viseme_engines::metrics::face_meter::{FaceMeasures, FaceMeter};
use viseme_engines::metrics::picture::{PictureMeasures, PictureMeter};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{ColourInfo, Frame};
use viseme_media::VideoInfo;

/// Looks at faces and at pictures per second: what is measured there hardly changes faster.
const FACES_PER_SECOND: f64 = 5.0;
const PICTURES_PER_SECOND: f64 = 1.0;

/// Measures the picture and each of its faces.
#[derive(Debug)]
pub(super) struct Watcher {
    colour: ColourInfo,
    frames: usize,
    /// Frames from one look to the next.
    faces_every: usize,
    pictures_every: usize,
    picture: PictureMeter,
    faces: BTreeMap<TrackId, FaceMeter>,
}

impl Watcher {
    pub(super) fn new(info: &VideoInfo) -> Self {
        let every =
            |per_second: f64| ((info.average_frame_rate.value() / per_second).round() as usize).max(1);
        Self {
            colour: info.colour.clone(),
            frames: 0,
            faces_every: every(FACES_PER_SECOND),
            pictures_every: every(PICTURES_PER_SECOND),
            picture: PictureMeter::default(),
            faces: BTreeMap::new(),
        }
    }

    /// Sees the next frame.
    ///
    /// # Errors
    /// When a face cannot be cut out.
    pub(super) fn see(&mut self, frame: &Frame, faces: &[(TrackId, FaceObservation)]) -> Result<()> {
        if self.frames.is_multiple_of(self.pictures_every) {
            self.picture.push(frame, &self.colour);
        }
        for (track, face) in faces {
            let meter = self.faces.entry(*track).or_default();
            meter.follow(face);
            if self.frames.is_multiple_of(self.faces_every) {
                meter.look(frame, &self.colour, face)?;
            }
        }
        self.frames += 1;
        Ok(())
    }

    /// What the picture is like.
    pub(super) fn picture(&self) -> Option<PictureMeasures> {
        self.picture.measures()
    }

    /// What a face is like.
    pub(super) fn face(&self, track: TrackId) -> FaceMeasures {
        self.faces.get(&track).map(FaceMeter::measures).unwrap_or_default()
    }
}
