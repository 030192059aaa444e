//! Entries in one folder, each a folder of its own. It is written under another name, sealed with the hashes of its files and
//! renamed when it is whole, so that whatever has an entry's name and matches its hashes is right, and anything else is not
//! there at all. Any number of processes may use one store.

use super::WRITING;
use super::entry::{self, make_folder, restrict, seal, unseal};
use super::key::Key;
use super::room::{self, make_room, remove, sweep};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use viseme_core::{Error, Result};

/// A folder of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryStore {
    pub(super) root: PathBuf,
    pub(super) most_bytes: u64,
}

impl EntryStore {
    /// Entries in `root` that together take at most `most_bytes` (`u64::MAX` is without a limit): what was not used for longest makes room. The folder is
    /// made when there is something to keep.
    pub(crate) fn new(root: PathBuf, most_bytes: u64) -> Self {
        Self { root, most_bytes }
    }

    /// The folder of an entry that is whole. One that is damaged is removed.
    pub(crate) fn find(&self, key: &Key) -> Option<PathBuf> {
        let path = self.path(key);
        if !path.is_dir() {
            return None;
        }
        if unseal(&path, key) {
            return Some(path);
        }
        let _ = remove(&self.root, &path);
        None
    }

    /// Keeps what `fill` puts into a folder under `key`, and says where. What another process has kept under it meanwhile is
    /// as good.
    ///
    /// # Errors
    /// When the folder cannot be written or `fill` fails. Nothing is left of it then.
    pub(crate) fn keep(&self, key: &Key, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let failed = |source| Error::io(format_args!("write {}", self.root.display()), source);
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
        if self.most_bytes < u64::MAX {
            make_room(&self.root, self.most_bytes - bytes)?;
        }
        let path = self.path(key);
        match std::fs::rename(writing.path(), &path) {
            Err(source) if !is_taken(&source) => return Err(failed(source)),
            _ => entry::sync_folder(&self.root),
        }
        Ok(path)
    }

    /// Removes all but the entries of `keys`.
    ///
    /// # Errors
    /// When the folder cannot be read or something in it cannot be removed.
    pub(crate) fn keep_only<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> Result<()> {
        let kept: BTreeSet<PathBuf> = keys.into_iter().map(|key| self.path(key)).collect();
        for entry in room::entries(&self.root)?.iter().filter(|entry| !kept.contains(&entry.path)) {
            remove(&self.root, &entry.path)?;
        }
        Ok(())
    }

    /// Removes what is being written, or was when a process was killed: for who has the store to himself.
    pub(crate) fn tidy(&self) {
        sweep(&self.root, Duration::ZERO);
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.name())
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
