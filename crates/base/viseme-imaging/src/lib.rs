//! Planar frames, resampling, warps, masks and colour matching. Pure functions: no I/O, no global state.

pub mod colour;
pub mod frame;
pub mod patch;

pub use colour::{ColourInfo, ColourMatrix, ColourRange};
pub use frame::{ChromaSampling, Frame, PixelFormat, Plane, Samples};
pub use patch::{Patch, PatchPlane};
