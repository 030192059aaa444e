//! One face on its way through the frames.

use crate::framing::Framing;
use crate::{FaceObservation, TrackId};
use viseme_core::geometry::{Rect, Vec2};

/// How much of the last motion the next frame is expected to repeat: heads slow down more often than they speed up.
const PERSISTENCE: f32 = 0.7;
/// The farthest that a face may move between two frames against the prediction, in sides of its crop. Beyond, the net
/// has jumped to another face.
const LONGEST_JUMP: f32 = 0.3;
/// A box that overlaps another at least this much shows the same face.
const SAME_FACE_IOU: f32 = 0.3;
/// A face must be seen in this many frames on end, and by the detector in [`SIGHTINGS`] of them, before it counts.
const PROBATION_FRAMES: u32 = 3;
const SIGHTINGS: u32 = 2;

/// A face that the tracker follows.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    /// None while it is on probation.
    pub(crate) id: Option<TrackId>,
    /// The face in the current frame.
    pub(crate) face: Option<FaceObservation>,
    /// How far it was from where it was expected, in sides of its crop.
    pub(crate) jump: f32,
    /// Frames since it was last seen.
    pub(crate) missed: u32,
    /// Frames since the detector last saw it too.
    pub(crate) unsupported: u32,
    framing: Framing,
    bbox: Rect,
    velocity: Vec2,
    seen: u32,
    sightings: u32,
}

impl Followed {
    /// A face that the detector found in this frame.
    pub(crate) fn new(face: FaceObservation, id: Option<TrackId>) -> Self {
        Self {
            id,
            jump: 0.0,
            missed: 0,
            unsupported: 0,
            framing: Framing::of_face(&face.points),
            bbox: face.bbox,
            velocity: Vec2::default(),
            seen: 1,
            sightings: 1,
            face: Some(face),
        }
    }

    /// Begins a frame: nothing is known of it yet.
    pub(crate) fn advance(&mut self) {
        self.face = None;
        self.missed += 1;
        self.unsupported += 1;
    }

    /// Where to look for it in this frame: where its motion takes it, then where it was.
    pub(crate) fn expected(&self) -> [Framing; 2] {
        let moved = Framing { center: self.framing.center + self.velocity, ..self.framing };
        [moved, self.framing]
    }

    /// Whether `face` can be this one, going by its place.
    pub(crate) fn can_be(&self, face: &FaceObservation) -> bool {
        self.jump_to(&Framing::of_face(&face.points)) <= LONGEST_JUMP
    }

    /// Takes `face` as this one in the current frame.
    pub(crate) fn update(&mut self, face: FaceObservation) {
        let framing = Framing::of_face(&face.points);
        self.jump = self.jump_to(&framing);
        let step = (framing.center - self.framing.center) * (PERSISTENCE / self.missed.max(1) as f32);
        self.velocity = if self.seen > 0 { step } else { Vec2::default() };
        self.framing = framing;
        self.bbox = face.bbox;
        self.seen += 1;
        self.missed = 0;
        self.face = Some(face);
    }

    /// Whether a box shows this face, going by where it is or was last.
    pub(crate) fn is_in(&self, bbox: &Rect) -> bool {
        self.bbox.iou(bbox) > SAME_FACE_IOU
    }

    /// Notes that the detector sees it in the current frame.
    pub(crate) fn support(&mut self) {
        self.unsupported = 0;
        self.sightings += 1;
    }

    /// Whether it has been seen often enough to be believed.
    pub(crate) fn has_proved_itself(&self) -> bool {
        self.missed == 0 && self.seen >= PROBATION_FRAMES && self.sightings >= SIGHTINGS
    }

    /// Whether the middle of the face has left the picture.
    pub(crate) fn has_left(&self, width: u32, height: u32) -> bool {
        let center = self.bbox.center();
        !(0.0..=width as f32).contains(&center.x) || !(0.0..=height as f32).contains(&center.y)
    }

    fn jump_to(&self, framing: &Framing) -> f32 {
        let from_motion = (framing.center - self.framing.center - self.velocity).length();
        let from_rest = (framing.center - self.framing.center).length();
        from_motion.min(from_rest) / self.framing.side
    }
}
