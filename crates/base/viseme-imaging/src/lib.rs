//! Planar frames, resampling, warps, masks and colour matching. Pure functions: no I/O, no global state.
//!
//! Everything runs on the calling thread; frames are worked on side by side by the caller. Positions are in pixels with
//! pixel centres at integers. Samples that go back into a video stay in the planes of their frame, as floats on the
//! scale of the format; only what the nets look at is converted to RGB.

#![expect(clippy::cast_possible_wrap, reason = "sizes of planes are u32: they fit an i64 with room to spare")]

mod blur;
pub mod colour;
pub mod composite;
pub mod crop;
pub mod field;
pub mod flow;
pub mod frame;
pub mod from_rgb;
pub mod image;
pub mod image_u8;
pub mod opencv;
pub mod patch;
pub mod polygon;
mod resize;
mod rgb;
pub mod rgb_image;
mod sample;
pub mod simd;
pub mod siting;
pub mod tone;
pub mod warp;

pub use colour::{ColourInfo, ColourMatrix, ColourRange};
pub use composite::composite;
pub use crop::{Letterbox, crop_gray, crop_rgb, letterbox_rgb};
pub use field::{ControlPoint, DisplacementField};
pub use flow::{Motion, MotionGuess};
pub use frame::{ChromaSampling, Frame, PixelFormat, Plane, Samples};
pub use from_rgb::planes_from_rgb;
pub use image::ImageF32;
pub use image_u8::ImageU8;
pub use patch::{Patch, PatchPlane, mask_of_plane};
pub use polygon::{polygon_coverage, polygon_distance, smoothstep};
pub use rgb_image::{rgb_image, rgb_part, rgb_planes};
pub use siting::PlaneSiting;
pub use tone::{low_pass_offset, match_sharpness, matching_sigma, sharpness};
pub use warp::{warp_plane, warp_plane_where};
