//! What a job is to do: versioned, written and read as JSON, checked before anything is opened.

use crate::enhance::EnhanceChoice;
use crate::lines::{Line, check_lines};
use crate::loops::interpolators::InterpolatorChoice;
use crate::loops::{DEFAULT_CROSSFADE_FRAMES, LoopMode, MAX_CROSSFADE_FRAMES};
use crate::offset::OffsetMode;
use crate::people::{Character, check_characters};
use crate::registry;
use crate::speakers::Speakers;
use crate::speaking::SpeakerSenseChoice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{Error, ErrorKind, Limits, Result};
use viseme_face::{DEFAULT_SMOOTHING, DetectorChoice, Weights};
use viseme_media::{Container, EncodeSettings, VideoCodec};
use viseme_models::RuntimeRequest;

/// The version of the JSON form of [`JobSpec`] that this code reads and writes.
pub const SPEC_VERSION: u32 = 1;

/// One job: whose lips move, in which video, to which speech, and where the result goes.
///
/// Only `version`, `video`, `output` and `audio` or `say` must be there in JSON. Unknown fields are refused, so that a
/// misspelt option is never silently left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// [`SPEC_VERSION`].
    pub version: u32,
    /// The video, or a portrait picture.
    pub video: PathBuf,
    /// The new speech: a sound file, or a video whose sound is used. None where all speech is in the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<PathBuf>,
    /// Who speaks what: speech for one person or for a stretch of time. Who has lines does not speak `audio` but where a line
    /// says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub say: Vec<Line>,
    /// A finished mix that is heard in place of `audio` and the sounds of the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<PathBuf>,
    /// Where the result goes; the extension chooses the container.
    pub output: PathBuf,
    /// Who speaks `audio`.
    #[serde(default)]
    pub face: Speakers,
    /// What tells who speaks, where faces speak in turns.
    #[serde(default)]
    pub speaker_sense: SpeakerSenseChoice,
    /// The people whom the job knows by name, with pictures of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub characters: Vec<Character>,
    /// Least cosine between the embeddings of two pictures of one person, 0 to 1. None is what was measured for the
    /// embedder in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// Use the video from this time on, in seconds. None is its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_s: Option<f64>,
    /// Use the video up to this time, in seconds. None is its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
    /// What is shown when the speech is longer than the video.
    #[serde(default)]
    pub loop_mode: LoopMode,
    /// How many frames are blended at each boundary of a loop in the modes that blend, 1 to 30.
    #[serde(default = "default_crossfade_frames")]
    pub crossfade_frames: u8,
    /// What makes the blended frames.
    #[serde(default)]
    pub interpolator: InterpolatorChoice,
    /// How strongly faces are smoothed over time, 0 (as they were seen) to 1.
    #[serde(default = "default_smoothing")]
    pub smoothing: f32,
    /// What makes the mouths.
    #[serde(default)]
    pub engine: EngineChoice,
    /// What makes the faces sharper after the engine.
    #[serde(default)]
    pub enhance: EnhanceChoice,
    /// Which weights the face nets have.
    #[serde(default)]
    pub weights: Weights,
    /// Which detector looks for faces. Our own nets follow them whatever it is.
    #[serde(default)]
    pub detector: DetectorChoice,
    /// What runs the models, and on what.
    #[serde(default)]
    pub runtime: RuntimeRequest,
    /// What happens to a portrait picture.
    #[serde(default)]
    pub still: StillOptions,
    /// How the picture is encoded.
    #[serde(default)]
    pub encode: EncodeOptions,
    /// What is done about lips and sound of the result that are apart.
    #[serde(default)]
    pub offset: OffsetMode,
    /// Whether the result has the speech as its sound. Without, it has no sound for it at all.
    #[serde(default = "yes")]
    pub include_sound: bool,
    /// Where to write a lossless gray video of what was changed: 0 where every sample of the output frame is the
    /// decoder's own. None writes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask_output: Option<PathBuf>,
    /// Where to write a page for people, HTML in one file, that shows what was done and why. None writes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_output: Option<PathBuf>,
    /// Whether what is learnt of the video may come from the [cache](crate::AnalysisCache), and go into it.
    #[serde(default = "yes")]
    pub cache: bool,
    /// What the inputs may at most be.
    #[serde(default)]
    pub limits: Limits,
}

