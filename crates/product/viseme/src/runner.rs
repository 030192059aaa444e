//! What jobs are run with.

use crate::cache::{AnalysisCache, Instruments, program};
use crate::enhance;
use crate::job;
use crate::loops::interpolators::Interpolators;
use crate::people::Embedders;
use crate::registry;
use crate::report::Report;
use crate::resume::Checkpoints;
use crate::speaking::Senses;
use crate::spec::JobSpec;
use crate::threads::{guarded, join, spawn};
use std::path::PathBuf;
use std::sync::Arc;
use viseme_core::{Observer, Result, Warning};
use viseme_engines::speaking::{NativeSense, SpeakerSense};
use viseme_engines::{FaceEnhancer, FrameInterpolator, LocalEngine};
use viseme_face::identity::FaceEmbedder;
use viseme_face::{DetectorChoice, FaceNets, InstalledModels, Weights};
use viseme_media::Tools;
use viseme_models::{PlacedModel, Runtime, Runtimes, Store};

/// What jobs are run with: media tools, face nets and an engine. One runner does any number of jobs, also at a time.
#[derive(Debug)]
pub struct Runner {
    pub(crate) tools: Tools,
    pub(crate) nets: FaceNets,
    pub(crate) engine: Box<dyn LocalEngine>,
    /// What makes the faces sharper after the engine.
    pub(crate) enhancer: Option<Arc<dyn FaceEnhancer>>,
    /// What tells people apart, where a job needs it.
    pub(crate) embedders: Embedders,
    /// What tells who speaks, where a job needs it.
    pub(crate) senses: Senses,
    /// What makes the pictures at the boundaries of loops, where a job has any.
    pub(crate) interpolators: Interpolators,
    /// Where each job makes its folder for temporary files.
    pub(crate) temporary: PathBuf,
    /// Where its models run.
    pub(crate) models: Vec<PlacedModel>,
    /// What went less well than it could while they were loaded.
    pub(crate) warnings: Vec<Warning>,
    /// Where analyses are kept from one job to the next.
    pub(crate) cache: Option<AnalysisCache>,
    /// What looks at the video, for the key of an analysis.
    pub(crate) instruments: Instruments,
}

impl Runner {
    /// A runner with tools, nets and engine of the caller's choice.
    #[must_use]
    pub fn new(tools: Tools, nets: FaceNets, engine: Box<dyn LocalEngine>) -> Self {
        Self {
            tools,
            nets,
            engine,
            enhancer: None,
            embedders: Embedders::Given(None),
            senses: Senses::Given(Arc::new(NativeSense)),
            interpolators: Interpolators::Given(None),
            temporary: std::env::temp_dir(),
            models: Vec::new(),
            warnings: Vec::new(),
            cache: None,
            instruments: Instruments::default(),
        }
    }

    /// The same, but `embedder` tells people apart.
    #[must_use]
    pub fn with_embedder(self, embedder: Arc<dyn FaceEmbedder>) -> Self {
        Self { embedders: Embedders::Given(Some(embedder)), ..self }
    }

    /// The same, but `sense` tells who speaks, whatever a job says.
    #[must_use]
    pub fn with_speaker_sense(self, sense: Arc<dyn SpeakerSense>) -> Self {
        Self { senses: Senses::Given(sense), ..self }
    }

    /// The same, but `interpolator` makes the pictures at the boundaries of loops, whatever a job says.
    #[must_use]
    pub fn with_interpolator(self, interpolator: Arc<dyn FrameInterpolator>) -> Self {
        Self { interpolators: Interpolators::Given(Some(interpolator)), ..self }
    }

    /// The same, but the faces are made sharper after the engine: by `enhancer`, as the job says.
    #[must_use]
    pub fn with_enhancer(self, enhancer: Arc<dyn FaceEnhancer>) -> Self {
        Self { enhancer: Some(enhancer), ..self }
    }

    /// The same, but what its jobs learn of a video is kept in `cache` for the next speech on it. `nets` says which the nets
    /// and the detector are: jobs of this program with other ones must say something else.
    #[must_use]
    pub fn with_cache(self, cache: AnalysisCache, nets: impl Into<String>) -> Self {
        let instruments = Instruments { description: nets.into(), ..Instruments::default() };
        Self { cache: Some(cache), instruments, ..self }
    }

