//! Where the samples of a plane lie in the picture.

use crate::frame::PixelFormat;
use viseme_core::geometry::Vec2;

/// The position of a plane's samples in pixels of the frame: sample (i, j) lies at `(i * step_x + x, j * step_y + y)`.
///
/// Chroma of 4:2:0 and 4:2:2 is taken as H.264, HEVC, VP9 and AV1 have it unless they say otherwise ("left" siting:
/// on the luma column, between the luma rows); ffmpeg assumes the same. Content with centred chroma (MPEG-1, JPEG)
/// is so read half a luma pixel off in x, for reading and writing alike: nothing shifts in the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneSiting {
    /// Pixels of the frame from one sample to the next, rightwards and downwards.
    pub step: Vec2,
    /// The position of the first sample.
    pub origin: Vec2,
}

impl PlaneSiting {
    /// The siting of plane `plane` of a format.
    #[must_use]
    pub fn of(format: PixelFormat, plane: usize) -> Self {
        let (shift_x, shift_y) = format.plane_shift(plane);
        Self {
            step: Vec2::new((1 << shift_x) as f32, (1 << shift_y) as f32),
            origin: Vec2::new(0.0, if shift_y > 0 { 0.5 } else { 0.0 }),
        }
    }

    /// The position in the frame of a (fractional) position in the plane.
    #[must_use]
    pub fn frame_from_plane(self, p: Vec2) -> Vec2 {
        Vec2::new(p.x * self.step.x + self.origin.x, p.y * self.step.y + self.origin.y)
    }

    /// The (fractional) position in the plane of a position in the frame.
    #[must_use]
    pub fn plane_from_frame(self, p: Vec2) -> Vec2 {
        Vec2::new((p.x - self.origin.x) / self.step.x, (p.y - self.origin.y) / self.step.y)
    }
}
