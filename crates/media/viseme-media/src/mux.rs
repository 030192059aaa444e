//! Joins the picture that we made, the speech as it came, and what else the source had.

use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{AudioInfo, MediaInfo, OtherStream, OutputFile, StreamKind, Tools, WrittenVideo};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use viseme_core::{Limits, Result, Warning, WarningCode};

/// What goes into the finished file.
#[derive(Debug, Clone)]
pub struct MuxPlan<'a> {
    /// The picture, as [`VideoWriter`](crate::VideoWriter) made it.
    pub video: &'a WrittenVideo,
    /// The sound that the lips follow; `None` for a silent file.
    pub speech: Option<Speech<'a>>,
    /// Where the other streams, the chapters and the tags come from; `None` to keep none.
    pub source: Option<SourceStreams<'a>>,
    /// Length of the output in seconds: longer sound is cut there. The picture itself is never cut.
    pub duration_s: f64,
    /// Whether the file is to say that its picture was edited by AI. Only where it shows no frame of ours it need not.
    pub is_edited_by_ai: bool,
    /// More tags of the file: names of ffmpeg. They win over those of the source.
    pub tags: BTreeMap<String, String>,
}

/// A sound stream of a file.
#[derive(Debug, Clone, Copy)]
pub struct Speech<'a> {
    /// The file.
    pub path: &'a Path,
    /// The stream, as [`probe`](crate::probe()) describes it.
    pub audio: &'a AudioInfo,
    /// How much later than on its own clock it is heard, in seconds; below 0 earlier.
    pub delay_s: f64,
    /// Whether it is a [mix](crate::mix()) of our own: encoded as the container likes it, and not worth a warning.
    pub is_mix: bool,
}

/// The file whose picture was changed.
#[derive(Debug, Clone, Copy)]
pub struct SourceStreams<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is in it.
    pub info: &'a MediaInfo,
    /// The sound stream in whose place the speech comes, by its number; all others are kept.
    pub replaced_audio: Option<u32>,
}

/// What became of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuxReport {
    /// Streams that were encoded again or could not be kept.
    pub warnings: Vec<Warning>,
    /// Whether the speech is in the file bit for bit as it came.
    pub audio_copied: bool,
}

/// Joins the streams of `plan` in `output` and puts it in place.
///
/// Streams are copied wherever the container of the output takes them. All times stay as they are on the media's clock.
/// The file says that its picture was edited by AI with this version of Viseme, where it was.
///
/// # Errors
/// [`ErrorKind::Unsupported`](viseme_core::ErrorKind::Unsupported) for a container that we do not write, and whatever
/// keeps the file from being written; nothing is left behind then.
pub fn mux(tools: &Tools, plan: &MuxPlan, output: OutputFile, limits: &Limits) -> Result<MuxReport> {
    let container = Container::of(output.target())?;
    let mut command = Command::new(container);
    command.add_picture(&plan.video.path)?;
    let audio_copied = match &plan.speech {
        Some(speech) => command.add_speech(speech)?,
        None => true,
    };
    if let Some(source) = &plan.source {
        command.add_source(source)?;
    }
    let end_s = plan.duration_s.max(plan.video.end_s);
    let (arguments, warnings) = command.finish(&tags(plan), end_s, output.temporary_path());
    let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
    child.wait(&format!("write {}", output.target().display()))?;
    output.commit()?;
    Ok(MuxReport { warnings, audio_copied })
}

/// A command line in the making.
struct Command {
    container: Container,
    inputs: Vec<OsString>,
    input_count: usize,
    /// `-map` and what is said of each output stream.
    outputs: Vec<OsString>,
    audio_count: usize,
    subtitle_count: usize,
    video_count: usize,
    /// Input from which tags and chapters come.
    source: Option<usize>,
    warnings: Vec<Warning>,
}

impl Command {
    fn new(container: Container) -> Self {
        Self {
            container,
            inputs: Vec::new(),
            input_count: 0,
            outputs: Vec::new(),
            audio_count: 0,
            subtitle_count: 0,
            video_count: 0,
            source: None,
            warnings: Vec::new(),
        }
    }

    fn add_picture(&mut self, path: &Path) -> Result<()> {
        self.inputs.extend(Input::open(path)?.arguments());
        self.input_count += 1;
        self.map(0, 0);
        self.video_count += 1;
        Ok(())
    }

    /// Adds an input whose clock is `origin_s` ahead of ours.
    fn add_input(&mut self, path: &Path, origin_s: f64) -> Result<usize> {
        self.inputs.extend(strings(&["-itsoffset", &format!("{:.6}", -origin_s)]));
        self.inputs.extend(Input::open(path)?.arguments());
        self.input_count += 1;
        Ok(self.input_count - 1)
    }

    /// Returns whether the speech is copied.
    fn add_speech(&mut self, speech: &Speech) -> Result<bool> {
        let delay_s = self.container.copy_delay_s(&speech.audio.codec);
        let input = self.add_input(speech.path, speech.audio.origin_s - delay_s - speech.delay_s)?;
        let copied = self.add_audio(input, speech.audio, speech.is_mix);
        self.option(format!("-disposition:a:{}", self.audio_count - 1), "default");
        Ok(copied)
    }

