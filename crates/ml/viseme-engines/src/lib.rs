//! The engines that make a mouth speak. An engine does not fall back, read media or write video: it studies the
//! source, listens to the speech, and answers each request with one patch.

pub mod engine;
pub mod enhance;
pub mod interpolation;
pub mod liveportrait;
pub mod metrics;
pub mod musetalk;
pub mod native;
pub mod speaking;
#[cfg(test)]
mod testing;
mod voice;
pub mod wav2lip;

pub use engine::{
    EngineInfo, EngineJob, JobContext, LocalEngine, MouthPlan, MouthRequest, PlannedMouth, SpeechSummary,
    VoiceId,
};
pub use enhance::{EnhanceArea, EnhanceOptions, EnhanceRequest, Enhancement, FaceEnhancer};
pub use interpolation::{FrameInterpolator, Rife};
pub use native::{ExpectedMouth, NativeEngine, NativeOptions};
pub use voice::{Rests, silence};
pub use wav2lip::{Profile, Wav2LipEngine, Wav2LipOptions};
