//! One job from its files to its report.

mod looping;
mod output;
mod picture;

use crate::analyse::{Analysis, Analyst};
use crate::cache::{self, Asked, CacheUse};
use crate::clip::{Clip, FileClip, TimeRange};
use crate::evidence::{EXPECTED_RATE_HZ, Evidence, expected_mouth};
use crate::inputs::Inputs;
use crate::loops::LoopMode;
use crate::loops::interpolators::Interpolator;
use crate::memory::MemorySampler;
use crate::offset::{OffsetMode, result_offset};
use crate::people::{Cast, FacesReport, People};
use crate::plan::{Plan, PlanInput, plan};
use crate::registry;
use crate::report::{REPORT_VERSION, Report};
use crate::resume::{Checkpoints, JobFolder};
use crate::runner::Runner;
use crate::speaking::{SpeakerSpans, Speaking};
use crate::spec::JobSpec;
use crate::summary::{Facts, input_facts};
use crate::voices::{Ear, Heard, Role, Said, Voice, line_reports, roles, said_by, speaking_faces, voices};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;
use viseme_core::{
    Error, ErrorKind, FrameIndex, Observer, Progress, Pts, Result, Stage, Warning, WarningCode,
};
use viseme_engines::{EngineJob, ExpectedMouth, JobContext, SpeechSummary, VoiceId};
use viseme_face::FaceChoice;
use viseme_media::OutputFile;

/// Speech with less voice than this, in seconds, is none: shorter than any word.
const LEAST_VOICE_S: f64 = 0.1;

/// Runs a job that has been validated. With `checkpoints` it keeps its work there.
///
/// # Errors
/// As [`Runner::run`].
pub(crate) fn run(
    runner: &Runner,
    spec: &JobSpec,
    checkpoints: Option<&Checkpoints>,
    observer: &dyn Observer,
) -> Result<Report> {
    let folder = checkpoints.map(|checkpoints| JobFolder::open(&checkpoints.folder, observer)).transpose()?;
    let kept = folder.as_ref().zip(checkpoints.map(|checkpoints| checkpoints.chunk_frames));
    let report = run_in(runner, spec, kept, observer)?;
    if let Some(folder) = folder {
        folder.clear();
    }
    Ok(report)
}

/// As [`run`], in the folder that is kept, with so many frames to a chunk.
fn run_in(
    runner: &Runner,
    spec: &JobSpec,
    kept: Option<(&JobFolder, u64)>,
    observer: &dyn Observer,
) -> Result<Report> {
    let work_dir = work_dir(&kept.map_or(runner.temporary.clone(), |(folder, _)| folder.temporary()))?;
    let create = |path: &Path| match kept {
        Some((folder, _)) => OutputFile::create_again(path, &folder.tag(path)),
        None => OutputFile::create(path),
    };
    let output = create(&spec.output)?;
    let mask_output = spec.mask_output.as_deref().map(create).transpose()?;
    let report_output = spec.report_output.as_deref().map(create).transpose()?;
    let mut job = Job {
        runner,
        spec,
        observer,
        kept,
        work_dir,
        memory: MemorySampler::start(),
        started: Instant::now(),
        timings: BTreeMap::new(),
        warnings: Vec::new(),
        interpolator: None,
    };
    runner.warnings.iter().for_each(|warning| job.warn(warning.clone()));
    let (report, evidence) = job.run(output, mask_output)?;
    if let Some(file) = report_output {
        output::write_page(spec, &report, &evidence, file)?;
    }
    Ok(report)
}

/// A folder for the files of one job, removed when the value goes.
///
/// # Errors
/// When `parent` cannot be written.
pub(crate) fn work_dir(parent: &Path) -> Result<TempDir> {
    let made = tempfile::Builder::new().prefix("viseme-").tempdir_in(parent);
    made.map_err(|source| Error::io(format_args!("make a folder in {}", parent.display()), source))
}

/// What was seen in the video.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) clip: &'a dyn Clip,
    pub(crate) analysis: &'a Analysis,
    pub(crate) people: &'a People,
}

