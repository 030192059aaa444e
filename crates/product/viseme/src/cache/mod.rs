//! What is learnt of a video, kept from one job to the next: a second speech on the same video need not find and follow
//! its faces again.
//!
//! An entry of the [store](store) is named after the [key](key) that says everything its content depends on, the video's own
//! bytes first of all.

mod analysis;
mod entry;
mod key;
mod room;
mod store;

pub(crate) use analysis::{Asked, analyse};
pub(crate) use entry::make_folder;
pub(crate) use key::{Instruments, Key, content, program};
pub(crate) use store::EntryStore;

use room::{remove, sweep};
use serde::Serialize;
use std::path::PathBuf;
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
    store: EntryStore,
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
        Self { store: EntryStore::new(root.into(), most_bytes) }
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
        let EntryStore { root, most_bytes } = &self.store;
        let entries = room::entries(root)?;
        Ok(CacheInfo {
            folder: root.clone(),
            entries: entries.len() as u64,
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            most_bytes: *most_bytes,
        })
    }

    /// Removes everything from it and says what that was. Jobs that are using it go on.
    ///
    /// # Errors
    /// When the folder cannot be read or something in it cannot be removed.
    pub fn clear(&self) -> Result<CacheInfo> {
        let info = self.info()?;
        let root = &self.store.root;
        for entry in room::entries(root)? {
            remove(root, &entry.path)?;
        }
        sweep(root, room::ENDED);
        Ok(info)
    }
}

#[cfg(test)]
mod tests;
