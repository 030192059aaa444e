//! Two people side by side in a clip of [`colours`](crate::clips::colours): each is known by the colour of his half.

use crate::{FakeFace, FakePatch};
use viseme_core::geometry::PixelRect;

/// The face in the middle of the left half, and that of the right one.
pub const FACES: [FakeFace; 2] =
    [FakeFace { x: 80.0, y: 100.0, scale_px: 40.0 }, FakeFace { x: 240.0, y: 100.0, scale_px: 40.0 }];
/// What is painted over the mouth of the left one.
pub const PATCH: FakePatch =
    FakePatch { region: PixelRect { x: 60, y: 130, width: 40, height: 24 }, value: 60.0 };

/// Somebody, in ffmpeg's words.
pub const RED: &str = "0xc83c3c";
/// Somebody else.
pub const GREEN: &str = "0x3cc83c";
/// Somebody else again.
pub const BLUE: &str = "0x3c3ca0";
/// Nobody: what no face has.
pub const WHITE: &str = "0xf0f0f0";
