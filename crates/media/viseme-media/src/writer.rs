//! Encodes frames to a video file, at the times that they carry.

use crate::codec::{EncodeSettings, EncoderPlan, plan};
use crate::container::Container;
use crate::input::{file_url, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{ColourTags, FrameSink, Ratio, Tools, VideoInfo, WrittenVideo, nut};
use crossbeam_channel::{Sender, bounded};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ChildStdin;
use std::thread::JoinHandle;
use viseme_core::{Error, ErrorKind, Limits, Pts, Result, Timebase, Warning, WarningCode};
use viseme_imaging::{Frame, PixelFormat};

/// What the frames of an output have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputVideo {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Layout of the frames that will be written.
    pub format: PixelFormat,
    /// The colour description to write; what is `None` stays unsaid, as it was in the source.
    pub colour_tags: ColourTags,
    /// Width by height of a pixel; `None` to leave it unsaid.
    pub sample_aspect_ratio: Option<Ratio>,
    /// Unit of the frames' times. The file keeps it exactly.
    pub timebase: Timebase,
    /// Frames per second on average: a hint to the encoder.
    pub average_frame_rate: Ratio,
}

impl OutputVideo {
    /// The same picture as `source`, as its reader gives it.
    #[must_use]
    pub fn like(source: &VideoInfo) -> Self {
        Self {
            width: source.width,
            height: source.height,
            format: source.format,
            colour_tags: source.colour_tags.clone(),
            sample_aspect_ratio: source.sample_aspect_ratio,
            timebase: source.timebase,
            average_frame_rate: source.average_frame_rate,
        }
    }
}

/// Writes a file with a picture and no sound through an encoding child process.
///
/// The extension of the file decides its container. MP4 and `QuickTime` keep times exactly; FFV1 needs `QuickTime`, or
/// Matroska, which alone keeps the range of its samples. The file is whole only after [`FrameSink::finish`]; a writer that
/// is dropped before leaves an unfinished file. Equal frames and settings give equal bytes.
#[derive(Debug)]
pub struct VideoWriter {
    path: PathBuf,
    tools: Tools,
    limits: Limits,
    video: OutputVideo,
    child: Running,
    /// `None` once the last frame has been handed over.
    feed: Option<Sender<Vec<u8>>>,
    feeder: Option<JoinHandle<std::io::Result<()>>>,
    previous: Option<Pts>,
    frames: u64,
    warnings: Vec<Warning>,
}

impl VideoWriter {
    /// Starts an encoder that writes to `path`, which it replaces.
    ///
    /// # Errors
    /// When the settings are out of range, the container does not take the codec, or the encoder cannot be started.
    /// Faults of the output appear with the frames.
    pub fn create(
        tools: &Tools,
        path: &Path,
        video: &OutputVideo,
        settings: &EncodeSettings,
        limits: &Limits,
    ) -> Result<Self> {
        settings.validate()?;
        let container = Container::of(path)?;
        if !container.takes_video(settings.codec) {
            let message = format!("{container:?} cannot hold {:?}", settings.codec);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let encoder = plan(settings, video.format, (video.width, video.height))?;
        let arguments = arguments(path, video, container, &encoder);
        let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Stdin, limits)?;
        let stdin = child.take_stdin()?;
        // One frame waits while the next is made and the last is read by the encoder.
        let (feed, frames) = bounded::<Vec<u8>>(1);
        let feeder = std::thread::spawn(move || write_all(stdin, &frames));
        let mut writer = Self {
            path: path.to_owned(),
            tools: tools.clone(),
            limits: limits.clone(),
            video: video.clone(),
            child,
            feed: Some(feed),
            feeder: Some(feeder),
            previous: None,
            frames: 0,
            warnings: Vec::new(),
        };
        if encoder.drops_alpha {
            let message = format!("{:?} cannot hold the transparency of the source", settings.codec);
            writer.warnings.push(Warning::new(WarningCode::StreamDropped, message));
        }
        let size = (video.width, video.height);
        let aspect = video.sample_aspect_ratio;
        writer.hand_over(nut::header(
            video.format,
            size,
            aspect,
            video.timebase,
            video.average_frame_rate,
        ))?;
        Ok(writer)
    }

    /// What the codec could not keep.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn check(&self, frame: &Frame) -> Result<()> {
        let video = &self.video;
        if (frame.width, frame.height, frame.format) != (video.width, video.height, video.format) {
            return Err(Error::internal("a frame of another size or format than the output"));
        }
        if frame.pts < Pts(0) || self.previous.is_some_and(|previous| frame.pts <= previous) {
            return Err(Error::internal(format!("frame {} does not come after the one before", self.frames)));
        }
        Ok(())
    }

    fn hand_over(&mut self, bytes: Vec<u8>) -> Result<()> {
        match &self.feed {
            Some(feed) if feed.send(bytes).is_ok() => Ok(()),
            // The encoder has closed its end: its exit status says why.
            _ => Err(self.end().err().unwrap_or_else(|| Error::internal("the encoder ended too early"))),
        }
    }

    /// Lets the encoder finish and waits for it.
    fn end(&mut self) -> Result<()> {
        self.feed = None;
        let fed = self.feeder.take().map(JoinHandle::join);
        self.child.wait(&format!("encode {}", self.path.display()))?;
        match fed {
            Some(Ok(Ok(()))) | None => Ok(()),
            Some(Ok(Err(error))) => Err(Error::io("write to the encoder", error)),
            Some(Err(_)) => Err(Error::internal("the thread that feeds the encoder panicked")),
        }
    }
}

