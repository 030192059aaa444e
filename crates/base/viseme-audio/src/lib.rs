//! Resampling, mel features, voice activity and loudness of mono sound. Pure computation: no I/O, no global state.

pub mod loudness;
pub mod mel;
pub mod resample;
pub mod voice;

pub use loudness::LoudnessMeter;
pub use mel::{LogMel, MelFrame};
pub use resample::Resampler;
pub use voice::{VoiceSegment, detect_voice, voice_segments};
