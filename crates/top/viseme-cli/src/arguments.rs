//! The command line as types. The doc comments are the help texts.

mod lines;
mod models;
mod people;
#[cfg(test)]
mod reference;
mod score;
mod serve;
mod times;

pub(crate) use models::{
    ImportArguments, InfoArguments, ListArguments, ModelsArguments, ModelsCommand, PathArguments,
    PullArguments, RmArguments, RuntimeArguments, RuntimeCommand, VerifyArguments,
};
pub(crate) use people::CharacterArguments;
pub(crate) use score::{OffsetArguments, ScoreArguments};
pub(crate) use serve::{ServeArguments, WorkArguments};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use times::parse_time;
use viseme_models::{Device, RuntimeKind, RuntimeRequest};

/// Move the lips of people in video so that they match new speech.
#[derive(Debug, Parser)]
#[command(name = "viseme", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the person in VIDEO speak the words of AUDIO.
    Sync(SyncArguments),
    /// Say what is in a media file.
    Probe(ProbeArguments),
    /// Do many jobs of a list: no failure stops the others.
    Batch(BatchArguments),
    /// Find and follow the faces of a video.
    Faces(FacesArguments),
    /// Measure how well lips follow the speech, and how good sound and picture are.
    Score(ScoreArguments),
    /// Say what is kept of videos for the next speech on them, or remove it.
    Cache(CacheArguments),
    /// Measure how much lips and sound are apart, and mend it.
    Offset(OffsetArguments),
    /// List, download and check models that do not ship with Viseme.
    Models(ModelsArguments),
    /// Serve the HTTP API, and do its jobs.
    Serve(Box<ServeArguments>),
    /// Do jobs of a server, in another process or on another machine.
    Work(Box<WorkArguments>),
    /// Check that this machine has what Viseme needs.
    Doctor(DoctorArguments),
    /// Time a whole job beside a plain re-encode of the same clip.
    Bench(BenchArguments),
}

/// Limits that protect against inputs which are too large; shared by all commands that read media.
#[derive(Debug, Clone, Args)]
pub(crate) struct LimitArguments {
    /// Refuse inputs that are longer than this
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Limits", default_value = "1:00:00")]
    pub(crate) max_duration: f64,
    /// Refuse pictures with more pixels than this (width × height)
    #[arg(long, value_name = "PIXELS", help_heading = "Limits", default_value_t = viseme_core::Limits::default().pixels)]
    pub(crate) max_pixels: u64,
}

impl LimitArguments {
    /// The limits that these arguments ask for.
    pub(crate) fn limits(&self) -> viseme_core::Limits {
        let defaults = viseme_core::Limits::default();
        // The frame limit follows the duration limit, so that raising one flag is enough.
        let frames = defaults.frames.max((self.max_duration * 120.0) as u64);
        viseme_core::Limits { duration_s: self.max_duration, pixels: self.max_pixels, frames, ..defaults }
    }
}

/// What runs the models; shared by all commands that run models of others.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ComputeArguments {
    /// What runs the models: rten or ort; the best that is there by default (viseme doctor tells)
    #[arg(long)]
    runtime: Option<RuntimeKind>,
    /// What the models run on: cpu, openvino, cuda, tensorrt, coreml, directml or migraphx
    #[arg(long)]
    device: Option<Device>,
    /// Let models compute with 16-bit floats where that is faster: not the same to the digit
    #[arg(long)]
    reduced_precision: bool,
}

impl ComputeArguments {
    /// What these arguments ask for.
    pub(crate) fn request(self) -> RuntimeRequest {
        let Self { runtime, device, reduced_precision } = self;
        RuntimeRequest { runtime, device, reduced_precision }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The video, or a portrait picture
    pub(crate) video: PathBuf,
    /// The new speech: a sound file, or a video whose sound is used; not needed with --say
    #[arg(required_unless_present = "say")]
    pub(crate) audio: Option<PathBuf>,
    /// Where to write the result; the extension chooses the container (.mp4, .mov, .mkv, .webm)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Who speaks what, and when: alice=alice.wav, face_2@3.2s-7s=bob.mp3, or bob@3.2s-7s, who speaks AUDIO there; can be
    /// given again
    #[arg(long, value_name = "WHO[@TIME[-TIME]][=FILE]", value_parser = lines::parse_line, help_heading = "People")]
    pub(crate) say: Vec<viseme::Line>,
    /// A finished mix that is heard in place of AUDIO and the files of --say
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub(crate) sound: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) job: JobArguments,
    /// Also write a lossless gray video of which pixels were changed
    #[arg(long, value_name = "FILE.mkv")]
    pub(crate) mask: Option<PathBuf>,
    /// Also write a page that shows what was done and why: one file for any browser
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) resume: ResumeArguments,
    /// Print one JSON report on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Where the work is kept on the way.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// Keep the work in FOLDER, new or empty, so that a run that was ended goes on from there when it is run again
    #[arg(long = "resume", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// After how many frames, for tests with short clips
    #[arg(long, value_name = "FRAMES", hide = true, requires = "folder")]
    resume_every: Option<u64>,
}

