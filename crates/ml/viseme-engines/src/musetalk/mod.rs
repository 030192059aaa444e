//! MuseTalk 1.5: what its reference does around the nets.

pub mod audio;
mod jaw_mask;
pub mod position;

pub use jaw_mask::{CHEEK_WIDTH, jaw_mask};
