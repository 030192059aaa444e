//! Resampling, spectra, mel features, voice activity, loudness and faults of mono sound. Pure computation: no I/O, no global state.
//!
//! Features stand on three parts: [`frames`] cuts the sound, [`stft`] transforms the frames, [`filter_bank`] gathers the bins into
//! bands. [`mel`] is our own feature; [`wav2lip_mel`], [`whisper_mel`] and [`mfcc`] are those of other projects' models.

pub mod bandwidth;
pub mod clipping;
pub mod filter_bank;
pub mod frames;
pub mod loudness;
pub mod mel;
pub mod mfcc;
pub mod resample;
pub mod stft;
pub mod voice;
pub mod wav2lip_mel;
pub mod whisper_mel;

pub use bandwidth::BandwidthMeter;
pub use clipping::ClippingMeter;
pub use frames::Padding;
pub use loudness::LoudnessMeter;
pub use mel::{LogMel, MelFrame};
pub use mfcc::{Mfcc, MfccFrame};
pub use resample::Resampler;
pub use voice::{VoiceSegment, detect_voice, voice_segments};
pub use wav2lip_mel::{MelColumn, Wav2LipMel};