impl FrameSink for VideoWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.check(frame)?;
        let size = frame.byte_size();
        let mut bytes = nut::frame_header(frame.pts, size);
        bytes.reserve_exact(size);
        frame.write_bytes(&mut bytes);
        self.hand_over(bytes)?;
        self.previous = Some(frame.pts);
        self.frames += 1;
        if self.frames.is_multiple_of(32) {
            self.child.sample_memory();
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<WrittenVideo> {
        if self.frames == 0 {
            return Err(Error::internal("a video without a frame"));
        }
        self.child.sample_memory();
        self.end()?;
        let peak_memory_bytes = self.child.peak_memory_bytes();
        let written = WrittenVideo::read_back(&self.tools, &self.path, &self.limits, peak_memory_bytes)?;
        if written.frames != self.frames {
            let (frames, given) = (written.frames, self.frames);
            return Err(Error::internal(format!(
                "the encoder wrote {frames} frames of the {given} it was given"
            )));
        }
        Ok(written)
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        // The feeder ends when the encoder's end of the pipe closes.
        self.child.kill();
        self.feed = None;
        if let Some(feeder) = self.feeder.take() {
            // Whatever it says, the file is not wanted any more.
            let _ = feeder.join();
        }
    }
}

fn write_all(mut stdin: ChildStdin, frames: &crossbeam_channel::Receiver<Vec<u8>>) -> std::io::Result<()> {
    frames.iter().try_for_each(|bytes| stdin.write_all(&bytes))
}

fn arguments(path: &Path, video: &OutputVideo, container: Container, encoder: &EncoderPlan) -> Vec<OsString> {
    let (numerator, denominator) = (video.timebase.numerator(), video.timebase.denominator());
    let mut arguments = preamble("warning");
    // `-nostdin` is about the keyboard only. Times are taken as they are, and one thread decodes what needs no decoding.
    arguments.extend(strings(&["-copyts", "-threads", "1", "-filter_threads", "1"]));
    arguments.extend(strings(&["-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0"]));
    arguments.extend(strings(&["-map", "0:0", "-vf", &filters(video, encoder)]));
    arguments.extend(strings(&["-fps_mode", "passthrough"]));
    arguments.extend(strings(&["-enc_time_base", &format!("{numerator}/{denominator}")]));
    arguments.extend(encoder.arguments.iter().cloned());
    arguments.extend(strings(&["-pix_fmt", &encoder.pixel_format, "-flags:v", "+bitexact"]));
    if matches!(container, Container::Mp4 | Container::Mov) {
        // The time scales of the track and of the whole, so that a start later than zero is exact too.
        let scale = denominator.to_string();
        arguments.extend(strings(&["-video_track_timescale", &scale, "-movie_timescale", &scale]));
    }
    arguments.extend(strings(&["-fflags", "+bitexact", "-f", container.muxer(), "-y"]));
    arguments.push(file_url(path));
    arguments
}

/// Says what the samples mean, and converts those that the encoder does not take.
fn filters(video: &OutputVideo, encoder: &EncoderPlan) -> String {
    let tags = &video.colour_tags;
    let said = |tag: &Option<String>| tag.clone().filter(|tag| is_word(tag)).unwrap_or("unknown".to_owned());
    let (range, mut matrix) = (said(&tags.range), said(&tags.matrix));
    let (primaries, transfer) = (said(&tags.primaries), said(&tags.transfer));
    let flags = "flags=bicubic+accurate_rnd+full_chroma_int+bitexact";
    let mut filters = Vec::new();
    if encoder.rgb_becomes_yuv {
        filters.push(format!("scale=out_color_matrix=bt709:out_range=limited:{flags}"));
        filters.push(format!("format={}", encoder.pixel_format));
        "bt709".clone_into(&mut matrix);
        filters.push(set_params("tv", &matrix, &primaries, &transfer));
    } else {
        filters.push(set_params(&range, &matrix, &primaries, &transfer));
        filters.push(format!("scale={flags}"));
        filters.push(format!("format={}", encoder.pixel_format));
    }
    filters.join(",")
}

fn set_params(range: &str, matrix: &str, primaries: &str, transfer: &str) -> String {
    format!("setparams=range={range}:colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}")
}

/// Names of colour descriptions are plain words; anything else would be filter syntax.
fn is_word(tag: &str) -> bool {
    !tag.is_empty()
        && tag.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
