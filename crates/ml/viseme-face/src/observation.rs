//! What is known of one face in one frame.

use crate::HeadPose;
use crate::points::POINT_COUNT;
use serde::{Deserialize, Serialize};
use viseme_core::geometry::{Rect, Vec3};

/// Names one face through the frames in which it is followed without a break. Counted from 0 in order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u32);

/// A face found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceObservation {
    /// The landmarks in pixels of the source frame, z in the same unit (smaller is nearer), in the order of
    /// [`points`](crate::points).
    pub points: Box<[Vec3; POINT_COUNT]>,
    /// Where the head is and how it is turned.
    pub pose: HeadPose,
    /// The box around all landmarks, in pixels.
    pub bbox: Rect,
    /// How sure the landmark net is that it looks at a well-framed face, 0 to 1.
    pub presence: f32,
    /// How sure the mouth net is that nothing covers the lips, 0 to 1.
    pub mouth_visible: f32,
}

impl FaceObservation {
    /// Completes landmarks with what follows from them: head pose and box.
    ///
    /// `None` when they have no pose: not finite, or all in one place.
    #[must_use]
    pub fn new(points: Box<[Vec3; POINT_COUNT]>, presence: f32, mouth_visible: f32) -> Option<Self> {
        let pose = HeadPose::fit(&points)?;
        let bbox = Rect::bounding(points.iter().map(|p| p.xy()))?;
        Some(Self { points, pose, bbox, presence, mouth_visible })
    }
    /// The face `share` (0 to 1) of the way from this one to `other`, landmark by landmark. `None` when those landmarks
    /// have no pose.
    #[must_use]
    pub fn towards(&self, other: &Self, share: f32) -> Option<Self> {
        let mix = |a: f32, b: f32| a + (b - a) * share;
        let points = std::array::from_fn(|i| self.points[i] + (other.points[i] - self.points[i]) * share);
        let presence = mix(self.presence, other.presence);
        Self::new(Box::new(points), presence, mix(self.mouth_visible, other.mouth_visible))
    }
}
