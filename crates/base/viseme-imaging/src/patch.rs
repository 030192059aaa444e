//! A changed region of a frame, ready to be blended over it: the only thing that an engine hands to the compositor.

use viseme_core::geometry::PixelRect;

/// One plane of a [`Patch`].
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPlane {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// New samples, `width * height`, on the scale of the frame's format (0 to 255 for 8 bits).
    pub values: Vec<f32>,
    /// Weight of each new sample, 0 to 1. Where it is 0 the frame keeps its own sample, bit for bit.
    pub mask: Vec<f32>,
}

/// New samples for a region of a frame, with a soft mask for each plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The region, in pixels of the frame, its edges on chroma samples or on the edge of the frame.
    pub region: PixelRect,
    /// One per colour plane of the frame (alpha is never changed); sizes as `PixelFormat::plane_region` gives them.
    pub planes: Vec<PatchPlane>,
}
