//! Where the points of a face lie in a frame and where they go.

use super::shape::{MouthShape, mouth_of, opening};
use super::study::GUIDES;
use std::ops::Range;
use viseme_core::geometry::{PixelRect, Rect, Vec2};
use viseme_face::points::{INNER_LOWER_LIP, INNER_UPPER_LIP, LIP_COUNT, MOUTH_COUNT, OUTER_UPPER_LIP};
use viseme_face::{FaceObservation, HeadPose};
use viseme_imaging::{ControlPoint, DisplacementField, Frame, smoothstep};

/// Points of the upper face that hold still, as positions among our landmarks: nose, eyes, brows, temples and the
/// cheek bones (`FaceMesh` 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 33, 133, 362, 263, 145, 374, 159, 386, 70,
/// 300, 105, 334, 9, 151, 50, 280, 101, 330, 118, 347, 117, 346, 123, 352, 116, 345, 227, 447, 234, 454, 93, 323).
const HELD: [usize; 44] = [
    89, 90, 91, 92, 93, 114, 113, 115, 111, 112, 109, 110, 85, 86, 87, 88, 131, 132, 133, 134, 121, 122, 135,
    136, 116, 118, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 107, 108, 129, 124,
];

/// The outline of the face from the forehead clockwise (`FaceMesh` 10, 338, 297, … 109), as positions among ours.
const OVAL: [usize; 36] = [
    94, 96, 98, 100, 102, 104, 123, 106, 108, 124, 125, 126, 52, 51, 49, 50, 48, 47, 46, 44, 45, 43, 42, 41,
    40, 127, 128, 129, 107, 130, 105, 103, 101, 99, 97, 95,
];
/// The tip of the nose (`FaceMesh` 4), from which the outline is widened.
const NOSE_TIP: usize = 114;
/// The outline widened so much goes with the head by that share: the hair does, the background does not.
const AROUND: [(f32, f32); 3] = [(1.38, 1.0), (1.75, 0.4), (2.2, 0.0)];
/// Lid points that are not among the held ones (`FaceMesh` 160, 158, 153, 144, 385, 387, 373, 380).
const LIDS: Range<usize> = 151..159;

/// Between lips nearer than the first, in canonical units, there is only a line to be seen; from the second on teeth are.
const TEETH_OPENING: (f32, f32) = (0.06, 0.09);

/// Room around the moving points that their motion dies out in, in canonical units.
const REACH: f32 = 0.5;
/// Nodes of the displacement field per canonical unit.
const NODES_PER_UNIT: f32 = 12.0;

/// A face about to be changed.
#[derive(Debug)]
pub(super) struct Placement {
    /// The mouth points as they are, in pixels of the frame.
    current: [Vec2; MOUTH_COUNT],
    /// The mouth points as they would be if only the head moved.
    pub(super) carried: [Vec2; MOUTH_COUNT],
    /// The mouth points as they shall be.
    pub(super) target: [Vec2; MOUTH_COUNT],
    /// The [`GUIDES`] as they shall be.
    pub(super) guides: [Vec2; GUIDES.len()],
    /// The mouth as it is, in canonical units.
    pub(super) present: MouthShape,
    /// The target in canonical units.
    pub(super) shape: MouthShape,
    /// Where the head shall be.
    pub(super) pose: HeadPose,
    /// Pixels per canonical unit.
    pub(super) scale_px: f32,
    /// What goes with the head, and what holds still.
    anchors: Vec<ControlPoint>,
    /// Whether the head itself moves.
    sways: bool,
}

impl Placement {
    /// The face with the mouth `shape`, or a share `strength` (0 to 1) of the way to it.
    pub(super) fn new(face: &FaceObservation, shape: &MouthShape, strength: f32) -> Self {
        Self::swaying(face, face, shape, strength)
    }

    /// The face with the mouth `shape` and the head as `held` has it.
    pub(super) fn swaying(
        face: &FaceObservation,
        held: &FaceObservation,
        shape: &MouthShape,
        strength: f32,
    ) -> Self {
        let present = mouth_of(face);
        let shape: MouthShape = std::array::from_fn(|i| present[i] + (shape[i] - present[i]) * strength);
        Self {
            current: std::array::from_fn(|i| face.points[i].xy()),
            carried: std::array::from_fn(|i| held.points[i].xy()),
            target: std::array::from_fn(|i| held.pose.image_from_canonical(shape[i]).xy()),
            present,
            shape,
            pose: held.pose,
            guides: GUIDES.map(|i| held.points[i].xy()),
            scale_px: face.pose.scale_px,
            anchors: anchors(face, held),
            sways: face != held,
        }
    }

