//! Where the files of a job lie while it is worked on.

use std::path::{Path, PathBuf};
use viseme_core::{Error, Result};
use viseme_jobs::JobId;

/// The folders of all jobs of a worker.
#[derive(Debug, Clone)]
pub(crate) struct WorkFolders {
    root: PathBuf,
}

/// The folder of one job.
#[derive(Debug, Clone)]
pub(crate) struct JobFolder {
    path: PathBuf,
}

impl WorkFolders {
    /// Folders in `root`, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be.
    pub(crate) fn new(root: PathBuf) -> Result<Self> {
        make(&root)?;
        Ok(Self { root })
    }

    /// The folder of a job, with what an earlier try has left in it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn of(&self, job: JobId) -> Result<JobFolder> {
        let path = self.path(job);
        make(&path)?;
        Ok(JobFolder { path })
    }

    /// Removes the folder of a job that has ended.
    pub(crate) async fn remove(&self, job: JobId) {
        if let Err(error) = tokio::fs::remove_dir_all(self.path(job)).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, %job, "cannot remove the folder of a job");
        }
    }

    /// The jobs that have a folder here.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn jobs(&self) -> Result<Vec<JobId>> {
        let failed = |source| Error::io("read the folder of the jobs", source);
        let entries = std::fs::read_dir(&self.root).map_err(failed)?;
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        Ok(entries.filter_map(name).collect())
    }

    /// `words` about a job without the paths of its folder.
    pub(crate) fn without_paths(&self, job: JobId, words: &str) -> String {
        let path = self.path(job);
        words.replace(&format!("{}/", path.display()), "").replace(&format!("{}/", self.root.display()), "")
    }

    fn path(&self, job: JobId) -> PathBuf {
        self.root.join(job.to_string())
    }
}

impl JobFolder {
    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn make(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| Error::io("make the folder of a job", source))
}
