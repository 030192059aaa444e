//! Wav2Lip: what its reference does around the net.

pub mod boxes;
pub mod chunks;