fn yes() -> bool {
    true
}

/// What makes the mouths, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineChoice {
    /// One of [`engines`](crate::engines).
    pub name: String,
    /// How strongly the mouth moves: 1 is natural, 0 keeps it closed.
    pub expression: f32,
    /// What is chosen of the [options](crate::EngineEntry::options) of that engine, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

impl Default for EngineChoice {
    fn default() -> Self {
        Self { name: registry::NATIVE.to_owned(), expression: 1.0, options: BTreeMap::new() }
    }
}

/// What happens to a portrait picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StillOptions {
    /// Give it slight head motion and blinks.
    pub animate: bool,
}

/// How the picture is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncodeOptions {
    /// Video codec.
    pub codec: VideoCodec,
    /// Quality on the codec's own scale: lower is better and larger. None is the codec's default, 16 for H.264.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crf: Option<u8>,
    /// Speed of the encoder, in its own words. None is the codec's default, near to `veryfast` for H.264.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Lose nothing; `crf` is not looked at.
    pub lossless: bool,
}

impl EncodeOptions {
    /// The same as the settings of an encoder.
    #[must_use]
    pub fn settings(&self) -> EncodeSettings {
        EncodeSettings {
            codec: self.codec,
            crf: self.crf,
            preset: self.preset.clone(),
            lossless: self.lossless,
            ..EncodeSettings::default()
        }
    }
}

fn default_crossfade_frames() -> u8 {
    DEFAULT_CROSSFADE_FRAMES
}

fn default_smoothing() -> f32 {
    DEFAULT_SMOOTHING
}

/// The largest expression that is accepted; above it lips leave the face.
const MAX_EXPRESSION: f32 = 2.0;

impl JobSpec {
    /// A job with defaults for all that is not named.
    #[must_use]
    pub fn new(video: impl Into<PathBuf>, audio: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self { audio: Some(audio.into()), ..Self::of_lines(video, [], output) }
    }

    /// A job whose speech is in lines alone, with defaults for all that is not named.
    #[must_use]
    pub fn of_lines(
        video: impl Into<PathBuf>,
        lines: impl IntoIterator<Item = Line>,
        output: impl Into<PathBuf>,
    ) -> Self {
        Self {
            version: SPEC_VERSION,
            video: video.into(),
            audio: None,
            say: lines.into_iter().collect(),
            sound: None,
            output: output.into(),
            face: Speakers::default(),
            speaker_sense: SpeakerSenseChoice::default(),
            characters: Vec::new(),
            similarity: None,
            start_s: None,
            end_s: None,
            loop_mode: LoopMode::default(),
            crossfade_frames: DEFAULT_CROSSFADE_FRAMES,
            interpolator: InterpolatorChoice::default(),
            smoothing: DEFAULT_SMOOTHING,
            engine: EngineChoice::default(),
            enhance: EnhanceChoice::default(),
            weights: Weights::default(),
            detector: DetectorChoice::default(),
            runtime: RuntimeRequest::default(),
            still: StillOptions::default(),
            encode: EncodeOptions::default(),
            include_sound: true,
            mask_output: None,
            offset: OffsetMode::default(),
            report_output: None,
            cache: true,
            limits: Limits::default(),
        }
    }

    /// Reads a job from JSON. It is not yet [validated](Self::validate).
    ///
    /// # Errors
    /// `InvalidInput` when the text is not a job of this version.
    pub fn from_json(text: &str) -> Result<Self> {
        let spec: Self = serde_json::from_str(text).map_err(|source| {
            Error::invalid_input(format!("the job is not valid: {source}")).with_source(source)
        })?;
        spec.check_version()?;
        Ok(spec)
    }

    /// Checks everything that can be checked without opening the inputs.
    ///
    /// # Errors
    /// `NotFound` when an input is not there, `Unsupported` when the container does not take the codec, otherwise
    /// `InvalidInput` with the field in the message.
    pub fn validate(&self) -> Result<()> {
        self.check_version()?;
        registry::find(&self.engine.name)?.validate(self)?;
        check_range(self.start_s, self.end_s)?;
        check_smoothing(self.smoothing)?;
        self.check_numbers()?;
        check_characters(&self.characters, self.similarity)?;
        self.face.validate(&self.characters)?;
        self.check_speech()?;
        self.enhance.validate()?;
        self.encode.settings().validate()?;
        self.check_paths()?;
        self.check_containers()
    }

