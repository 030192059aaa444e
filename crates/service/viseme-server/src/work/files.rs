//! Where the files of jobs lie, as whoever does a job sees it.

use crate::remote::HttpFiles;
use std::path::Path;
use viseme_core::Result;
use viseme_jobs::{ArtifactKey, Artifacts};

/// Where the files of jobs lie.
#[derive(Debug, Clone)]
pub(crate) enum JobFiles {
    /// Where the server keeps them: the worker shares that place.
    Shared(Artifacts),
    /// At the server, which hands them out and takes them.
    Remote(HttpFiles),
}

impl JobFiles {
    /// Copies a file to `to`: whole, or not at all.
    ///
    /// # Errors
    /// `NotFound` when it is not there any more; when it cannot be brought here.
    pub(super) async fn fetch_file(&self, key: &ArtifactKey, to: &Path) -> Result<()> {
        match self {
            Self::Shared(artifacts) => artifacts.fetch_file(key, to).await,
            Self::Remote(files) => files.fetch(key, to).await,
        }
    }

    /// Puts a copy of `file`, which nobody may write into any more, where files lie.
    ///
    /// # Errors
    /// `DiskFull` where there is no room; when it cannot be brought there.
    pub(super) async fn put_file(&self, key: &ArtifactKey, file: &Path, content_type: &str) -> Result<()> {
        match self {
            Self::Shared(artifacts) => artifacts.put_file(key, file, content_type).await.map(drop),
            Self::Remote(files) => files.put(key, file, content_type).await,
        }
    }
}
