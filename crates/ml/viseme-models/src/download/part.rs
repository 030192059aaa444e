//! The part of a file that has come so far, and what is needed to go on with it.

use super::{Address, Wanted};
use crate::digest::{Digest, Hasher};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use viseme_core::{Error, Observer, Result};

/// Where a part came from: kept beside it as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Origin {
    /// Digest of the address, which itself may hold secrets.
    address: String,
    /// The server's strong tag of the version of the file.
    etag: Option<String>,
}

/// What to ask for so that the rest comes.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The first byte that is missing.
    pub(super) start: u64,
    /// Send the rest only when the file still has this tag, else all of it.
    pub(super) if_range: Option<String>,
}

/// `NAME.part` beside the target, hashed as far as it goes.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    origin_path: PathBuf,
    file: File,
    hasher: Hasher,
    bytes: u64,
    origin: Option<Origin>,
    resumed: bool,
}

impl Part {
    /// Opens what an earlier download left, or begins a new one.
    pub(super) fn open(target: &Path, observer: &dyn Observer) -> Result<Self> {
        let path = beside(target, ".part");
        let origin_path = beside(target, ".part.json");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::io(format_args!("write {}", path.display()), source))?;
        let mut hasher = Hasher::default();
        let mut step = |_| if observer.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) };
        let bytes = hasher
            .read(&mut file, &mut step)
            .map_err(|failure| failure.into_error(format_args!("read {}", path.display())))?;
        let origin = std::fs::read(&origin_path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Ok(Self { path, origin_path, file, hasher, bytes, origin, resumed: bytes > 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Whether its beginning is from an earlier request.
    pub(super) fn was_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether a download from `address` may go on where this part ends: it is of the same version of the same file,
    /// or the hash will tell.
    pub(super) fn continues(&self, address: &Address, wanted: &Wanted) -> bool {
        let same_version = self
            .origin
            .as_ref()
            .is_some_and(|origin| origin.address == address.key() && origin.etag.is_some());
        self.bytes == 0
            || (wanted.bytes.is_none_or(|bytes| self.bytes <= bytes)
                && (wanted.sha256.is_some() || same_version))
    }

    /// What to ask `address` for. `None`: all of it.
    pub(super) fn range(&self, address: &Address) -> Option<Range> {
        let origin = self.origin.as_ref().filter(|origin| origin.address == address.key());
        let if_range = origin.and_then(|origin| origin.etag.clone());
        (self.bytes > 0).then_some(Range { start: self.bytes, if_range })
    }

    /// Notes where the bytes come from, before they do.
    pub(super) fn remember(&mut self, address: &Address, etag: Option<&str>) -> Result<()> {
        let origin = Origin { address: address.key(), etag: etag.map(str::to_owned) };
        self.resumed = self.bytes > 0;
        if self.origin.as_ref() == Some(&origin) {
            return Ok(());
        }
        let text = serde_json::to_vec(&origin)
            .map_err(|source| Error::internal("cannot write the origin of a download").with_source(source))?;
        std::fs::write(&self.origin_path, text).map_err(|source| self.error(source))?;
        self.origin = Some(origin);
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| self.error(source))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what came so far.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(|source| self.error(source))?;
        self.hasher = Hasher::default();
        self.bytes = 0;
        self.origin = None;
        self.resumed = false;
        Ok(())
    }

    /// Empties it, so that it goes when this object does.
    pub(super) fn discard(&mut self) {
        // Best effort: what is left is hashed before it is ever used.
        let _ = self.restart();
    }

    /// Gives the file its name.
    pub(super) fn finish(self, target: &Path) -> Result<()> {
        // Without this a crash of the machine could leave the name with only part of the content.
        self.file.sync_all().map_err(|source| self.error(source))?;
        std::fs::rename(&self.path, target)
            .map_err(|source| Error::io(format_args!("write {}", target.display()), source))?;
        let _ = std::fs::remove_file(&self.origin_path);
        Ok(())
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::io(format_args!("write {}", self.path.display()), source)
            .with_hint("Set MODELS_DIR to a folder with more room.")
    }
}

/// A part with nothing in it is of no use to anyone.
impl Drop for Part {
    fn drop(&mut self) {
        if self.bytes == 0 {
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(&self.origin_path);
        }
    }
}

fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