    /// Every path of the job, so that relative ones can be made relative to something else.
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        let Self { video, audio, say, sound, output, mask_output, characters, .. } = self;
        let references = characters.iter_mut().flat_map(|character| &mut character.references);
        let lines = say.iter_mut().flat_map(|line| &mut line.audio);
        let others = audio.iter_mut().chain(lines).chain(sound).chain(mask_output).chain(references);
        [video, output].into_iter().chain(others).collect()
    }

    /// Every file with sound but the video: the speech, those of the lines, and the finished mix.
    pub(crate) fn sounds(&self) -> impl Iterator<Item = &PathBuf> {
        self.speeches().chain(&self.sound)
    }

    /// Every file that somebody speaks: the speech, and those of the lines.
    pub(crate) fn speeches(&self) -> impl Iterator<Item = &PathBuf> {
        self.audio.iter().chain(self.say.iter().filter_map(|line| line.audio.as_ref()))
    }

    fn check_speech(&self) -> Result<()> {
        if self.audio.is_none() && self.say.is_empty() {
            return Err(Error::invalid_input("the job has no speech")
                .with_hint("Give it an audio, or lines (say) that say who speaks what."));
        }
        check_lines(&self.say, self.audio.is_some(), &self.characters)?;
        let most_s = self.limits.duration_s;
        match self.say.iter().find(|line| line.begin_s() > most_s) {
            Some(line) => Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{} begins later than the {most_s} s that an input may last", line.label()),
            )
            .with_hint("Raise the limit with --max-duration if you mean it.")),
            None => Ok(()),
        }
    }

    fn check_version(&self) -> Result<()> {
        if self.version == SPEC_VERSION {
            return Ok(());
        }
        Err(Error::invalid_input(format!("job version {} is not known", self.version))
            .with_hint(format!("This version of Viseme reads job version {SPEC_VERSION}.")))
    }

    fn check_numbers(&self) -> Result<()> {
        if !(0.0..=MAX_EXPRESSION).contains(&self.engine.expression) {
            let given = self.engine.expression;
            return Err(Error::invalid_input(format!(
                "expression {given} is not between 0 and {MAX_EXPRESSION}"
            )));
        }
        if !(1..=MAX_CROSSFADE_FRAMES).contains(&self.crossfade_frames) {
            let given = self.crossfade_frames;
            return Err(Error::invalid_input(format!(
                "{given} crossfade frames are not between 1 and {MAX_CROSSFADE_FRAMES}"
            )));
        }
        Ok(())
    }

    fn check_containers(&self) -> Result<()> {
        let mask = self.mask_output.as_ref().map(|mask| (mask, VideoCodec::Ffv1));
        for (path, codec) in [(&self.output, self.encode.codec)].into_iter().chain(mask) {
            if !Container::of(path)?.takes_video(codec) {
                let message = format!("{codec:?} does not go into {}", path.display());
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("A file named .mkv takes every codec."));
            }
        }
        Ok(())
    }

    fn check_paths(&self) -> Result<()> {
        let inputs = || std::iter::once(&self.video).chain(self.sounds());
        self.say.iter().try_for_each(Line::check_sound)?;
        inputs().try_for_each(|input| check_is_file(input))?;
        let outputs: Vec<&PathBuf> =
            std::iter::once(&self.output).chain(&self.mask_output).chain(&self.report_output).collect();
        for output in &outputs {
            let references = self.characters.iter().flat_map(|character| &character.references);
            if inputs().chain(references).any(|input| is_same_file(input, output)) {
                return Err(Error::invalid_input(format!("{} is both input and output", output.display()))
                    .with_hint("Choose another name for the output: inputs are never overwritten."));
            }
        }
        for (position, output) in outputs.iter().enumerate() {
            if outputs[..position].iter().any(|other| is_same_file(other, output)) {
                return Err(Error::invalid_input(format!(
                    "{} is asked for twice: video, mask and report cannot be written to one file",
                    output.display()
                )));
            }
        }
        Ok(())
    }
}

