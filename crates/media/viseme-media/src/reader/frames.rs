//! Cuts the decoder's raw output into frames, on a thread of its own.

use super::showinfo::FrameLine;
use super::timestamps::MISSING;
use crate::VideoInfo;
use crossbeam_channel::{Receiver, bounded};
use std::io::Read;
use std::thread::JoinHandle;
use viseme_core::{Error, Pts, Result};
use viseme_imaging::{Frame, PixelFormat};

/// Most frames decoded ahead.
const MAX_FRAMES_AHEAD: usize = 4;
/// Most bytes decoded ahead, unless a single frame is larger.
const MAX_BYTES_AHEAD: usize = 8 << 20;

/// A frame as it came: its time is not yet shifted or repaired.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) frame: Frame,
    /// Whether it was coded without reference to other frames.
    pub(super) is_intra: bool,
}

/// Starts the thread that pairs each frame of `stdout` with its line. It ends with the output, or when the receiver goes.
pub(super) fn read_in_background(
    stdout: impl Read + Send + 'static,
    lines: Receiver<FrameLine>,
    info: &VideoInfo,
) -> (Receiver<Result<Decoded>>, JoinHandle<()>) {
    let (format, width, height) = (info.format, info.width, info.height);
    let ahead = (MAX_BYTES_AHEAD / format.frame_bytes(width, height).max(1)).clamp(1, MAX_FRAMES_AHEAD);
    // The thread itself holds one more frame.
    let (sender, receiver) = bounded(ahead - 1);
    let thread = std::thread::spawn(move || {
        let mut cutter = Cutter { stdout, lines, format, width, height, bytes: Vec::new() };
        while let Some(frame) = cutter.next_frame().transpose() {
            let failed = frame.is_err();
            if sender.send(frame).is_err() || failed {
                break;
            }
        }
    });
    (receiver, thread)
}

struct Cutter<R> {
    stdout: R,
    lines: Receiver<FrameLine>,
    format: PixelFormat,
    width: u32,
    height: u32,
    /// The bytes of one frame, kept to be filled again.
    bytes: Vec<u8>,
}

impl<R: Read> Cutter<R> {
    fn next_frame(&mut self) -> Result<Option<Decoded>> {
        let expected = self.format.frame_bytes(self.width, self.height);
        self.bytes.clear();
        self.stdout
            .by_ref()
            .take(expected as u64)
            .read_to_end(&mut self.bytes)
            .map_err(|error| Error::io("read from the decoder", error))?;
        // A decoder that is killed leaves part of a frame; its exit status then tells the story.
        if self.bytes.len() < expected {
            return Ok(None);
        }
        let Ok(line) = self.lines.recv() else {
            return Err(Error::internal("the decoder gave a frame without saying its time"));
        };
        let pts = line.pts.map_or(MISSING, Pts);
        let frame = Frame::from_bytes(pts, self.format, self.width, self.height, &self.bytes)?;
        Ok(Some(Decoded { frame, is_intra: line.is_intra }))
    }
}
