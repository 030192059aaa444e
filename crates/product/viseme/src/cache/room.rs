//! Room in the cache: what was not used for longest goes first.

use super::WRITING;
use super::entry::SEAL;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use viseme_core::{Error, Result};

/// How the names of folders begin that are on their way out.
const REMOVING: &str = ".removing-";
/// A folder that was being written or removed so long ago belongs to a process that is no more.
pub(super) const FORGOTTEN: Duration = Duration::from_hours(1);
/// The same when the user wants everything gone: writing one takes seconds.
pub(super) const ENDED: Duration = Duration::from_mins(1);
/// Hexadecimal digits of an entry's name.
const NAME_LENGTH: usize = 64;

/// An entry as the cache counts it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    used: SystemTime,
}

/// What is in the cache, the longest unused first.
///
/// # Errors
/// When `root` is there and cannot be read.
pub(super) fn entries(root: &Path) -> Result<Vec<Entry>> {
    let found = match std::fs::read_dir(root) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(|source| Error::io(format_args!("read {}", root.display()), source))?,
    };
    let is_entry = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.len() == NAME_LENGTH && name.bytes().all(|byte| byte.is_ascii_hexdigit()) && path.is_dir()
    };
    let mut entries: Vec<Entry> =
        found.flatten().map(|found| found.path()).filter(is_entry).map(measure).collect();
    entries.sort_by_key(|entry| entry.used);
    Ok(entries)
}

fn measure(path: PathBuf) -> Entry {
    let files = std::fs::read_dir(&path).into_iter().flatten().flatten();
    let bytes = files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
    // Without a seal it is no entry any more, and may go at once.
    let used = std::fs::metadata(path.join(SEAL)).and_then(|metadata| metadata.modified());
    Entry { path, bytes, used: used.unwrap_or(SystemTime::UNIX_EPOCH) }
}

/// Removes the longest unused entries until the others take at most `most_bytes`.
///
/// # Errors
/// When the folder cannot be read or an entry cannot be removed.
pub(super) fn make_room(root: &Path, most_bytes: u64) -> Result<()> {
    let entries = entries(root)?;
    let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    for entry in entries {
        if bytes <= most_bytes {
            break;
        }
        remove(root, &entry.path)?;
        bytes -= entry.bytes;
    }
    Ok(())
}

/// Removes an entry. It is out of the way at once: nobody finds half of it. Open files stay readable.
///
/// # Errors
/// When it is still there.
pub(super) fn remove(root: &Path, entry: &Path) -> Result<()> {
    let aside = tempfile::Builder::new().prefix(REMOVING).tempdir_in(root);
    let moved = aside.and_then(|aside| {
        std::fs::rename(entry, aside.path().join("entry"))?;
        aside.close()
    });
    match moved {
        Err(source) if entry.exists() => Err(Error::io(format_args!("remove {}", entry.display()), source)),
        _ => Ok(()),
    }
}

/// Removes what processes left that were ended while they wrote or removed, if it is older than `age`.
pub(super) fn sweep(root: &Path, age: Duration) {
    let found = std::fs::read_dir(root).into_iter().flatten().flatten();
    let is_left = |name: &str| name.starts_with(WRITING) || name.starts_with(REMOVING);
    for found in found.filter(|found| found.file_name().to_str().is_some_and(is_left)) {
        let changed = found.metadata().and_then(|metadata| metadata.modified());
        let passed = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if passed.is_some_and(|passed| passed >= age) {
            let _ = std::fs::remove_dir_all(found.path());
        }
    }
}