    fn add_audio(&mut self, input: usize, audio: &AudioInfo, is_mix: bool) -> bool {
        let stream = self.audio_count;
        self.map(input, audio.stream_index);
        self.audio_count += 1;
        if !is_mix && self.container.takes_audio(&audio.codec) {
            return true;
        }
        let (encoder, options, name) = self.container.audio_encoder();
        self.option(format!("-c:a:{stream}"), encoder);
        for (option, value) in options {
            self.option(format!("-{option}:a:{stream}"), value);
        }
        // AAC ends at 96 kHz.
        if encoder == "aac" && audio.sample_rate_hz > 96_000 {
            self.option(format!("-ar:a:{stream}"), "48000");
        }
        if !is_mix {
            let message =
                format!("{:?} does not take {} sound: encoded as {name}", self.container, audio.codec);
            self.warnings.push(Warning::new(WarningCode::AudioReencoded, message));
        }
        false
    }

    fn add_source(&mut self, source: &SourceStreams) -> Result<()> {
        let input = self.add_input(source.path, source.info.origin_s)?;
        self.source = Some(input);
        let kept = source.info.audio.iter().filter(|audio| Some(audio.stream_index) != source.replaced_audio);
        for audio in kept {
            self.add_audio(input, audio, false);
            self.option(format!("-disposition:a:{}", self.audio_count - 1), "0");
        }
        for other in &source.info.other {
            // MP4 stores the titles of its chapters as a stream; they travel with the chapters.
            if source.info.chapters == 0 || other.codec != "bin_data" {
                self.add_other(input, other);
            }
        }
        Ok(())
    }

    fn add_other(&mut self, input: usize, other: &OtherStream) {
        let is_mp4 = matches!(self.container, Container::Mp4 | Container::Mov);
        match other.kind {
            StreamKind::Subtitle => {
                if let Some(codec) = self.container.subtitle_codec(&other.codec) {
                    self.map(input, other.stream_index);
                    self.option(format!("-c:s:{}", self.subtitle_count), codec);
                    self.subtitle_count += 1;
                    return;
                }
            }
            StreamKind::CoverPicture if is_mp4 && matches!(other.codec.as_str(), "mjpeg" | "png") => {
                self.map(input, other.stream_index);
                self.option(format!("-disposition:v:{}", self.video_count), "attached_pic");
                self.video_count += 1;
                return;
            }
            StreamKind::Attachment if self.container == Container::Matroska => {
                self.map(input, other.stream_index);
                return;
            }
            // Frames of a second picture show the old mouth; time code and telemetry are tied to the old file.
            _ => {}
        }
        let message =
            format!("{:?} stream {} ({}) was not kept", other.kind, other.stream_index, other.codec);
        self.warnings.push(Warning::new(WarningCode::StreamDropped, message));
    }

    fn map(&mut self, input: usize, stream: u32) {
        self.outputs.extend(strings(&["-map", &format!("{input}:{stream}")]));
    }

    fn option(&mut self, name: String, value: &str) {
        self.outputs.extend([OsString::from(name), OsString::from(value)]);
    }

    fn finish(
        self,
        tags: &BTreeMap<String, String>,
        end_s: f64,
        path: &Path,
    ) -> (Vec<OsString>, Vec<Warning>) {
        let mut arguments = preamble("warning");
        // Times of all inputs are taken as they are.
        arguments.push("-copyts".into());
        arguments.extend(self.inputs);
        arguments.extend(strings(&["-c", "copy"]));
        arguments.extend(self.outputs);
        let source = self.source.map_or("-1".to_owned(), |input| input.to_string());
        arguments.extend(strings(&["-map_metadata", &source, "-map_chapters", &source]));
        for (name, value) in tags {
            arguments.extend(strings(&["-metadata", &format!("{name}={value}")]));
        }
        // Opus and FLAC in MP4 were behind this switch for long. Deterministic: no random numbers, no date of today.
        arguments.extend(strings(&[
            "-strict",
            "experimental",
            "-fflags",
            "+bitexact",
            "-flags:a",
            "+bitexact",
        ]));
        if matches!(self.container, Container::Mp4 | Container::Mov) {
            arguments.extend(strings(&["-movflags", "+faststart"]));
        } else {
            // Without edit lists there is no time before zero: the packet with which an AAC or Vorbis encoder warms up
            // is left out, or the muxer would delay the picture by its length.
            arguments.extend(strings(&["-copypriorss:a", "0"]));
        }
        arguments.extend(strings(&["-t", &format!("{end_s:.6}"), "-f", self.container.muxer(), "-y"]));
        arguments.push(file_url(path));
        (arguments, self.warnings)
    }
}

/// The tags that we set: the caller's, and that the picture was edited by AI.
fn tags(plan: &MuxPlan) -> BTreeMap<String, String> {
    if !plan.is_edited_by_ai {
        return plan.tags.clone();
    }
    let version = env!("CARGO_PKG_VERSION");
    let label = format!("Edited by AI: lips synced with Viseme {version}");
    let mut tags = plan.tags.clone();
    for name in ["comment", "description"] {
        // Matroska writes the names of its tags in capitals.
        let of_source = plan.source.and_then(|source| {
            source.info.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        let text = match tags.get(name).or(of_source) {
            Some(old) if old.contains(&label) => old.clone(),
            Some(old) => format!("{label}. {old}"),
            None => label.clone(),
        };
        tags.insert(name.to_owned(), text);
    }
    tags
}
