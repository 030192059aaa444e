//! Reads the state dict of a PyTorch checkpoint. No code is ever run.
//!
//! A checkpoint is a pickle, which is a program for a stack machine, and raw storages that it refers to by key.
//! [`pickle`] runs that program on a machine that knows only the opcodes that PyTorch writes and only the names in
//! [`globals`]; anything else is an error that names it. Nothing is called: `OrderedDict` makes a list of pairs,
//! `_rebuild_tensor_v2` a description of a tensor.
//!
//! Three forms are read: the zip archive (PyTorch 1.6 and later), the older stream of pickles ([`legacy`]), and
//! TorchScript archives, whose objects are taken as plain bags of attributes and whose code is left alone.
//!
//! The values stay on disk: a tensor is read when asked for, by seeking, so that the state of an optimizer, two thirds
//! of `wav2lip_gan.pth`, is never touched.

mod globals;
mod legacy;
mod operands;
mod pickle;
mod state_dict;
mod storage;
mod value;
mod zip;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
pub(crate) use storage::Tensor;
use viseme_core::{Error, Result};

/// Where the bytes of a storage lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Region {
    start: u64,
    bytes: u64,
}

/// The tensors of a checkpoint by name, without `module.`, and the file that holds their values.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    file: File,
    tensors: BTreeMap<String, Tensor>,
    regions: HashMap<Rc<str>, Region>,
}

impl Checkpoint {
    /// Reads the names and layouts of the tensors.
    ///
    /// # Errors
    /// `InvalidInput` when the file is no checkpoint, is cut off, or asks for anything but tensors in dictionaries.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|source| Error::io("open the file", source))?;
        let mut start = Vec::new();
        file.by_ref().take(64).read_to_end(&mut start).map_err(read_failed)?;
        let (pickled, regions) = match start.as_slice() {
            [b'P', b'K', 3, 4, ..] => zip::read(&mut file)?,
            start if legacy::is_legacy(start) => legacy::read(&mut file)?,
            start => return Err(foreign(start)),
        };
        let tensors = state_dict::find(&pickled)?;
        Ok(Self { file, tensors, regions })
    }

    /// The tensor of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// All names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The values of a tensor as 32-bit floats in row-major order.
    ///
    /// # Errors
    /// `InvalidInput` when it reaches outside its storage, is too large, holds no floats, or holds NaN or infinity.
    pub(crate) fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>> {
        let region = self.regions.get(&tensor.storage.key);
        let region = region.ok_or_else(|| bad(format!("storage {} is missing", tensor.storage.key)))?;
        tensor.read(&mut self.file, *region)
    }
}

/// Says what a file that is no checkpoint looks like.
fn foreign(start: &[u8]) -> Error {
    let text = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
    let what = if start.is_empty() {
        "it is empty"
    } else if text.starts_with("<!doctype") || text.starts_with("<html") {
        "it is a web page, not the file that the page offers"
    } else if text.starts_with("version https://git-lfs") {
        "it is a Git LFS pointer, not the file that it points to"
    } else {
        "it is neither a zip archive nor a pickle stream of PyTorch"
    };
    bad(what)
}

fn bad(message: impl Into<String>) -> Error {
    Error::invalid_input(message)
}

/// A failed read: a file that ends too early is the file's fault.
fn read_failed(source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => bad("it is cut off"),
        io::ErrorKind::InvalidData => bad(format!("it is broken: {source}")),
        _ => Error::io("read it", source),
    }
}

#[cfg(test)]
mod tests;
