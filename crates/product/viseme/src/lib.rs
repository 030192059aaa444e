//! The library: describe a job, plan it, run it.
//!
//! ```no_run
//! let spec = viseme::JobSpec::new("talk.mp4", "speech.wav", "out.mp4");
//! let report = viseme::run(&spec, &viseme_core::Silent)?;
//! assert_eq!(report.output.frames_planned, report.output.frames_written);
//! # Ok::<(), viseme_core::Error>(())
//! ```
//!
//! [`LipsyncService`] chooses the engine by itself, as services do.
//!
//! [`run`] looks at the video once to follow the faces, hears the speech, makes a [`Plan`], and goes through the
//! video a second time to make the mouths. [`Runner`] is the same with engine and face nets of the caller's choice.

mod analyse;
mod batch;
mod cache;
mod clip;
mod contact_sheet;
mod enhance;
mod evidence;
mod faces;
mod foreseen;
mod html_report;
mod inputs;
mod job;
mod lines;
mod loops;
mod mask;
mod memory;
mod offset;
mod order;
mod people;
mod picture;
mod plan;
mod registry;
mod render;
mod report;
mod resume;
mod runner;
mod runners;
mod score;
mod service;
mod source;
mod speakers;
mod speaking;
mod spec;
mod summary;
mod threads;
mod ticks;
mod times;
mod turns;
mod untouched;
mod voices;

pub use batch::{
    BatchObserver, BatchReport, BatchResult, BatchStatus, BatchSummary, Failure, JobStatus, read_list,
    run_batch,
};
pub use cache::{AnalysisCache, CacheInfo, CacheUse};
pub use enhance::{EnhanceChoice, EnhancerName, WhenMissing};
pub use faces::{FaceLine, FacesLine, FacesSpec, FacesSummary, faces};
pub use lines::Line;
pub use loops::interpolators::InterpolatorChoice;
pub use loops::{DEFAULT_CROSSFADE_FRAMES, LoopFacts, LoopMode, LoopShape, MAX_CROSSFADE_FRAMES};
pub use offset::{OffsetMeter, OffsetMode, OffsetReport, OffsetSpec, ResultOffset, offset};
pub use people::{Character, FaceResult, FacesReport, UnknownFace};
pub use plan::{Blend, FacePlan, Plan, PlanInput, PlannedFrame, plan};
pub use registry::{EngineEntry, EngineOption, engines};
pub use report::{InputFacts, OutputFacts, REPORT_VERSION, Report, SpeechFacts, TrackReport, TrackSummary};
pub use resume::Checkpoints;
pub use runner::{Runner, run, run_resumable};
pub use runners::RunnerPool;
pub use score::{
    Missing, MissingReason, SCORE_VERSION, ScoreReport, ScoreSpec, SyncNetScore, SyncNetState, TrackScore,
    score,
};
pub use service::{LipsyncQuality, LipsyncService, LipsyncSettings, Lipsynced, Method, RemoteLipsync};
pub use speakers::Speakers;
pub use speaking::{HeardFrom, SpeakerSenseChoice, SpeakerTurnReport, SpeakersReport};
pub use spec::{EncodeOptions, EngineChoice, JobSpec, SPEC_VERSION, StillOptions};
pub use threads::give_way;
pub use times::FrameTimes;
pub use viseme_engines::EnhanceArea;
pub use viseme_face::{DEFAULT_SMOOTHING, DetectorChoice, FaceChoice, Weights};
pub use viseme_media::VideoCodec as Codec;
pub use viseme_models::{PlacedModel, RuntimeRequest};
pub use voices::LineReport;
