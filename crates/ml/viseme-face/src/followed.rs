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
/// Of two boxes that share more than this part of the smaller one, one is no face of its own: two tracks have run
/// together, or the nets see a small face in an open mouth.
const SHARED_PART: f32 = 0.55;
/// A new face is watched for this many frames on end, by the detector too, before it counts.
const PROBATION_FRAMES: u32 = 4;
/// What it must reach by then: mean certainty of the detector, of the landmark net, and the best of the mouth net.
/// Shoes, pictures on shirts and dark corners of a stage reach one or two of the three.
const PROBATION_SCORE: f32 = 0.5;
const PROBATION_PRESENCE: f32 = 0.85;
const PROBATION_VISIBLE: f32 = 0.2; // the net gives about 0.1 where it sees no mouth at all

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
    score_sum: f32,
    presence_sum: f32,
    best_visible: f32,
}

impl Followed {
    /// A face that the detector found in this frame.
    pub(crate) fn new(face: FaceObservation, score: f32, id: Option<TrackId>) -> Self {
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
            score_sum: score,
            presence_sum: face.presence,
            best_visible: face.mouth_visible,
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
        self.presence_sum += face.presence;
        self.best_visible = self.best_visible.max(face.mouth_visible);
        self.missed = 0;
        self.face = Some(face);
    }

    /// Whether a box shows this face, going by where it is or was last.
    pub(crate) fn is_in(&self, bbox: &Rect) -> bool {
        self.bbox.iou(bbox) > SAME_FACE_IOU
    }

    /// Whether this face and the one in a box are too far into each other to be two.
    pub(crate) fn is_one_with(&self, bbox: &Rect) -> bool {
        shared_part(&self.bbox, bbox) > SHARED_PART
    }

    /// Notes that the detector sees it in the current frame, with this certainty.
    pub(crate) fn support(&mut self, score: f32) {
        self.unsupported = 0;
        self.sightings += 1;
        self.score_sum += score;
    }

    /// Whether a face on probation has been watched for long enough to decide.
    pub(crate) fn is_due(&self) -> bool {
        self.id.is_none() && self.seen >= PROBATION_FRAMES
    }

    /// Whether it is to be believed.
    pub(crate) fn has_proved_itself(&self) -> bool {
        self.score_sum >= PROBATION_SCORE * self.sightings as f32
            && self.presence_sum >= PROBATION_PRESENCE * self.seen as f32
            && self.best_visible >= PROBATION_VISIBLE
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

/// How much of the smaller of two boxes lies in the other, 0 to 1.
fn shared_part(a: &Rect, b: &Rect) -> f32 {
    let iou = a.iou(b);
    let (area_a, area_b) = (a.width * a.height, b.width * b.height);
    // Of iou = common / (a + b - common).
    let common = iou * (area_a + area_b) / (1.0 + iou);
    let smaller = area_a.min(area_b);
    if smaller > 0.0 { common / smaller } else { 0.0 }
}