/// A job on its way.
struct Job<'a> {
    runner: &'a Runner,
    spec: &'a JobSpec,
    observer: &'a dyn Observer,
    /// Where its work is kept, and how many frames at a time.
    kept: Option<(&'a JobFolder, u64)>,
    /// Removed with the job, however it ends.
    work_dir: TempDir,
    memory: MemorySampler,
    started: Instant,
    timings: BTreeMap<Stage, u64>,
    warnings: Vec<Warning>,
    /// What makes the pictures at the boundaries of a loop, besides our own flow.
    interpolator: Option<Interpolator>,
}

impl Job<'_> {
    fn run(&mut self, output: OutputFile, mask_output: Option<OutputFile>) -> Result<(Report, Evidence)> {
        let spec = self.spec;
        let inputs = self.timed(Stage::Probe, |job| Inputs::probe(&job.runner.tools, spec))?;
        let clip =
            FileClip::new(&self.runner.tools, &spec.video, &inputs.source, &inputs.video, &spec.limits);
        clip.open_soon();
        let tools = (&self.runner.tools, &self.runner.nets, &spec.limits);
        let embedders = &self.runner.embedders;
        let cast =
            self.timed(Stage::Probe, |_| Cast::new(&spec.characters, spec.similarity, embedders, tools))?;
        if let Some(speech) = &spec.audio {
            inputs.hear_soon(tools.0, speech, self.runner.engine.info().sample_rate_hz, &spec.limits)?;
        }
        let mut engine = self.runner.engine.begin(self.context(&clip))?;
        let (analysis, cache_use) = self.timed(Stage::Analyse, |job| job.analyse(&clip, engine.as_mut()))?;
        if analysis.first == FrameIndex(0) {
            clip.open_soon();
        }
        let people = self.timed(Stage::Analyse, |job| job.identify(&cast, &analysis))?;
        let seen = Seen { clip: &clip, analysis: &analysis, people: &people };
        let roles = self.timed(Stage::Analyse, |job| job.roles(&seen))?;
        let voices = voices(spec, &roles);
        let heard = self.timed(Stage::Listen, |job| job.listen(&inputs, &voices, engine.as_mut()))?;
        let expected = self.timed(Stage::Listen, |job| job.expected(&inputs, &voices))?;
        let speaking = self
            .timed(Stage::Listen, |job| Speaking::in_job(job.runner, spec, &inputs, &seen, job.observer))?;
        let (plan, spans) =
            self.timed(Stage::Plan, |job| job.plan(&seen, &roles, &heard, speaking.as_ref()))?;
        self.timed(Stage::Plan, |job| job.open_interpolator(&clip, &plan))?;
        let speech = self.timed(Stage::Plan, |job| job.prepare(&plan, &roles, engine.as_mut()))?;
        let sound = self.timed(Stage::Plan, |job| job.sound(&inputs, &plan))?;
        let (rendered, evidence) =
            self.timed(Stage::Render, |job| job.render(&seen, &plan, expected, engine.as_ref()))?;
        let offset = result_offset(spec.offset, &evidence);
        let (made, outputs) = ((&plan, &rendered, offset.as_ref()), (output, mask_output));
        self.timed(Stage::Mux, |job| job.finish(&inputs, sound, made, outputs))?;
        let facts = Facts {
            clip: &clip,
            analysis: &analysis,
            people: &people,
            cache_use,
            plan: &plan,
            speaking: speaking.as_ref().zip(spans.as_ref()),
            roles: &roles,
            heard: &heard,
            speech: &speech,
            rendered: &rendered,
            offset: offset.as_ref(),
        };
        let report = self.report(&facts)?;
        Ok((report, evidence))
    }

    /// Runs a stage and adds the time that it took.
    fn timed<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        // The other two count frames and say themselves how many there are.
        if !matches!(stage, Stage::Analyse | Stage::Render) {
            self.observer.progress(Progress { stage, done: 0, total: None });
        }
        let started = Instant::now();
        let result = work(self);
        *self.timings.entry(stage).or_default() += started.elapsed().as_millis() as u64;
        result
    }

    fn warn(&mut self, warning: Warning) {
        self.observer.warn(&warning);
        self.warnings.push(warning);
    }

    fn warn_all(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            self.warn(warning);
        }
    }

    fn context(&self, clip: &dyn Clip) -> JobContext {
        let info = clip.info();
        JobContext {
            width: info.width,
            height: info.height,
            format: info.format,
            colour: info.colour.clone(),
            work_dir: self.work_dir.path().to_owned(),
            is_still: clip.is_still(),
        }
    }

    fn range(&self) -> TimeRange {
        TimeRange { start_s: self.spec.start_s, end_s: self.spec.end_s }
    }

    /// Says who is who.
    fn identify(&mut self, cast: &Cast<'_>, analysis: &Analysis) -> Result<People> {
        let (people, warnings) = cast.identify(analysis, self.observer)?;
        self.warn_all(warnings);
        Ok(people)
    }

    fn analyse(&mut self, clip: &dyn Clip, engine: &mut dyn EngineJob) -> Result<(Analysis, CacheUse)> {
        let analyst = Analyst {
            clip,
            range: if clip.is_still() { TimeRange::default() } else { self.range() },
            nets: &self.runner.nets,
            choice: self.candidates(),
            limits: &self.spec.limits,
            work_dir: self.work_dir.path(),
        };
        let cache = self.runner.cache.as_ref().filter(|_| self.spec.cache);
        let of_job = self.kept.map(|(folder, _)| folder.analyses());
        let asked = Asked {
            cache: cache.or(of_job.as_ref()),
            instruments: &self.runner.instruments,
            engine: self.runner.engine.as_ref(),
            decoder: &self.runner.tools.version,
            video: &self.spec.video,
        };
        let (analysis, cache_use) = cache::analyse(&asked, &analyst, engine, self.observer)?;
        let cache_use = if cache.is_some() { cache_use } else { CacheUse::Off };
        analysis.warnings.iter().for_each(|warning| self.warn(warning.clone()));
        // What is kept for the next speech are the faces as they were seen.
        Ok((analysis.with_smoothing(self.spec.smoothing), cache_use))
    }

    /// Says who has lines.
    fn roles(&mut self, seen: &Seen<'_>) -> Result<Vec<Role>> {
        let lead_s = seen.analysis.times.seconds(self.lead(seen).0);
        let (roles, warnings) = roles(self.spec, seen, lead_s)?;
        self.warn_all(warnings);
        Ok(roles)
    }

    fn ear<'e>(&'e self, inputs: &'e Inputs, rate_hz: u32) -> Ear<'e> {
        let (tools, spec) = (&self.runner.tools, self.spec);
        Ear { tools, inputs, lines: &spec.say, limits: &spec.limits, rate_hz, observer: self.observer }
    }

    /// Who may turn out to speak. Whoever may have a name, or a line, is studied.
    fn candidates(&self) -> FaceChoice {
        let spec = self.spec;
        let by_track = spec.face.by_track(!spec.characters.is_empty());
        by_track.filter(|_| spec.say.is_empty()).unwrap_or(FaceChoice::All)
    }

    /// Lets the engine hear every voice, and says how long they are.
    fn listen(&mut self, inputs: &Inputs, voices: &[Voice<'_>], engine: &mut dyn EngineJob) -> Result<Heard> {
        let mut heard = Heard::default();
        for voice in voices {
            let ear = self.ear(inputs, self.runner.engine.info().sample_rate_hz);
            let pieces = ear.hear(voice, &mut |said| match said {
                Said::Nothing(samples) => engine.rest(voice.id, samples),
                Said::Samples(samples) => engine.listen(voice.id, samples),
            })?;
            for warning in heard.add(&self.spec.say, voice, &pieces) {
                self.warn(warning);
            }
        }
        Ok(heard)
    }

    /// What every voice asks of a mouth, where the result is to be held against it.
    fn expected(
        &self,
        inputs: &Inputs,
        voices: &[Voice<'_>],
    ) -> Result<Option<BTreeMap<VoiceId, ExpectedMouth>>> {
        let ear = self.ear(inputs, EXPECTED_RATE_HZ);
        let hear = |voice: &Voice<'_>| Ok((voice.id, expected_mouth(&ear, voice)?));
        let all = || voices.iter().map(hear).collect::<Result<_>>();
        let is_wanted = self.spec.report_output.is_some() || self.spec.offset != OffsetMode::Leave;
        is_wanted.then(all).transpose()
    }

    fn plan(
        &mut self,
        seen: &Seen<'_>,
        roles: &[Role],
        heard: &Heard,
        speaking: Option<&Speaking>,
    ) -> Result<(Plan, Option<SpeakerSpans>)> {
        let Seen { clip, analysis, .. } = *seen;
        // A picture has no end of its own; a range starts at zero.
        let loop_mode = if clip.is_still() { LoopMode::Repeat } else { self.spec.loop_mode };
        let lead = self.lead(seen);
        let speech_s = heard.end_s;
        let is_looped = speech_s - analysis.times.seconds(lead.0) > analysis.times.length_s();
        let loop_shape = self.loop_shape(clip, analysis, loop_mode, is_looped)?;
        let times = analysis.times.clone();
        let input = PlanInput { times, lead, speech_s, loop_mode, loop_shape, faces: Vec::new() };
        let spans =
            speaking.map(|speaking| SpeakerSpans::new(speaking, &plan(input.clone()), &analysis.times));
        let faces = speaking_faces(self.spec, seen, roles, heard, spans.as_ref())?;
        let plan = plan(PlanInput { faces, ..input });
        self.check_length(&plan)?;
        if !plan.moves_lips() {
            let message = "no usable face: the picture is left as it is".to_owned();
            self.warn(Warning::new(WarningCode::NoFace, message));
        }
        if plan.is_looped() && !clip.is_still() {
            let message = format!("the speech is longer than the video: {}", looping::repetition(&plan));
            self.warn(Warning::new(WarningCode::Looped, message));
        }
        Ok((plan, spans))
    }

    /// When the first frame is shown, in ticks of the output.
    fn lead(&self, seen: &Seen<'_>) -> Pts {
        if self.keeps_clock(seen.clip.is_still()) { seen.analysis.times.origin() } else { Pts(0) }
    }

    /// Whether the output runs on the clock of the source, so that its other streams fit.
    fn keeps_clock(&self, is_still: bool) -> bool {
        !is_still && self.spec.start_s.is_none_or(|start| start <= 0.0)
    }

    fn check_length(&self, plan: &Plan) -> Result<()> {
        let limits = &self.spec.limits;
        if plan.len() > limits.frames {
            let (planned, most) = (plan.len(), limits.frames);
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the output would have {planned} frames, more than the {most} allowed"),
            )
            .with_hint("Raise the limit with --max-duration if you mean it."));
        }
        Ok(())
    }

    fn prepare(
        &mut self,
        plan: &Plan,
        roles: &[Role],
        engine: &mut dyn EngineJob,
    ) -> Result<BTreeMap<VoiceId, SpeechSummary>> {
        let speech = engine.prepare(&plan.mouths())?;
        for (voice, _) in speech.iter().filter(|(_, speech)| speech.voiced_s < LEAST_VOICE_S) {
            let what = said_by(self.spec, roles, *voice);
            let message = format!("no speech in {what}: the mouth stays closed");
            self.warn(Warning::new(WarningCode::NoSpeech, message));
        }
        Ok(speech)
    }

    fn report(&mut self, facts: &Facts<'_>) -> Result<Report> {
        let output = facts.output(&self.spec.output)?;
        let untouched = output.frames_written - output.frames_changed;
        if untouched > 0 && facts.plan.moves_lips() {
            let message = format!("{untouched} of {} frames were left as they are", output.frames_written);
            self.warn(Warning::new(WarningCode::FramesUntouched, message));
        }
        let total = self.started.elapsed();
        Ok(Report {
            version: REPORT_VERSION,
            engine: self.runner.engine.info().name.to_owned(),
            engine_options: registry::find(&self.spec.engine.name)?.chosen(&self.spec.engine),
            enhancer: self.runner.enhancer.as_ref().map(|enhancer| enhancer.name().to_owned()),
            weights: self.spec.weights,
            detector: self.runner.nets.detector.name().to_owned(),
            models: self.runner.placed_models(),
            input: input_facts(facts.clip, facts.analysis),
            speech: facts.speech(),
            frames_per_second: output.frames_written as f64 / total.as_secs_f64().max(f64::EPSILON),
            output,
            looping: self.loop_facts(facts.plan),
            faces: FacesReport::new(&self.spec.characters, facts.people, facts),
            speakers: facts.speakers(),
            lines: line_reports(&self.spec.say, facts),
            offset: facts.offset.cloned(),
            tracks: facts.tracks(),
            analysis_cache: facts.cache_use,
            frames_resumed: facts.rendered.resumed,
            warnings: std::mem::take(&mut self.warnings),
            timings_ms: std::mem::take(&mut self.timings),
            total_ms: total.as_millis() as u64,
            peak_memory_bytes: self.memory.peak_bytes(),
        })
    }
}