    /// The part of the frame that may change, on chroma samples.
    pub(super) fn region(&self, frame: &Frame) -> PixelRect {
        if self.sways {
            return pixels_around(self.anchors.iter().map(|anchor| anchor.target), 0.0, frame);
        }
        pixels_around(self.current.iter().chain(&self.target).copied(), REACH * self.scale_px, frame)
    }

    /// The part of the frame that the overlay of the mouth may change, on chroma samples.
    pub(super) fn mouth_region(&self, margin: f32, frame: &Frame) -> PixelRect {
        pixels_around(self.target[..LIP_COUNT].iter().copied(), margin * self.scale_px, frame)
    }

    /// The warp of lips, jaw, chin and cheeks, everything else held.
    pub(super) fn field(&self, region: PixelRect) -> DisplacementField {
        let moving =
            self.target.iter().zip(&self.current).map(|(&target, &source)| ControlPoint { target, source });
        let points: Vec<ControlPoint> = moving.chain(self.anchors.iter().copied()).collect();
        // Lids are finer than jaws.
        let nodes = if self.sways { 2.0 * NODES_PER_UNIT } else { NODES_PER_UNIT };
        DisplacementField::mls_similarity(&points, region, self.scale_px / nodes)
    }

    /// A lip line of the target as a closed polygon: `upper` from left to right, then `lower` from right to left.
    pub(super) fn outline(&self, upper: Range<usize>, lower: Range<usize>) -> Vec<Vec2> {
        self.target[upper].iter().chain(self.target[lower].iter().rev()).copied().collect()
    }

    /// The part of the picture above the line on which the target's lips meet, as a closed polygon: the line runs
    /// through the corners of the mouth and on to both sides.
    pub(super) fn above_the_seam(&self) -> Vec<Vec2> {
        let (left, right) = (self.target[OUTER_UPPER_LIP.start], self.target[OUTER_UPPER_LIP.end - 1]);
        let across = (right - left) * (1.0 / (right - left).length().max(1.0));
        let up = Vec2::new(across.y, -across.x) * self.scale_px;
        let beside = across * self.scale_px;
        let middle = INNER_UPPER_LIP.skip(1).zip(INNER_LOWER_LIP);
        let seam = middle.map(|(upper, lower)| (self.target[upper] + self.target[lower]) * 0.5);
        let mut polygon = vec![left - beside + up, left - beside, left, self.target[INNER_UPPER_LIP.start]];
        polygon.extend(seam);
        polygon.extend([self.target[INNER_UPPER_LIP.end - 1], right, right + beside, right + beside + up]);
        polygon
    }

    /// How far the target's lips are apart, in canonical units.
    pub(super) fn opening(&self) -> f32 {
        opening(&self.shape)
    }

    /// How much of the present mouth's inside is worth showing, 0 to 1.
    pub(super) fn own_inside(&self) -> f32 {
        smoothstep(TEETH_OPENING.0, TEETH_OPENING.1, opening(&self.present))
    }

    /// Distance of the corners of the target's mouth, in pixels.
    pub(super) fn mouth_width(&self) -> f32 {
        (self.target[OUTER_UPPER_LIP.end - 1] - self.target[OUTER_UPPER_LIP.start]).length()
    }
}

/// The upper face and rings around the head, from where `face` has them to where `held` does.
fn anchors(face: &FaceObservation, held: &FaceObservation) -> Vec<ControlPoint> {
    let point = |i: usize| ControlPoint { target: held.points[i].xy(), source: face.points[i].xy() };
    let nose = face.points[NOSE_TIP].xy();
    let sways = face != held;
    // The outermost ring is only needed to stop a head that moves.
    let rings = AROUND.iter().take(if sways { 3 } else { 2 }).flat_map(|&(widening, share)| {
        OVAL.iter().map(move |&i| {
            let motion = held.points[i].xy() - face.points[i].xy();
            let source = nose + (face.points[i].xy() - nose) * widening;
            ControlPoint { target: source + motion * share, source }
        })
    });
    let lids = LIDS.take(if sways { LIDS.len() } else { 0 });
    HELD.iter().copied().chain(lids).map(point).chain(rings).collect()
}

fn pixels_around(points: impl Iterator<Item = Vec2>, margin: f32, frame: &Frame) -> PixelRect {
    Rect::bounding(points).map_or_else(PixelRect::default, |rect| {
        rect.expanded(margin).to_pixels(frame.width, frame.height).aligned(
            frame.format.alignment(),
            frame.width,
            frame.height,
        )
    })
}
