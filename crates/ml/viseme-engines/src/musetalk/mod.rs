//! `MuseTalk` 1.5: what surrounds its nets.

mod jaw_mask;

pub use jaw_mask::{CHEEK_WIDTH, jaw_mask};
