//! The three calls of a lip-sync service: one video, many, and how good one is. What makes the mouths is chosen by what there
//! is and what it costs.
//!
//! ```no_run
//! use viseme::{LipsyncService, Method};
//! let service = LipsyncService::from_environment()?;
//! let (video, audio) = ("talk.mp4".as_ref(), "speech.wav".as_ref());
//! let done = service.generate_lipsync(video, audio, "out.mp4".as_ref(), Method::Auto, &viseme_core::Silent)?;
//! println!("{} for {} USD", done.method_used, done.cost_usd);
//! # Ok::<(), viseme_core::Error>(())
//! ```

mod batch;
mod local;
mod method;
mod quality;
mod remote;
mod result;
mod settings;

pub use method::Method;
pub use quality::LipsyncQuality;
pub use remote::RemoteLipsync;
pub use result::Lipsynced;
pub use settings::LipsyncSettings;

use crate::spec::JobSpec;
use local::{LocalChoice, LocalEngines};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme_core::{Error, ErrorKind, Observer, Result, Warning, WarningCode};
use viseme_media::{Tools, probe};

/// Speech shorter than this is worth its price at a remote engine; from here on it is made on this machine.
const LOCAL_FROM_S: f64 = 30.0;

/// Makes lips follow speech, with what is best. One service does any number of calls, also at a time; what it has loaded
/// stays for the next.
#[derive(Debug)]
pub struct LipsyncService {
    settings: LipsyncSettings,
    remote: Option<Arc<dyn RemoteLipsync>>,
    local: LocalEngines,
}

/// What may make a result, in the order in which it is tried.
#[derive(Debug)]
enum Step {
    Remote(Arc<dyn RemoteLipsync>),
    Local(LocalChoice),
}

impl Step {
    fn name(&self) -> &str {
        match self {
            Self::Remote(remote) => remote.name(),
            Self::Local(choice) => choice.engine(),
        }
    }
}

/// Why a step gave no result.
#[derive(Debug)]
struct Failed {
    error: Error,
    /// Whether the next step may do what this one could not.
    may_pass_on: bool,
}

impl LipsyncService {
    /// A service with engines of this machine alone.
    #[must_use]
    pub fn new(settings: LipsyncSettings) -> Self {
        Self { settings, remote: None, local: LocalEngines::default() }
    }

    /// The service that the environment describes: see [`LipsyncSettings::from_environment`].
    ///
    /// # Errors
    /// `InvalidInput` for a variable that says nothing.
    pub fn from_environment() -> Result<Self> {
        Ok(Self::new(LipsyncSettings::from_environment()?))
    }

    /// The same, with a remote engine: [`Method::HeyGen`], and the first choice of [`Method::Auto`] for short speech.
    #[must_use]
    pub fn with_remote(self, remote: Arc<dyn RemoteLipsync>) -> Self {
        Self { remote: Some(remote), ..self }
    }

    /// Makes the lips of `video` follow the speech of `audio`, and writes the result to `output`.
    ///
    /// [`Method::Auto`] takes the remote engine for speech of less than 30 s, else Wav2Lip where its weights are there,
    /// else the built-in engine. Where one cannot do it the next one does, and `warnings` says so.
    ///
    /// # Errors
    /// `NotFound` for an input that is not there; `TimedOut` when the remote engine was too slow; `Unsupported` for
    /// [`Method::HeyGen`] where there is no remote engine; `Cancelled` when the observer said so; otherwise whatever the
    /// engine failed with. Nothing lies at `output` then.
    pub fn generate_lipsync(
        &self,
        video: &Path,
        audio: &Path,
        output: &Path,
        method: Method,
        observer: &dyn Observer,
    ) -> Result<Lipsynced> {
        let spec = self.spec(video, audio, output);
        spec.validate()?;
        self.make_folder(&spec.output)?;
        let (steps, warnings) = self.steps(&spec, method, true)?;
        self.take(steps, &spec, warnings, observer)
    }

    /// How good a finished video is: its lips against its own sound, its sound and its picture.
    ///
    /// # Errors
    /// As [`score`](crate::score).
    pub fn check_lipsync_quality(&self, output: &Path, observer: &dyn Observer) -> Result<LipsyncQuality> {
        let report = crate::score(&crate::ScoreSpec::new(self.placed(output)), observer)?;
        Ok(LipsyncQuality::of(report))
    }