/// Checks a range of times in seconds.
///
/// # Errors
/// `InvalidInput` when a time is negative or not a number, or the end does not lie after the start.
pub(crate) fn check_range(start_s: Option<f64>, end_s: Option<f64>) -> Result<()> {
    for (name, time) in [("start", start_s), ("end", end_s)] {
        if time.is_some_and(|time| !time.is_finite() || time < 0.0) {
            return Err(Error::invalid_input(format!("the {name} of the range is not a time")));
        }
    }
    let start = start_s.unwrap_or(0.0);
    match end_s {
        Some(end) if end <= start => {
            Err(Error::invalid_input(format!("the range ends at {end} s, not after its start at {start} s")))
        }
        _ => Ok(()),
    }
}

/// Checks how strongly faces are to be smoothed over time.
///
/// # Errors
/// `InvalidInput` when it is not between 0 and 1.
pub(crate) fn check_smoothing(smoothing: f32) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    Err(Error::invalid_input(format!("smoothing {smoothing} is not between 0 and 1")))
}

/// Checks that an input is there and is not a folder.
///
/// # Errors
/// `NotFound` or `InvalidInput`.
pub(crate) fn check_is_file(path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, format!("{} does not exist", path.display())).with_source(source)
        }
        _ => Error::invalid_input(format!("cannot read {}: {source}", path.display())).with_source(source),
    })?;
    if metadata.is_dir() {
        return Err(Error::invalid_input(format!("{} is a folder, not a media file", path.display())));
    }
    Ok(())
}

/// Whether two paths name one file, through links and `..` as well. The second need not exist yet.
pub(crate) fn is_same_file(existing: &Path, other: &Path) -> bool {
    match (resolved(existing), resolved(other)) {
        (Some(a), Some(b)) => a == b,
        _ => existing == other,
    }
}

