//! What a folder of this machine can do that a bucket cannot.

use super::fault::Fault;
use super::key::ArtifactKey;
use super::room::no_room;
use super::staged::{Staged, blocking, link, sync_folder};
use object_store::local::LocalFileSystem;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use viseme_core::{Error, Result};

/// What is left free on the disk for everything else.
const KEPT_FREE: u64 = 512 << 20;

/// A file that changed longer ago than this is copied, not linked: a link has the age of the file, and the store goes by
/// when a file came.
const FRESH: Duration = Duration::from_mins(10);

/// Tries to put a file into a folder that somebody else removes because it is empty.
const TRIES: usize = 5;

/// A folder that files lie in.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens a folder, makes it where it is not there.
    pub(super) fn open(folder: &Path) -> Result<(Self, LocalFileSystem)> {
        let fault = |error| Error::io("make the folder for the files of jobs", error);
        make_folder(folder).map_err(fault)?;
        let root = folder.canonicalize().map_err(fault)?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|error| error.into_error("open the folder for the files of jobs"))?;
        Ok((Self { root }, store.with_automatic_cleanup(true)))
    }

    /// Where a file lies, or would.
    pub(super) fn path(&self, key: &ArtifactKey) -> PathBuf {
        key.parts().iter().fold(self.root.clone(), |path, part| path.join(part))
    }

    /// Puts a file there and says how long it is.
    pub(super) async fn put(&self, key: &ArtifactKey, file: &Path) -> Result<u64> {
        let target = self.path(key);
        let source = file.to_owned();
        let fault = |error| Error::io("store the file", error);
        let place = target.clone();
        if let Some(bytes) = blocking(move || put_link(&source, &place)).await.map_err(fault)? {
            return Ok(bytes);
        }
        let mut source =
            tokio::fs::File::open(file).await.map_err(|error| Error::io("read the file", error))?;
        let mut staged =
            blocking(move || in_folder_of(&target, || Staged::beside(&target))).await.map_err(fault)?;
        let bytes = tokio::io::copy(&mut source, &mut staged.file).await.map_err(fault)?;
        staged.publish(true).await?;
        Ok(bytes)
    }

    /// Makes `to` a second name of a file. Says `false` where the disk cannot, or the file is not there.
    pub(super) async fn share(&self, key: &ArtifactKey, to: &Path) -> Result<bool> {
        let (source, to) = (self.path(key), to.to_owned());
        match blocking(move || link(&source, &to)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("write the file", error)),
            outcome => Ok(outcome.unwrap_or(false)),
        }
    }

    /// `DiskFull` when `more` bytes do not fit on the disk with something left for everything else.
    pub(super) fn check_disk(&self, more: u64) -> Result<()> {
        let Some(free) = free_bytes(&self.root) else { return Ok(()) };
        let left = free.saturating_sub(KEPT_FREE);
        if more > left {
            return Err(no_room(more, left)
                .with_hint("The disk of the service is full: delete jobs, or give it a larger one."));
        }
        Ok(())
    }
}

/// Puts a link to a fresh file there and says how long it is; none where it must be copied.
fn put_link(source: &Path, target: &Path) -> io::Result<Option<u64>> {
    // Where `source` is a link itself, the file is meant.
    let source = source.canonicalize()?;
    let file = std::fs::File::open(&source)?;
    let about = file.metadata()?;
    if about.modified()?.elapsed().is_ok_and(|age| age > FRESH) {
        return Ok(None);
    }
    file.sync_all()?;
    if !in_folder_of(target, || link(&source, target))? {
        return Ok(None);
    }
    sync_folder(target)?;
    Ok(Some(about.len()))
}

/// Does something in the folder of a file, which is made when it is not there, or no longer.
fn in_folder_of<T>(file: &Path, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let folder = file.parent().unwrap_or(file);
    for _ in 1..TRIES {
        make_folder(folder)?;
        match work() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
    }
    make_folder(folder)?;
    work()
}

/// Makes a folder for nobody but its owner, and those above it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Free bytes of the disk that a folder lies on, where they can be known.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}