    /// The same, but jobs make their temporary files in `folder` in place of the system's folder for them.
    #[must_use]
    pub fn with_temporary_folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { temporary: folder.into(), ..self }
    }

    /// The runner with the embedded nets, the engine and the enhancer that `spec` names, and the [cache of this
    /// user](AnalysisCache::from_environment).
    ///
    /// # Errors
    /// `InvalidInput` for an engine that there is not, `MissingTool` without ffmpeg, `ModelMissing` when a model is not
    /// installed that it needs.
    pub fn for_spec(spec: &JobSpec) -> Result<Self> {
        Self::with_engine(spec, registry::find(&spec.engine.name)?.open)
    }

    /// The same, but `open` makes the engine.
    pub(crate) fn with_engine(
        spec: &JobSpec,
        open: impl FnOnce(&JobSpec, &dyn Runtime) -> Result<Box<dyn LocalEngine>>,
    ) -> Result<Self> {
        // Without a folder for models there is no library in it either.
        let folder = Store::open().ok().map(|store| store.runtimes_folder());
        let runtime = Runtimes::find(spec.runtime, folder.as_deref())?;
        let load = || Ok((face_nets(spec.weights, spec.detector, &runtime)?, open(spec, &runtime)?));
        let cache = AnalysisCache::from_environment()?;
        let (tools, loaded) = std::thread::scope(|scope| -> Result<_> {
            // ffmpeg takes as long to say its version as the nets take to be loaded, and the program to be hashed for the cache.
            let tools = spawn(scope, "tools", Tools::locate)?;
            if cache.is_some() && spec.cache {
                spawn(scope, "program", || Ok(program()))?;
            }
            let loaded: Result<_> = load();
            Ok((join("tools", tools)?, loaded?))
        })?;
        let (nets, engine) = loaded;
        let instruments = Instruments {
            description: serde_json::json!([spec.weights, spec.runtime, runtime.placed()]).to_string(),
            files: runtime.files(),
            ..Instruments::default()
        };
        let (enhancer, missing) = enhance::open(&spec.enhance, &runtime)?;
        let (models, mut warnings) = (runtime.placed(), runtime.take_warnings());
        warnings.extend(missing);
        let runtime = Arc::new(runtime);
        Ok(Self {
            enhancer,
            embedders: Embedders::Best(Arc::clone(&runtime), spec.weights),
            senses: Senses::Installed(Arc::clone(&runtime)),
            interpolators: Interpolators::Installed(runtime),
            models,
            warnings,
            cache,
            instruments,
            ..Self::new(tools, nets, engine)
        })
    }

    /// All of `spec` that [`for_spec`](Self::for_spec) looks at: jobs that agree in it can share a runner.
    pub(crate) fn settings(spec: &JobSpec) -> String {
        let JobSpec { engine, enhance, weights, detector, runtime, still, .. } = spec;
        serde_json::json!([engine, enhance, weights, detector, runtime, still]).to_string()
    }

    /// The models that were loaded so far, and where they run.
    pub(crate) fn placed_models(&self) -> Vec<PlacedModel> {
        match &self.embedders {
            Embedders::Best(runtimes, _) => runtimes.placed(),
            Embedders::Given(_) => self.models.clone(),
        }
    }

    /// Runs a job. The engine and the enhancer are the runner's, whatever the job says.
    ///
    /// # Errors
    /// `Cancelled` when the observer said so; otherwise whatever made the job impossible. Nothing is left behind
    /// then, neither at the place of the output nor in the folder for temporary files. A panic in any thread of the
    /// job is an `Internal` error.
    pub fn run(&self, spec: &JobSpec, observer: &dyn Observer) -> Result<Report> {
        spec.validate()?;
        guarded("job", || job::run(self, spec, None, observer))
    }

    /// Runs a job as [`run`](Self::run) does, but keeps its work on the way: a run that was ended, by whatever, goes on from there
    /// when it is run again. The result has the same bytes, whether and where it was ended. They are not those of
    /// [`run`](Self::run): the picture is encoded in chunks.
    ///
    /// A runner with nets or an engine of the caller's choice has to say which they are ([`with_cache`](Self::with_cache)) where
    /// they may change from one run to the next. While another run holds the folder this one waits.
    ///
    /// # Errors
    /// As [`run`](Self::run); what was kept stays for the next run. `InvalidInput` when something else is in the folder.
    pub fn run_resumable(
        &self,
        spec: &JobSpec,
        checkpoints: &Checkpoints,
        observer: &dyn Observer,
    ) -> Result<Report> {
        spec.validate()?;
        guarded("job", || job::run(self, spec, Some(checkpoints), observer))
    }
}

/// The embedded nets, with the detector that `detector` names. The store of models is opened only when one of them is
/// asked for.
///
/// # Errors
/// `ModelMissing`, with the command that mends it, for a detector that is not installed.
pub(crate) fn face_nets(
    weights: Weights,
    detector: DetectorChoice,
    runtime: &dyn Runtime,
) -> Result<FaceNets> {
    let nets = FaceNets::embedded(runtime, weights)?;
    if detector == DetectorChoice::Native {
        return Ok(nets);
    }
    Ok(match InstalledModels::new(&Store::open()?, runtime).detector(detector)? {
        Some(detector) => nets.with_detector(detector),
        None => nets,
    })
}

/// Runs a job with the embedded nets and the engine that it names.
///
/// # Errors
/// As [`Runner::for_spec`] and [`Runner::run`].
pub fn run(spec: &JobSpec, observer: &dyn Observer) -> Result<Report> {
    spec.validate()?;
    Runner::for_spec(spec)?.run(spec, observer)
}

/// Runs a job with the embedded nets and the engine that it names, and keeps its work on the way.
///
/// # Errors
/// As [`Runner::for_spec`] and [`Runner::run_resumable`].
pub fn run_resumable(spec: &JobSpec, checkpoints: &Checkpoints, observer: &dyn Observer) -> Result<Report> {
    spec.validate()?;
    Runner::for_spec(spec)?.run_resumable(spec, checkpoints, observer)
}
