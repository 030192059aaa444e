//! Reads installed files again and compares their hashes.

use super::Store;
use crate::{Digest, digest};
use serde::Serialize;
use viseme_core::{ErrorKind, Observer, Result};

/// What was found of one installed file.
#[derive(Debug, Clone, Serialize)]
pub struct FileCheck {
    /// The model.
    pub id: String,
    /// The file.
    pub name: String,
    /// Whether it is what was installed.
    pub ok: bool,
    /// The hash that it had when it was installed.
    pub expected: Digest,
    /// The hash that it has now; `None` when it is gone.
    pub found: Option<Digest>,
}

impl Store {
    /// Checks every installed file of a model. Nothing is installed: nothing is checked.
    ///
    /// # Errors
    /// When there is no such model, or a file cannot be read. A file that is gone or changed is no error but a finding.
    pub fn verify(&self, id: &str, observer: &dyn Observer) -> Result<Vec<FileCheck>> {
        let model = self.manifest.model(id)?;
        let record = self.record(&model.id)?.unwrap_or_default();
        let check = |file: super::InstalledFile| {
            let path = self.folder(id).join(&file.name);
            let found = match digest::of_file_unless_cancelled(&path, observer) {
                Ok(digest) => Some(digest),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            let ok = found == Some(file.sha256);
            Ok(FileCheck { id: id.to_owned(), name: file.name, ok, expected: file.sha256, found })
        };
        record.files.into_iter().map(check).collect()
    }
}
