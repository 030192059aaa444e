//! Jobs that go on where an earlier run of them was ended.
//!
//! The output is rendered in [chunks] of some hundred frames, each by an encoder of its own. A whole chunk is sealed in the
//! [folder] of the job, in the way of the cache of analyses, under a [key] that says everything it depends on. Another run of
//! the job finds it there and makes what is missing. In the end the chunks are joined packet by packet.
//!
//! Whether a chunk was found or made changes no byte of the result: every run begins each chunk anew, with a decoder, batches
//! and an encoder of its own, and an engine makes of a frame what the frame and the plan ask for, whatever it made before.

mod chunks;
mod folder;
mod key;

pub(crate) use chunks::Chunks;
pub(crate) use folder::JobFolder;
pub(crate) use key::basis;

use std::path::{Path, PathBuf};

/// Frames of a chunk: at such frames x264 and x265 begin a closed group of pictures by themselves where nothing has made them begin
/// one before (`keyint`), so that chunks cost next to nothing.
const CHUNK_FRAMES: u64 = 250;

/// Where a job keeps its work, so that another run of it goes on from there.
///
/// The folder is the job's own: new, empty, or left by an earlier run. It holds as much as the output, twice while that is put
/// together, and what was learnt of the video where no [cache](crate::AnalysisCache) keeps it. Work of another job in it, or of
/// this one with other inputs, settings or versions, is removed and not used. After success the folder is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    pub(crate) folder: PathBuf,
    pub(crate) chunk_frames: u64,
}

impl Checkpoints {
    /// Keeps the work in `folder`, which is made where it is not there.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), chunk_frames: CHUNK_FRAMES }
    }

    /// The same, but the work is kept every `frames` frames in place of every 250. Fewer lose less when a run is ended and
    /// make a larger file; the bytes of the output depend on it.
    #[must_use]
    pub fn every(self, frames: u64) -> Self {
        Self { chunk_frames: frames.max(1), ..self }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
