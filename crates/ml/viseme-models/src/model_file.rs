//! Which model to load, and how many cores it may use.

use crate::graph::rows_from;
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme_core::{Error, Result};

/// Most runs of one of our own nets at once: jobs that share a machine are about as many.
const MOST_SMALL_LANES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// Where the bytes of an ONNX model are.
#[derive(Clone)]
pub enum ModelSource {
    /// In the binary: one of our own nets.
    Embedded(&'static [u8]),
    /// In memory: made by a converter, say.
    Bytes(Arc<[u8]>),
    /// In a file, which the runtime reads by itself: no second copy is held.
    File(PathBuf),
}

impl fmt::Debug for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(bytes) => write!(f, "Embedded({} bytes)", bytes.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A model as a runtime gets it.
pub(crate) enum ModelGraph<'a> {
    /// A file that is run as it is, which the runtime may read by itself.
    File(&'a Path),
    /// The bytes of an ONNX model.
    Bytes(Cow<'a, [u8]>),
}

/// A model to load.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// What it is called in messages: "face detector", "wav2lip".
    pub name: String,
    /// Where it is.
    pub source: ModelSource,
    /// How many cores one run may use.
    pub threads: NonZeroUsize,
    /// How many runs may be under way at once on a processor. ONNX Runtime holds the weights once for each, `rten` once.
    pub lanes: NonZeroUsize,
    /// Whether 16-bit floats are good enough for what it does, where the user asks for speed.
    pub allows_reduced_precision: bool,
    /// The first row of its pictures that anybody looks at, where the others need not be made.
    pub first_row: Option<usize>,
}

impl ModelFile {
    /// One of our own nets, on one thread: they are too small to gain from more, and the other cores are busy with
    /// pixels and the encoder. Jobs side by side do not wait for each other.
    #[must_use]
    pub fn embedded(name: impl Into<String>, onnx: &'static [u8]) -> Self {
        Self {
            name: name.into(),
            source: ModelSource::Embedded(onnx),
            threads: NonZeroUsize::MIN,
            lanes: all_cores().min(MOST_SMALL_LANES),
            allows_reduced_precision: false,
            first_row: None,
        }
    }

    /// A model in a file, on all cores.
    #[must_use]
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            source: ModelSource::File(path.into()),
            threads: all_cores(),
            lanes: NonZeroUsize::MIN,
            allows_reduced_precision: false,
            first_row: None,
        }
    }

    /// A model in memory, on all cores.
    #[must_use]
    pub fn bytes(name: impl Into<String>, onnx: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            source: ModelSource::Bytes(onnx.into()),
            threads: all_cores(),
            lanes: NonZeroUsize::MIN,
            allows_reduced_precision: false,
            first_row: None,
        }
    }

    /// The same, on that many cores.
    #[must_use]
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// The same, but with that many runs at once that share its cores, as far as there is one for each.
    ///
    /// Runs on a core each wait for nobody, while the parts of one run on several cores wait for each other after every
    /// layer, longest where an encoder wants a core as well: docs/RUNTIMES.md.
    #[must_use]
    pub fn in_lanes(self, lanes: NonZeroUsize) -> Self {
        let lanes = lanes.min(self.threads);
        let threads = NonZeroUsize::new(self.threads.get() / lanes.get()).unwrap_or(NonZeroUsize::MIN);
        Self { threads, lanes, ..self }
    }

    /// The same, for a model whose result stays good enough with 16-bit floats.
    #[must_use]
    pub fn allowing_reduced_precision(self) -> Self {
        Self { allows_reduced_precision: true, ..self }
    }

    /// The same, for a model of whose pictures, `[n, channels, rows, columns]`, nobody looks at the rows before `first`: they are
    /// left out, and its output has so many rows less, where its graph is one of those that we know to cut. The others are
    /// the same to the bit where the runtime computes them in the same order.
    #[must_use]
    pub fn with_first_row(self, first: usize) -> Self {
        Self { first_row: Some(first), ..self }
    }

    /// The model as it is to be run.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn graph(&self) -> Result<ModelGraph<'_>> {
        match (&self.source, self.first_row) {
            (ModelSource::File(path), None) if path.is_file() => Ok(ModelGraph::File(path)),
            (_, None) => self.read().map(ModelGraph::Bytes),
            (_, Some(first)) => {
                let onnx = self.read()?;
                Ok(ModelGraph::Bytes(rows_from(&onnx, first)?.map_or(onnx, Cow::Owned)))
            }
        }
    }

    /// The bytes of the model, read where they are in a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match &self.source {
            ModelSource::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            ModelSource::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            ModelSource::File(path) => std::fs::read(path).map(Cow::Owned).map_err(|source| {
                Error::io(format_args!("read the model {} from {}", self.name, path.display()), source)
            }),
        }
    }
}

/// As many threads as the machine runs at once.
fn all_cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
