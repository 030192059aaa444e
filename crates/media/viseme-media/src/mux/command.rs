//! The command line that joins streams.

use super::{SourceStreams, Speech};
use crate::container::Container;
use crate::input::{Input, file_url, preamble, strings};
use crate::{AudioInfo, OtherStream, StreamKind};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use viseme_core::{Result, Warning, WarningCode};

/// A command line in the making.
pub(super) struct Command {
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
    pub(super) fn new(container: Container) -> Self {
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

    pub(super) fn add_picture(&mut self, path: &Path) -> Result<()> {
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
    pub(super) fn add_speech(&mut self, speech: &Speech) -> Result<bool> {
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
        if is_copied(self.container, audio, is_mix) {
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

    pub(super) fn add_source(&mut self, source: &SourceStreams) -> Result<()> {
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

    pub(super) fn finish(
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

/// Whether a sound goes into the container as it is.
pub(super) fn is_copied(container: Container, audio: &AudioInfo, is_mix: bool) -> bool {
    !is_mix && container.takes_audio(&audio.codec)
}
