//! Decodes sound to mono samples on the media's clock.

use crate::input::{Input, preamble, strings};
use crate::process::{Running, Wiring};
use crate::{AudioInfo, Tools, probe};
use crossbeam_channel::{Receiver, bounded};
use std::io::Read;
use std::path::Path;
use std::thread::JoinHandle;
use viseme_core::{Error, ErrorKind, Limits, Result};

/// Samples of one chunk: a second at 16 kHz.
const CHUNK_SAMPLES: usize = 16_384;
/// Chunks decoded ahead.
const CHUNKS_AHEAD: usize = 4;

/// Reads one sound stream, mixed to one channel, as floats from -1 to 1 at a given rate.
///
/// The first sample is the one at the media's time zero: a stream that starts later begins with silence, one that starts
/// earlier is cut, and gaps in its timestamps are filled with silence, so that sample `n` belongs to `n / rate` seconds.
#[derive(Debug)]
pub struct AudioReader {
    action: String,
    child: Running,
    /// `None` once the end has been reached.
    chunks: Option<Receiver<Result<Vec<f32>>>>,
    thread: Option<JoinHandle<()>>,
    samples_left: u64,
}

impl AudioReader {
    /// Opens the sound that players choose in the file `path`.
    ///
    /// # Errors
    /// As [`probe`]; and [`ErrorKind::InvalidInput`] for a file without sound.
    pub fn open(tools: &Tools, path: &Path, sample_rate_hz: u32, limits: &Limits) -> Result<Self> {
        let info = probe(tools, path, limits)?;
        let audio = info
            .default_audio()
            .ok_or_else(|| Error::invalid_input(format!("{} has no sound", path.display())))?;
        Self::open_stream(tools, path, audio, sample_rate_hz, limits)
    }

    /// Opens the sound stream that `audio`, made by [`probe`], describes.
    ///
    /// # Errors
    /// When `path` is no longer the file that was probed, or the decoder cannot be started.
    pub fn open_stream(
        tools: &Tools,
        path: &Path,
        audio: &AudioInfo,
        sample_rate_hz: u32,
        limits: &Limits,
    ) -> Result<Self> {
        let input = Input::open(path)?;
        let arguments = arguments(&input, audio, sample_rate_hz);
        let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Stdout, limits)?;
        let (chunks, thread) = read_in_background(child.take_stdout()?);
        Ok(Self {
            action: format!("decode the sound of {}", input.display()),
            child,
            chunks: Some(chunks),
            thread: Some(thread),
            samples_left: (limits.duration_s.max(0.0) * f64::from(sample_rate_hz)) as u64,
        })
    }

    /// The next samples; `None` after the last.
    ///
    /// # Errors
    /// When the sound cannot be decoded, or is longer than the limit.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<f32>>> {
        let Some(chunks) = &self.chunks else { return Ok(None) };
        let Ok(chunk) = chunks.recv() else {
            self.chunks = None;
            self.child.wait(&self.action)?;
            return Ok(None);
        };
        let chunk = chunk?;
        self.samples_left = self.samples_left.checked_sub(chunk.len() as u64).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded, format!("cannot {}: it is too long", self.action))
                .with_hint("Raise the limit with --max-duration if you mean it.")
        })?;
        Ok(Some(chunk))
    }
}

impl Drop for AudioReader {
    fn drop(&mut self) {
        // In this order, or the thread would wait for room in the channel for ever.
        self.chunks = None;
        self.child.kill();
        if let Some(thread) = self.thread.take() {
            // It only fails if it panicked, and then its samples are gone anyway.
            let _ = thread.join();
        }
    }
}

fn arguments(input: &Input, audio: &AudioInfo, sample_rate_hz: u32) -> Vec<std::ffi::OsString> {
    let rate = sample_rate_hz.to_string();
    let mut arguments = preamble("warning");
    arguments.extend(strings(&["-copyts", "-threads", "1", "-filter_threads", "1"]));
    arguments.extend(input.arguments());
    // `async=1` fills gaps and cuts overlaps but never stretches; `first_pts=0` makes the first sample that of time 0.
    let filters = format!("asetpts=PTS-({:.6})/TB,aresample={rate}:async=1:first_pts=0", audio.origin_s);
    let stream = format!("0:{}", audio.stream_index);
    arguments.extend(strings(&["-map", &stream, "-vn", "-sn", "-dn", "-af", &filters]));
    arguments.extend(strings(&["-ac", "1", "-ar", &rate, "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]));
    arguments
}

fn read_in_background(
    mut stdout: impl Read + Send + 'static,
) -> (Receiver<Result<Vec<f32>>>, JoinHandle<()>) {
    let (sender, receiver) = bounded(CHUNKS_AHEAD);
    let thread = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = stdout.by_ref().take(CHUNK_SAMPLES as u64 * 4).read_to_end(&mut bytes);
            let chunk = match read {
                Ok(0) => return,
                Ok(_) => Ok(samples_of(&bytes)),
                Err(error) => Err(Error::io("read from the decoder", error)),
            };
            if sender.send(chunk).is_err() {
                return;
            }
        }
    });
    (receiver, thread)
}

fn samples_of(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
