//! What is learnt of a video, kept from one job to the next: a second speech on the same video need not find and follow
//! its faces again.
//!
//! An entry is a folder named after the [key](key) that says everything its content depends on, the video's own bytes
//! first of all. It is written under another name, sealed with the hashes of its files and renamed when it is whole, so
//! that whatever has that name and matches its hashes is right, and anything else is not there at all.

mod analysis;
mod entry;
mod key;
mod room;

pub(crate) use analysis::{Asked, analyse};
pub(crate) use key::Instruments;

use entry::{make_folder, restrict, seal, unseal};
use key::Key;
use room::{make_room, remove, sweep};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use viseme_core::{Error, Result};

/// The folder of the cache.
const FOLDER: &str = "VISEME_CACHE_DIR";
/// How large it may grow, in megabytes of a million bytes; 0 turns the cache off.
const MEGABYTES: &str = "VISEME_CACHE_MB";
/// How large it may grow when nothing is said: some dozens of talks of ten minutes at 1080p.
const DEFAULT_BYTES: u64 = 2_000_000_000;

/// How the names of folders begin that are being written.
const WRITING: &str = ".writing-";

/// Whether a job found what it needed in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheUse {
    /// It was not asked: turned off, or the engine cannot go on from what another job has learnt.
    Off,
    /// Nothing was there: the video was looked at.
    Miss,
    /// The faces and what the engine had studied were there: the video was not looked at.
    Hit,
}

/// Analyses of videos on disk. Any number of processes may use one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisCache {
    root: PathBuf,
    most_bytes: u64,
}

/// What is in a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheInfo {
    /// Where it is.
    pub folder: PathBuf,
    /// How many analyses it holds.
    pub entries: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub most_bytes: u64,
}

impl AnalysisCache {
    /// A cache in `root` that holds at most `most_bytes`. The folder is made when there is something to keep.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, most_bytes: u64) -> Self {
        Self { root: root.into(), most_bytes }
    }

    /// The cache of this user: in `VISEME_CACHE_DIR` or else the system's folder for caches
    /// (`~/.cache/viseme/analyses`), of at most `VISEME_CACHE_MB` megabytes or else 2000. `None` where that is 0, or
    /// there is no home folder.
    ///
    /// # Errors
    /// `InvalidInput` when `VISEME_CACHE_MB` is not a number.
    pub fn from_environment() -> Result<Option<Self>> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let most_bytes = set(MEGABYTES).map_or(Ok(DEFAULT_BYTES), |value| {
            let megabytes = value.to_str().and_then(|value| value.trim().parse::<u64>().ok());
            let said = value.to_string_lossy().into_owned();
            megabytes.map(|count| count.saturating_mul(1_000_000)).ok_or_else(|| {
                Error::invalid_input(format!("{MEGABYTES} is '{said}', not a number of megabytes"))
                    .with_hint("0 turns the cache off.")
            })
        })?;
        if most_bytes == 0 {
            return Ok(None);
        }
        let system = || {
            let strategy = etcetera::choose_base_strategy().ok()?;
            Some(etcetera::BaseStrategy::cache_dir(&strategy).join("viseme").join("analyses"))
        };
        Ok(set(FOLDER).map(PathBuf::from).or_else(system).map(|root| Self::new(root, most_bytes)))
    }

    /// What is in it.
    ///
    /// # Errors
    /// When the folder cannot be read. One that is not there is empty.
    pub fn info(&self) -> Result<CacheInfo> {
        let entries = room::entries(&self.root)?;
        Ok(CacheInfo {
            folder: self.root.clone(),
            entries: entries.len() as u64,
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            most_bytes: self.most_bytes,
        })
    }

    /// Removes everything from it and says what that was. Jobs that are using it go on.
    ///
    /// # Errors
    /// When the folder cannot be read or something in it cannot be removed.
    pub fn clear(&self) -> Result<CacheInfo> {
        let info = self.info()?;
        for entry in room::entries(&self.root)? {
            remove(&self.root, &entry.path)?;
        }
        sweep(&self.root, room::ENDED);
        Ok(info)
    }

    /// The folder of an entry that is whole. One that is damaged is removed.
    fn find(&self, key: &Key) -> Option<PathBuf> {
        let path = self.root.join(key.name());
        if !path.is_dir() {
            return None;
        }
        if unseal(&path, key) {
            return Some(path);
        }
        let _ = remove(&self.root, &path);
        None
    }

    /// Keeps what `fill` puts into a folder under `key`. What another process has kept under it meanwhile is as good.
    ///
    /// # Errors
    /// When the folder cannot be written or `fill` fails. Nothing is left of it then.
    fn keep(&self, key: &Key, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let failed = |source| Error::io(format_args!("write the cache {}", self.root.display()), source);
        make_folder(&self.root).map_err(failed)?;
        sweep(&self.root, room::FORGOTTEN);
        let writing = writing_folder(&self.root).map_err(failed)?;
        fill(writing.path())?;
        let bytes = seal(writing.path(), key)?;
        if bytes > self.most_bytes {
            return Err(Error::invalid_input(format!(
                "it takes {bytes} bytes, more than all of the cache may"
            ))
            .with_hint("VISEME_CACHE_MB says how large the cache may grow."));
        }
        make_room(&self.root, self.most_bytes - bytes)?;
        let path = self.root.join(key.name());
        match std::fs::rename(writing.path(), &path) {
            Err(source) if !is_taken(&source) => return Err(failed(source)),
            _ => entry::sync_folder(&self.root),
        }
        Ok(())
    }
}

/// A new folder for an entry, removed when the value goes unless it was renamed. Only its owner sees into it: an entry
/// holds pictures of mouths.
fn writing_folder(root: &Path) -> std::io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(WRITING).tempdir_in(root)?;
    restrict(folder.path())?;
    Ok(folder)
}

fn is_taken(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty)
}

#[cfg(test)]
mod tests;
