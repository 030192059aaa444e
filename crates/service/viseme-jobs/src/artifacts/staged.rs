//! Files under a temporary name beside the one that they will have.

use std::io;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use viseme_core::{Error, Result};

/// A new file beside its target. It is removed when dropped.
pub(super) struct Staged {
    /// What is written.
    pub(super) file: File,
    path: TempPath,
    target: PathBuf,
}

impl Staged {
    /// An empty file beside `target`, in a folder that is there.
    pub(super) fn beside(target: &Path) -> io::Result<Self> {
        let (file, path) = names().tempfile_in(folder_of(target))?.into_parts();
        Ok(Self { file: File::from_std(file), path, target: target.to_owned() })
    }

    /// Gives the file its name. What it holds is on the disk by then when it `is_kept` for good.
    pub(super) async fn publish(self, is_kept: bool) -> Result<()> {
        let Self { file, path, target } = self;
        let fault = |error| Error::io("write the file", error);
        if is_kept {
            file.sync_all().await.map_err(fault)?;
        }
        drop(file);
        blocking(move || {
            path.persist(&target).map_err(|error| error.error)?;
            if is_kept { sync_folder(&target) } else { Ok(()) }
        })
        .await
        .map_err(fault)
    }
}

/// Makes `target` a second name of `source`. Says `false` where the disk knows no such thing, or they lie on two.
pub(super) fn link(source: &Path, target: &Path) -> io::Result<bool> {
    let staged: NamedTempFile<()> =
        match names().make_in(folder_of(target), |path| std::fs::hard_link(source, path)) {
            Ok(staged) => staged,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => return Ok(false),
        };
    let path = staged.path().to_owned();
    staged.persist(target).map_err(|error| error.error)?;
    // Renaming one name of a file to another name of the same file does nothing, and leaves both.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}

/// Makes sure that a name survives the end of the machine.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder_of(file))?.sync_all() } else { Ok(()) }
}

/// Runs what waits for the disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Temporary names begin with a dot, which no [key](super::ArtifactKey) does.
fn names() -> tempfile::Builder<'static, 'static> {
    let mut names = tempfile::Builder::new();
    names.prefix(".").suffix(".part");
    names
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