/// The path of a file without links and `..`; only its folder has to exist.
pub(crate) fn resolved(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enhance::EnhancerName;

    type Change = fn(&mut JobSpec);

    fn job_in(folder: &Path) -> JobSpec {
        for name in ["talk.mp4", "speech.wav"] {
            std::fs::write(folder.join(name), b"x").unwrap();
        }
        JobSpec::new(folder.join("talk.mp4"), folder.join("speech.wav"), folder.join("out.mp4"))
    }

    #[test]
    fn the_shortest_job_has_all_defaults() {
        let text = r#"{"version": 1, "video": "a.mp4", "audio": "b.wav", "output": "c.mp4"}"#;
        assert_eq!(JobSpec::from_json(text).unwrap(), JobSpec::new("a.mp4", "b.wav", "c.mp4"));
    }

    #[test]
    fn json_written_is_json_read() {
        let mut spec = JobSpec::new("a.mp4", "b.wav", "c.mp4");
        spec.face = Speakers::Named("alice".to_owned());
        spec.characters = vec![Character::new("alice", ["a.png".into(), "b.png".into()])];
        spec.similarity = Some(0.25);
        spec.end_s = Some(3.5);
        (spec.loop_mode, spec.crossfade_frames) = (LoopMode::Smart, 7);
        (spec.smoothing, spec.engine.expression) = (0.75, 0.5);
        spec.engine.options.insert("profile".to_owned(), "reference".to_owned());
        (spec.enhance.name, spec.enhance.fidelity) = (EnhancerName::CodeFormer, Some(0.25));
        spec.weights = Weights::Clean;
        spec.runtime.device = Some(viseme_models::Device::OpenVino);
        (spec.mask_output, spec.cache) = (Some("mask.mkv".into()), false);
        (spec.report_output, spec.offset) = (Some("report.html".into()), OffsetMode::Correct);
        spec.sound = Some("mix.wav".into());
        let bbox = Some([1.0, 2.5, 3.0, 4.0]);
        spec.say = vec![
            Line {
                who: "alice".to_owned(),
                audio: Some("a.wav".into()),
                start_s: Some(1.5),
                ..Line::default()
            },
            Line { bbox, end_s: Some(2.0), ..Line::default() },
        ];
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(JobSpec::from_json(&text).unwrap(), spec);
    }

    #[test]
    fn misspelt_fields_and_other_versions_are_refused() {
        let misspelt = r#"{"version": 1, "video": "a", "audio": "b", "output": "c", "loop": "none"}"#;
        assert!(JobSpec::from_json(misspelt).unwrap_err().to_string().contains("loop"));
        let unknown =
            r#"{"version": 1, "video": "a", "audio": "b", "output": "c", "enhance": {"name": "gpen"}}"#;
        assert!(JobSpec::from_json(unknown).unwrap_err().to_string().contains("codeformer"));
        let nested = r#"{"version": 1, "video": "a", "audio": "b", "output": "c", "encode": {"quality": 3}}"#;
        assert!(JobSpec::from_json(nested).is_err());
        let newer = r#"{"version": 2, "video": "a", "audio": "b", "output": "c"}"#;
        assert!(JobSpec::from_json(newer).unwrap_err().to_string().contains("version 2"));
    }

    #[test]
    fn a_job_that_cannot_be_done_is_refused_before_it_starts() {
        let folder = tempfile::tempdir().unwrap();
        let good = job_in(folder.path());
        good.validate().unwrap();
        let cases: [(&str, Change); 21] = [
            ("smoothing 1.1", |job| job.smoothing = 1.1),
            ("smoothing NaN", |job| job.smoothing = f32::NAN),
            ("expression", |job| job.engine.expression = f32::NAN),
            ("expression", |job| job.engine.expression = -0.1),
            ("0 crossfade frames", |job| job.crossfade_frames = 0),
            ("31 crossfade frames", |job| job.crossfade_frames = 31),
            ("strength 1.5", |job| job.enhance.strength = 1.5),
            ("fidelity NaN", |job| {
                (job.enhance.name, job.enhance.fidelity) = (EnhancerName::CodeFormer, Some(f32::NAN));
            }),
            ("codeformer", |job| {
                (job.enhance.name, job.enhance.fidelity) = (EnhancerName::Gfpgan, Some(0.5));
            }),
            ("crf", |job| job.encode.crf = Some(64)),
            ("counted from 1", |job| job.face = Speakers::Nth(0)),
            ("start of the range", |job| job.start_s = Some(-1.0)),
            ("not after", |job| (job.start_s, job.end_s) = (Some(2.0), Some(2.0))),
            ("native", |job| job.engine.name = "wav3lip".to_owned()),
            ("no option 'gain'", |job| job.engine.options = BTreeMap::from([("gain".into(), "2".into())])),
            ("one file", |job| job.mask_output = Some(job.output.clone())),
            ("one file", |job| job.report_output = Some(job.output.clone())),
            ("both input and output", |job| job.report_output.clone_from(&job.audio)),
            ("no speech", |job| job.audio = None),
            ("says nothing", |job| {
                (job.audio, job.say) = (None, vec![Line { who: "face_1".to_owned(), ..Line::default() }]);
            }),
            ("folder", |job| job.video = job.video.parent().unwrap().to_owned()),
        ];
        for (expected, change) in cases {
            let mut bad = good.clone();
            change(&mut bad);
            let error = bad.validate().unwrap_err();
            let text = format!("{error} {}", error.hint().unwrap_or_default());
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let late = Line { who: "face_1".to_owned(), start_s: Some(1e6), ..Line::default() };
        let late = JobSpec { say: vec![late], ..good.clone() };
        assert_eq!(late.validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
        let missing = JobSpec { video: folder.path().join("none.mp4"), ..good };
        assert_eq!(missing.validate().unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn an_output_that_is_an_input_by_another_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = job_in(folder.path());
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        spec.output = folder.path().join("sub/../talk.mp4");
        assert!(spec.validate().unwrap_err().to_string().contains("both input and output"));
        spec.output = folder.path().join("out.mp4");
        spec.mask_output.clone_from(&spec.audio);
        assert!(spec.validate().is_err());
        let mix = folder.path().join("mix.wav");
        std::fs::write(&mix, b"x").unwrap();
        (spec.sound, spec.mask_output, spec.report_output) = (Some(mix.clone()), None, Some(mix));
        assert!(spec.validate().unwrap_err().to_string().contains("both input and output"));
    }
}