impl ResumeArguments {
    /// The checkpoints that these arguments ask for.
    pub(crate) fn checkpoints(self) -> Option<viseme::Checkpoints> {
        let checkpoints = self.folder.map(viseme::Checkpoints::new)?;
        Some(match self.resume_every {
            Some(frames) => checkpoints.every(frames),
            None => checkpoints,
        })
    }
}

/// How a job is done, whatever its files: of one job, or of all in a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct JobArguments {
    /// Whose lips: auto (all characters; else speaking where people are seen together, else largest), largest, speaking
    /// (whoever speaks in the original), all, the n-th face, or a name
    #[arg(long, value_name = "auto|largest|speaking|all|N|NAME", default_value = "auto", value_parser = people::parse_speakers)]
    pub(crate) face: viseme::Speakers,
    /// What tells who speaks: LR-ASD where it is installed, or our own measure
    #[arg(long, value_name = "auto|native|lr_asd", default_value = "auto", help_heading = "People")]
    pub(crate) speaker_sense: viseme::SpeakerSenseChoice,
    /// Lips and sound of the result that are apart: measured and reported, or mended by moving the sound
    #[arg(long, value_name = "leave|measure|correct", default_value = "leave")]
    pub(crate) offset: viseme::OffsetMode,
    #[command(flatten)]
    pub(crate) characters: CharacterArguments,
    /// Use the video from this time on (seconds, or [h:]m:s)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) start: Option<f64>,
    /// Use the video up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) end: Option<f64>,
    /// What to show when the speech is longer than the video
    #[arg(long = "loop", value_name = "MODE", default_value = "repeat")]
    pub(crate) loop_mode: LoopArgument,
    /// How many frames crossfade and smart blend at each boundary
    #[arg(long, value_name = "1-30", default_value_t = viseme::DEFAULT_CROSSFADE_FRAMES,
        value_parser = clap::value_parser!(u8).range(1..=i64::from(viseme::MAX_CROSSFADE_FRAMES)))]
    pub(crate) crossfade_frames: u8,
    /// What makes those frames: RIFE where it is installed, or our own flow
    #[arg(long, value_name = "auto|native|rife", default_value = "auto")]
    pub(crate) interpolator: viseme::InterpolatorChoice,
    /// How strongly faces are smoothed over time: 0 as they were seen, 1 over most of a second
    #[arg(long, value_name = "0-1", default_value_t = viseme::DEFAULT_SMOOTHING)]
    pub(crate) smoothing: f32,
    /// The engine that makes the mouths: native, or wav2lip, whose weights must be installed
    #[arg(long, default_value = "native")]
    pub(crate) engine: String,
    /// An option of the engine; wav2lip has `profile` (viseme, reference) and `model`
    #[arg(long = "engine-option", value_name = "NAME=VALUE", value_parser = parse_option)]
    pub(crate) engine_options: Vec<(String, String)>,
    /// The weights of the face nets: `clean` were trained on data of clear rights alone
    #[arg(long, default_value = "default")]
    pub(crate) weights: WeightsArgument,
    /// What looks for faces: our own net, an installed model, or the best that is installed
    #[arg(long, default_value = "native", value_name = "native|scrfd|yunet|s3fd|auto")]
    pub(crate) detector: viseme::DetectorChoice,
    /// How strongly the mouth moves, 1 is natural
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) expression: f32,
    #[command(flatten)]
    pub(crate) compute: ComputeArguments,
    /// Give a portrait picture slight head motion and blinks
    #[arg(long)]
    pub(crate) animate: bool,
    #[command(flatten)]
    pub(crate) enhance: EnhanceArguments,
    #[command(flatten)]
    pub(crate) encode: EncodeArguments,
    /// Look at the video anew and keep nothing of it for the next speech on it
    #[arg(long)]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

