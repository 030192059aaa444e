//! One entry: a folder of files, and a seal that says which bytes they were.

use super::key::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;
use viseme_core::{Error, Result};
use viseme_models::Digest;

/// The file that makes a folder an entry. Its time of change is the time of the last use.
pub(super) const SEAL: &str = "seal.json";
/// A seal is some kilobytes: a longer one is none.
const MOST_SEAL_BYTES: u64 = 4 << 20;

/// What an entry is of, and the hashes of its files.
#[derive(Debug, Serialize, Deserialize)]
struct Seal {
    key: serde_json::Value,
    files: BTreeMap<String, Digest>,
}

/// Seals the files of `folder` and gives their bytes. They are on the disk when it returns.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn seal(folder: &Path, key: &Key) -> Result<u64> {
    let failed = |source| Error::io(format_args!("write {}", folder.display()), source);
    let (mut files, mut bytes) = (BTreeMap::new(), 0);
    for found in std::fs::read_dir(folder).map_err(failed)? {
        let found = found.map_err(failed)?;
        bytes += found.metadata().map_err(failed)?.len();
        files.insert(found.file_name().to_string_lossy().into_owned(), hash(&found.path())?);
        sync(&found.path()).map_err(failed)?;
    }
    let seal = Seal { key: key.parts().clone(), files };
    let text = serde_json::to_vec(&seal)
        .map_err(|source| Error::internal(format!("cannot write a seal: {source}")).with_source(source))?;
    let path = folder.join(SEAL);
    std::fs::write(&path, &text).and_then(|()| sync(&path)).map_err(failed)?;
    sync_folder(folder);
    Ok(bytes + text.len() as u64)
}

/// Whether `folder` is the entry of `key`, whole and unchanged. It then counts as used just now.
pub(super) fn unseal(folder: &Path, key: &Key) -> bool {
    let Some(seal) = read_seal(&folder.join(SEAL)) else { return false };
    let is_unchanged =
        |(name, digest): (&String, &Digest)| hash(&folder.join(name)).is_ok_and(|found| found == *digest);
    let is_whole = seal.key == *key.parts() && seal.files.iter().all(is_unchanged);
    if is_whole {
        // An entry that cannot be marked is only forgotten earlier.
        let _ = File::options()
            .append(true)
            .open(folder.join(SEAL))
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
    is_whole
}

fn read_seal(path: &Path) -> Option<Seal> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(MOST_SEAL_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn hash(path: &Path) -> Result<Digest> {
    Digest::of_file(path, &mut |_| Ok(()))
}

fn sync(path: &Path) -> io::Result<()> {
    File::options().append(true).open(path)?.sync_all()
}

/// Sees to it that the names in a folder are on the disk. Not every system can; the hashes stand in for it.
pub(super) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Makes a folder that only its owner sees into. One that is there is left as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    restrict(folder)
}

/// Lets nobody but its owner into a folder.
#[cfg(unix)]
pub(super) fn restrict(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// The folders of a user are their own on this system.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(super) fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}