    /// Takes the steps, one after the other, until one gives a result.
    fn take(
        &self,
        steps: Vec<Step>,
        spec: &JobSpec,
        mut warnings: Vec<Warning>,
        observer: &dyn Observer,
    ) -> Result<Lipsynced> {
        for warning in &warnings {
            observer.warn(warning);
        }
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            match (self.make(&step, spec, observer), steps.peek()) {
                (Ok(done), _) => return Ok(done.after(warnings)),
                (Err(Failed { error, may_pass_on: true }), Some(next)) => {
                    let (failed, next) = (step.name(), next.name());
                    let message = format!("{failed} could not do it ({error}): {next} does");
                    let warning = Warning::new(WarningCode::FellBack, message);
                    observer.warn(&warning);
                    warnings.push(warning);
                }
                (Err(failed), _) => return Err(failed.error),
            }
        }
        Err(Error::internal("there was no engine to try"))
    }

    fn make(&self, step: &Step, spec: &JobSpec, observer: &dyn Observer) -> Result<Lipsynced, Failed> {
        match step {
            Step::Remote(remote) => {
                let made = remote::generate(remote.as_ref(), spec, self.settings.retry_wait, observer);
                made.map_err(|error| Failed { may_pass_on: !ends_all(&error), error })
            }
            Step::Local(choice) => {
                let opened = self.local.open(choice, spec);
                let (runner, spec) = opened.map_err(|error| Failed { error, may_pass_on: true })?;
                match runner.run(&spec, observer) {
                    Ok(report) => {
                        Ok(Lipsynced::local(choice.engine(), report, self.settings.gpu_usd_per_hour))
                    }
                    // Inputs that this engine cannot use are of no use to the next one.
                    Err(error) => Err(Failed { may_pass_on: error.kind() == ErrorKind::Internal, error }),
                }
            }
        }
    }

    /// What is to be tried for a job, and what there is to say of that. A batch is made on this machine: `is_single` says
    /// that it is none.
    fn steps(&self, spec: &JobSpec, method: Method, is_single: bool) -> Result<(Vec<Step>, Vec<Warning>)> {
        let (mut steps, mut warnings) = (Vec::new(), Vec::new());
        match (&self.remote, method) {
            (Some(remote), Method::HeyGen) => return Ok((vec![Step::Remote(Arc::clone(remote))], warnings)),
            (None, Method::HeyGen) => {
                return Err(Error::new(ErrorKind::Unsupported, "this version cannot use HeyGen")
                    .with_hint("Take the method auto, or an engine of this machine: wav2lip, native."));
            }
            (Some(remote), Method::Auto) if is_single && speech_s(spec)? < LOCAL_FROM_S => {
                steps.push(Step::Remote(Arc::clone(remote)));
            }
            (None, Method::Auto) if self.settings.has_heygen_key => warnings.push(Warning::new(
                WarningCode::FellBack,
                "HEYGEN_API_KEY is set, but this version cannot use HeyGen: an engine of this machine does it",
            )),
            _ => {}
        }
        let choices = local::choices(method, self.settings.wav2lip_checkpoint.as_deref());
        steps.extend(choices.into_iter().map(Step::Local));
        Ok((steps, warnings))
    }

    fn spec(&self, video: &Path, audio: &Path, output: &Path) -> JobSpec {
        let mut spec = JobSpec::new(video, audio, self.placed(output));
        spec.runtime.device = self.settings.device();
        spec
    }

    /// A name without a folder is one in the folder for outputs.
    fn placed(&self, output: &Path) -> PathBuf {
        let has_folder = output.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
        match &self.settings.output_folder {
            Some(folder) if !has_folder => folder.join(output),
            _ => output.to_owned(),
        }
    }

    /// Makes the folder for outputs, when `output` lies in it. Other folders are the caller's.
    fn make_folder(&self, output: &Path) -> Result<()> {
        match (&self.settings.output_folder, output.parent()) {
            (Some(folder), Some(parent)) if folder == parent => std::fs::create_dir_all(folder)
                .map_err(|error| Error::io(format!("make the folder {}", folder.display()), error)),
            _ => Ok(()),
        }
    }
}

/// Whether nothing can make a result: there is no place for it, or nobody wants it any more.
fn ends_all(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::OutputNotWritable | ErrorKind::DiskFull)
}

/// How long the speech of a job is.
fn speech_s(spec: &JobSpec) -> Result<f64> {
    let tools = Tools::locate()?;
    let lengths = spec.speeches().map(|speech| Ok(probe(&tools, speech, &spec.limits)?.duration_s));
    lengths.sum()
}
