//! Decodes the picture of a file: every frame once, upright, in its own planes, at its own times.

mod command;
mod frames;
mod showinfo;
mod timestamps;

use crate::input::Input;
use crate::process::Running;
use crate::{FrameSource, Tools, VideoInfo};
use crossbeam_channel::Receiver;
use frames::Decoded;
use std::path::Path;
use std::thread::JoinHandle;
use timestamps::Timestamps;
use viseme_core::{Error, ErrorKind, FrameIndex, Limits, Pts, Result, Warning, WarningCode};
use viseme_imaging::Frame;

/// Which frames to read. The default is all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The first frame wanted.
    pub start: ReadStart,
    /// How many frames at most; `None` for all that follow.
    pub frame_count: Option<u64>,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadStart {
    /// At the first frame.
    #[default]
    Beginning,
    /// At the frame with this number. Everything before it is decoded and dropped.
    Frame(FrameIndex),
    /// At the frame with this number, whose time is known from an earlier pass. Decoding starts at the key frame before
    /// it; where the file does not seek to exactly that frame, everything before it is decoded and dropped.
    Known(FrameIndex, Pts),
}

/// Reads the frames of a video through a decoding child process.
///
/// Decoding runs ahead by at most four frames or 32 MB, whichever is less (and always by one frame).
#[derive(Debug)]
pub struct VideoReader {
    info: VideoInfo,
    /// Name for errors.
    action: String,
    child: Running,
    /// `None` once the end has been reached.
    frames: Option<Receiver<Result<Decoded>>>,
    thread: Option<JoinHandle<()>>,
    timestamps: Timestamps,
    /// The frame that a seek has found.
    pending: Option<Decoded>,
    remaining: Option<u64>,
    read: u64,
    max_frames: u64,
}

impl VideoReader {
    /// Starts to decode the picture that `info`, made by [`probe`](crate::probe()), describes.
    ///
    /// # Errors
    /// When `path` is no longer the file that was probed, or the decoder cannot be started. Faults of the content
    /// appear with the frames.
    pub fn open(
        tools: &Tools,
        path: &Path,
        info: &VideoInfo,
        options: ReadOptions,
        limits: &Limits,
    ) -> Result<Self> {
        let input = Input::open(path)?;
        let open = |seek| Self::spawn(tools, &input, info, seek, options.frame_count, limits);
        match options.start {
            ReadStart::Beginning | ReadStart::Known(FrameIndex(0), _) => open(None),
            ReadStart::Frame(index) => open(None)?.skipping(index),
            ReadStart::Known(index, pts) => {
                if let Some(reader) = open(Some(pts))?.at(pts) {
                    return Ok(reader);
                }
                open(None)?.skipping(index)
            }
        }
    }

    /// What went less well than it should have: a damaged end that was left out. Complete after the last frame.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let message = self.child.reported_errors().map(|error| format!("damaged picture: {error}"));
        message.map(|message| Warning::new(WarningCode::TruncatedInput, message)).into_iter().collect()
    }

    /// The most memory that the decoder has had resident, in bytes; 0 where it cannot be told.
    #[must_use]
    pub fn peak_memory_bytes(&self) -> u64 {
        self.child.peak_memory_bytes()
    }

    fn spawn(
        tools: &Tools,
        input: &Input,
        info: &VideoInfo,
        seek: Option<Pts>,
        frame_count: Option<u64>,
        limits: &Limits,
    ) -> Result<Self> {
        let (listener, times) = showinfo::listener();
        let arguments = command::arguments(input, info, seek, limits);
        let wiring = crate::process::Wiring::Stdout;
        let mut child = Running::spawn_listening(&tools.ffmpeg, &arguments, wiring, limits, listener)?;
        let (frames, thread) = frames::read_in_background(child.take_stdout()?, times, info);
        Ok(Self {
            info: info.clone(),
            action: format!("decode {}", input.display()),
            child,
            frames: Some(frames),
            thread: Some(thread),
            timestamps: Timestamps::new(info),
            pending: None,
            remaining: frame_count,
            read: 0,
            max_frames: limits.frames,
        })
    }

    /// Drops the frames before the one at `pts`; `None` when the seek has missed it, and decoding has to begin anew.
    fn at(mut self, pts: Pts) -> Option<Self> {
        let raw = Pts(pts.0 + self.info.origin.0);
        let mut next = self.decoded().ok()??;
        // Decoded from anywhere else, frames would be gray until the next key frame.
        if !next.is_intra {
            return None;
        }
        while next.frame.pts < raw {
            next = self.decoded().ok()??;
        }
        if next.frame.pts != raw {
            return None;
        }
        self.pending = Some(next);
        Some(self)
    }

    /// Drops the frames before `index`.
    fn skipping(mut self, index: FrameIndex) -> Result<Self> {
        for _ in 0..index.0 {
            if self.receive()?.is_none() {
                break;
            }
        }
        Ok(self)
    }

    /// The next frame with its final time.
    fn receive(&mut self) -> Result<Option<Frame>> {
        let decoded = match self.pending.take() {
            Some(pending) => Some(pending),
            None => self.decoded()?,
        };
        Ok(decoded.map(|Decoded { mut frame, .. }| {
            frame.pts = self.timestamps.repaired(frame.pts);
            frame
        }))
    }

    /// The next frame of the child.
    fn decoded(&mut self) -> Result<Option<Decoded>> {
        let Some(frames) = &self.frames else { return Ok(None) };
        let Ok(decoded) = frames.recv() else { return self.end().map(|()| None) };
        // Asking the operating system costs less than a thousandth of decoding as many frames.
        if self.read % 32 == 8 {
            self.child.sample_memory();
        }
        self.read += 1;
        if self.read > self.max_frames {
            let message = format!("cannot {}: more than {} frames", self.action, self.max_frames);
            return Err(Error::new(ErrorKind::LimitExceeded, message)
                .with_hint("Raise the limit with --max-duration if you mean it."));
        }
        decoded.map(Some)
    }

    fn end(&mut self) -> Result<()> {
        self.frames = None;
        self.child.wait(&self.action)?;
        if self.read == 0 {
            let cause = self.child.reported_errors().unwrap_or_else(|| "it holds no frame".to_owned());
            return Err(Error::invalid_input(format!("cannot {}: {cause}", self.action)));
        }
        Ok(())
    }
}

impl FrameSource for VideoReader {
    fn info(&self) -> &VideoInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>> {
        if self.remaining == Some(0) {
            return Ok(None);
        }
        let frame = self.receive()?;
        if let Some(remaining) = &mut self.remaining {
            *remaining -= 1;
        }
        Ok(frame)
    }
}

impl Drop for VideoReader {
    fn drop(&mut self) {
        // In this order, or the thread would wait for room in the channel for ever.
        self.frames = None;
        self.child.kill();
        if let Some(thread) = self.thread.take() {
            // It only fails if it panicked, and then its frames are gone anyway.
            let _ = thread.join();
        }
    }
}
