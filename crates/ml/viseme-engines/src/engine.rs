//! The seam between the runner and a local engine.
//!
//! A job goes through four phases, in this order: [`study`](EngineJob::study) sees every frame of the source once,
//! [`listen`](EngineJob::listen) hears every voice once from its start to its end, [`prepare`](EngineJob::prepare)
//! learns who speaks which voice and which source frames were chosen for the output, and
//! [`synthesize`](EngineJob::synthesize) makes the mouths, those of several frames at a time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use viseme_core::{Error, FrameIndex, Result};
use viseme_face::{FaceObservation, TrackId};
use viseme_imaging::{ColourInfo, Frame, Patch, PixelFormat};

/// What an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The name on the command line: `native`.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// Sample rate of the speech that it listens to, in Hz.
    pub sample_rate_hz: u32,
    /// Frames that are best asked for at one time, each on a thread of its own: the batch of its net. 1 where nothing is
    /// gained but that every core is busy, which is seen to anyway.
    pub at_once: usize,
}

/// What is the same for every frame of a job.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Columns of the source picture.
    pub width: u32,
    /// Rows of the source picture.
    pub height: u32,
    /// Layout of the source planes.
    pub format: PixelFormat,
    /// What the source samples mean.
    pub colour: ColourInfo,
    /// A folder that belongs to this job alone, for what does not fit in memory. The runner removes it.
    pub work_dir: PathBuf,
    /// Whether the source is a single picture.
    pub is_still: bool,
}

/// A voice of a job: a speech from the start of the output on, with silence where nobody speaks it. Any number of faces
/// may speak one voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoiceId(pub u32);

impl VoiceId {
    /// The speech that the whole job is about, where there is one.
    pub const MAIN: Self = Self(0);
}

/// One mouth to be made: which face of which source frame speaks at which time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedMouth {
    /// The frame of the output, from 0.
    pub output: FrameIndex,
    /// The source frame that it shows.
    pub source: FrameIndex,
    /// The moment of the voice, in seconds from its start.
    pub speech_s: f64,
}

/// All mouths of one track, in output order.
#[derive(Debug, Clone, PartialEq)]
pub struct MouthPlan {
    /// The face.
    pub track: TrackId,
    /// The voice that it speaks.
    pub voice: VoiceId,
    /// Its mouths.
    pub mouths: Vec<PlannedMouth>,
}

/// One mouth to be made now.
#[derive(Debug)]
pub struct MouthRequest<'a> {
    /// The face.
    pub track: TrackId,
    /// Which of the planned mouths this is.
    pub planned: PlannedMouth,
    /// The source frame, as decoded.
    pub frame: &'a Frame,
    /// The face in that frame, smoothed over time.
    pub face: &'a FaceObservation,
    /// How much of the effect to apply, 0 to 1: the runner fades it at the ends of segments.
    pub strength: f32,
}

/// What the engine heard of a voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechSummary {
    /// Its length in seconds.
    pub duration_s: f64,
    /// How much of it is voice, in seconds.
    pub voiced_s: f64,
}

/// An engine that runs on this machine.
pub trait LocalEngine: Debug + Send + Sync {
    /// What it is.
    fn info(&self) -> &EngineInfo;

    /// Starts a job. All state of the job lives in what is returned.
    ///
    /// # Errors
    /// When the work folder cannot be used.
    fn begin(&self, context: JobContext) -> Result<Box<dyn EngineJob>>;

    /// What its studies depend on besides the video and the program: where two engines of one name say the same, a job of
    /// one goes on from what a job of the other [has kept](EngineJob::save_study). `None` where nothing can be kept.
    fn study_key(&self) -> Option<String> {
        None
    }
}

/// One job of an engine.
pub trait EngineJob: Debug + Send + Sync {
    /// Sees a face of a source frame. Frames come in presentation order, each at most once per track, with the
    /// tracker's unsmoothed observation.
    ///
    /// # Errors
    /// When what it keeps of the frame cannot be stored.
    fn study(
        &mut self,
        index: FrameIndex,
        frame: &Frame,
        track: TrackId,
        face: &FaceObservation,
    ) -> Result<()>;

    /// Keeps what was studied of the whole source in `folder`, which is its own. Asked for after the last
    /// [`study`](Self::study), if at all.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save_study(&mut self, folder: &Path) -> Result<()> {
        Err(Error::internal(format!("nothing to keep in {}", folder.display())))
    }

    /// Goes on from what another job kept, in place of studying. `folder` is read to the end of the job and never
    /// written.
    ///
    /// # Errors
    /// When it cannot be read. Nothing of it is then taken over: the source can still be studied.
    fn restore_study(&mut self, folder: &Path) -> Result<()> {
        Err(Error::internal(format!("nothing was kept in {}", folder.display())))
    }

    /// Hears the next samples of a voice: mono, −1 to 1, at the engine's sample rate. Voices come one after the other
    /// or by turns.
    ///
    /// # Errors
    /// When the features cannot be computed.
    fn listen(&mut self, voice: VoiceId, samples: &[f32]) -> Result<()>;

    /// Nobody speaks a voice for so many samples: before one of its lines, or between two. To be heard as silence.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    fn rest(&mut self, voice: VoiceId, samples: u64) -> Result<()>;

    /// Ends studying and listening, and learns what will be asked for. Says what was heard of every voice, also of one
    /// that nobody speaks.
    ///
    /// # Errors
    /// When the mouth motion cannot be computed, or a plan has a voice that was never heard.
    fn prepare(&mut self, plans: &[MouthPlan]) -> Result<BTreeMap<VoiceId, SpeechSummary>>;

    /// Makes the mouths of a frame: exactly one answer per request, in order. `None` leaves that face as it is (nothing to
    /// change). Several threads ask at once, each for a frame of its own.
    ///
    /// What is made of a request follows from it and from what was prepared, never from other requests: frames come in any
    /// order, and a job that was ended goes on in the middle, to the same bytes.
    ///
    /// # Errors
    /// When a mouth cannot be made.
    fn synthesize(&self, requests: &[MouthRequest<'_>]) -> Result<Vec<Option<Patch>>>;
}

/// The error for a voice that somebody is to speak and nobody has heard.
pub(crate) fn never_heard(voice: VoiceId) -> Error {
    Error::internal(format!("voice {} was never heard", voice.0))
}

/// The error for a face that speaks without having been planned.
pub(crate) fn never_planned(track: TrackId) -> Error {
    Error::internal(format!("face {} was never planned", track.0))
}