impl JobArguments {
    /// The job of the library that these arguments ask for.
    pub(crate) fn spec(self, video: PathBuf, audio: Option<PathBuf>, output: PathBuf) -> viseme::JobSpec {
        viseme::JobSpec {
            face: self.face,
            speaker_sense: self.speaker_sense,
            offset: self.offset,
            characters: self.characters.characters(),
            similarity: self.characters.similarity,
            start_s: self.start,
            end_s: self.end,
            loop_mode: self.loop_mode.into(),
            crossfade_frames: self.crossfade_frames,
            interpolator: self.interpolator,
            smoothing: self.smoothing,
            engine: viseme::EngineChoice {
                name: self.engine,
                expression: self.expression,
                options: self.engine_options.into_iter().collect(),
            },
            enhance: self.enhance.choice(),
            weights: self.weights.into(),
            detector: self.detector,
            runtime: self.compute.request(),
            still: viseme::StillOptions { animate: self.animate },
            encode: self.encode.options(),
            cache: !self.no_cache,
            limits: self.limits.limits(),
            audio,
            ..viseme::JobSpec::of_lines(video, [], output)
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BatchArguments {
    /// The jobs: JSON ([{"video": …, "audio": …, "output": …}, …]) or CSV whose first line names the columns
    /// (video,audio,output); paths are relative to the list
    pub(crate) list: PathBuf,
    /// How many jobs run at a time; one uses all cores by itself, and each takes memory of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// What the list leaves open
    #[command(flatten)]
    pub(crate) defaults: JobArguments,
    /// Print one JSON report on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Say where it is, what it holds and what it may hold
    Info {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove everything that is kept
    Clear,
}

/// What makes the faces sharper after the engine.
#[derive(Debug, Clone, Args)]
pub(crate) struct EnhanceArguments {
    /// Make the faces sharper with a net: gfpgan, codeformer, restoreformer or none
    #[arg(long, value_name = "ENHANCER", default_value_t = viseme::EnhancerName::None, help_heading = "Enhancing")]
    pub(crate) enhance: viseme::EnhancerName,
    /// How much of what it makes is taken, 0 to 1
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, help_heading = "Enhancing")]
    pub(crate) enhance_strength: f32,
    /// Which part of a face: mouth or face
    #[arg(long, value_name = "AREA", default_value_t = viseme::EnhanceArea::Mouth, help_heading = "Enhancing")]
    pub(crate) enhance_area: viseme::EnhanceArea,
    /// How close codeformer keeps to the face: 0 finest, 1 the same [default: 0.5]
    #[arg(long, value_name = "0-1", help_heading = "Enhancing")]
    pub(crate) fidelity: Option<f32>,
}

impl EnhanceArguments {
    /// The choice of the library that these arguments make.
    pub(crate) fn choice(&self) -> viseme::EnhanceChoice {
        viseme::EnhanceChoice {
            name: self.enhance,
            strength: self.enhance_strength,
            area: self.enhance_area,
            fidelity: self.fidelity,
            ..viseme::EnhanceChoice::default()
        }
    }
}

/// How the picture is encoded.
#[derive(Debug, Clone, Args)]
pub(crate) struct EncodeArguments {
    /// Video codec of the output
    #[arg(long, default_value = "h264", help_heading = "Encoding")]
    pub(crate) codec: CodecArgument,
    /// Quality of the picture: lower is better and larger [default: 16 for H.264]
    #[arg(long, value_name = "0-63", value_parser = clap::value_parser!(u8).range(0..=63), help_heading = "Encoding")]
    pub(crate) crf: Option<u8>,
    /// Speed of the encoder, in its own words [default: veryfast for H.264]
    #[arg(long, help_heading = "Encoding")]
    pub(crate) preset: Option<String>,
    /// Lose nothing: every sample outside the mouth stays the decoder's own
    #[arg(long, help_heading = "Encoding")]
    pub(crate) lossless: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    /// The media file
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FacesArguments {
    /// The video, or a picture
    pub(crate) video: PathBuf,
    #[command(flatten)]
    pub(crate) characters: CharacterArguments,
    /// Also write a video with boxes, landmarks and names drawn
    #[arg(long, value_name = "FILE.mp4")]
    pub(crate) preview: Option<PathBuf>,
    /// Also write a picture of up to 24 frames, spread in time, with the same drawn
    #[arg(long, value_name = "FILE.png")]
    pub(crate) contact_sheet: Option<PathBuf>,
    /// How strongly faces are smoothed over time: 0 as they were seen, 1 over most of a second
    #[arg(long, value_name = "0-1", default_value_t = viseme::DEFAULT_SMOOTHING)]
    pub(crate) smoothing: f32,
    /// Put the landmarks of every frame into the JSON
    #[arg(long)]
    pub(crate) landmarks: bool,
    /// Say who speaks in every frame: by LR-ASD where it is installed, or by our own measure
    #[arg(long, value_name = "auto|native|lr_asd", num_args = 0..=1, default_missing_value = "auto")]
    pub(crate) speaking: Option<viseme::SpeakerSenseChoice>,
    /// Use the video from this time on (seconds, or [h:]m:s)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) start: Option<f64>,
    /// Use the video up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) end: Option<f64>,
    /// The weights of the face nets: `clean` were trained on data of clear rights alone
    #[arg(long, default_value = "default")]
    pub(crate) weights: WeightsArgument,
    /// What looks for faces: our own net, an installed model, or the best that is installed
    #[arg(long, default_value = "native", value_name = "native|scrfd|yunet|s3fd|auto")]
    pub(crate) detector: viseme::DetectorChoice,
    #[command(flatten)]
    pub(crate) compute: ComputeArguments,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// The video
    pub(crate) video: PathBuf,
    /// The speech
    pub(crate) audio: PathBuf,
    /// How often each of the two is run, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,
    #[command(flatten)]
    pub(crate) encode: EncodeArguments,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

impl EncodeArguments {
    /// The options of the library that these arguments ask for.
    pub(crate) fn options(&self) -> viseme::EncodeOptions {
        let codec = match self.codec {
            CodecArgument::H264 => viseme::Codec::H264,
            CodecArgument::H265 => viseme::Codec::H265,
            CodecArgument::Av1 => viseme::Codec::Av1,
            CodecArgument::Vp9 => viseme::Codec::Vp9,
            CodecArgument::Ffv1 => viseme::Codec::Ffv1,
        };
        viseme::EncodeOptions { codec, crf: self.crf, preset: self.preset.clone(), lossless: self.lossless }
    }
}

/// What happens when the speech is longer than the video.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LoopArgument {
    /// The output ends with the shorter of the two (also: `cut_off`)
    #[value(alias = "cut_off")]
    None,
    /// The video starts again (also: loop)
    #[value(alias = "loop")]
    Repeat,
    /// The video runs backwards, then forwards again (also: bounce)
    #[value(alias = "bounce")]
    Pingpong,
    /// The video starts again, its last frames blended into its first ones
    Crossfade,
    /// As crossfade, from a place near the end that is like one near the start
    Smart,
    /// The last frame stays, the lips go on (also: silence)
    #[value(alias = "silence")]
    Hold,
    /// The video is slowed down, or sped up, to the length of the speech
    Remap,
}

impl From<LoopArgument> for viseme::LoopMode {
    fn from(argument: LoopArgument) -> Self {
        match argument {
            LoopArgument::None => Self::None,
            LoopArgument::Repeat => Self::Repeat,
            LoopArgument::Pingpong => Self::Pingpong,
            LoopArgument::Crossfade => Self::Crossfade,
            LoopArgument::Smart => Self::Smart,
            LoopArgument::Hold => Self::Hold,
            LoopArgument::Remap => Self::Remap,
        }
    }
}

/// The weights of the face nets.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WeightsArgument {
    /// The more exact ones
    Default,
    /// Trained on data of clear rights alone
    Clean,
}

impl From<WeightsArgument> for viseme::Weights {
    fn from(argument: WeightsArgument) -> Self {
        match argument {
            WeightsArgument::Default => Self::Default,
            WeightsArgument::Clean => Self::Clean,
        }
    }
}

/// Video codecs of the output.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CodecArgument {
    H264,
    H265,
    Av1,
    Vp9,
    Ffv1,
}

/// Reads `NAME=VALUE`.
fn parse_option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads `largest`, `all`, or the number of a face counted from 1.
fn parse_face(text: &str) -> Result<viseme::FaceChoice, String> {
    match text {
        "largest" => Ok(viseme::FaceChoice::Largest),
        "all" => Ok(viseme::FaceChoice::All),
        number => match number.parse() {
            Ok(n) if n > 0 => Ok(viseme::FaceChoice::Nth(n)),
            _ => Err(format!("'{text}' is not a face: write largest, all, or a number from 1")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
