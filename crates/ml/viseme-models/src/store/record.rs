//! What is installed, and where it came from: `installed.json` in the folder of each model, `trusted.json` beside them.

use super::Store;
use crate::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Result};

/// Name of the record in a model's folder.
pub(crate) const RECORD: &str = "installed.json";
/// Name of the list of hashes that were taken on trust.
const TRUSTED: &str = "trusted.json";

/// What is installed of one model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The form that was installed.
    pub form: String,
    /// Its files, in the order in which they came.
    pub files: Vec<InstalledFile>,
}

/// One installed file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledFile {
    /// Name in the model's folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Hash of it as it is installed.
    pub sha256: Digest,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an installed file came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The file that was pulled or imported; another than the installed one where a checkpoint became a graph.
    pub name: String,
    /// Its hash.
    pub sha256: Digest,
    /// The server and path, or the path of the user's file.
    pub from: String,
    /// What its hash was checked against.
    pub checked: Checked,
}

/// What the hash of a file was checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// The manifest's.
    Manifest,
    /// The one noted when it was first downloaded.
    FirstDownload,
    /// Nothing: the user says that it is this model. It could be read, and its tensors are the expected ones.
    Nothing,
}

impl Store {
    /// What is installed of a model. `None` when nothing is.
    ///
    /// # Errors
    /// When the record is there and cannot be read.
    pub fn record(&self, id: &str) -> Result<Option<Record>> {
        read(&self.folder(id).join(RECORD)).map_err(|error| {
            error.with_hint(format!("viseme models rm {id} removes it, so that it can be pulled again."))
        })
    }

    /// Adds files to the record of a model; files of the same name are replaced.
    pub(super) fn add_to_record(&self, id: &str, form: &str, files: Vec<InstalledFile>) -> Result<()> {
        let mut record = self.record(id)?.unwrap_or_default();
        form.clone_into(&mut record.form);
        record.files.retain(|old| files.iter().all(|new| new.name != old.name));
        record.files.extend(files);
        write(&self.folder(id).join(RECORD), &record)
    }

    /// The hash that a file had when it was first taken on trust.
    pub(super) fn trusted(&self, id: &str, file: &str) -> Result<Option<Digest>> {
        Ok(self.all_trusted()?.get(&key(id, file)).copied())
    }

    /// Notes the hash of a file taken on trust. It outlives the file, so that the next download is held to it.
    pub(super) fn trust(&self, id: &str, file: &str, digest: Digest) -> Result<()> {
        let _lock = self.lock(".trusted", &viseme_core::Silent)?;
        let mut all = self.all_trusted()?;
        all.insert(key(id, file), digest);
        write(&self.root.join(TRUSTED), &all)
    }

    fn all_trusted(&self) -> Result<BTreeMap<String, Digest>> {
        Ok(read(&self.root.join(TRUSTED))?.unwrap_or_default())
    }
}

fn key(id: &str, file: &str) -> String {
    format!("{id}/{file}")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| {
            Error::internal(format!("{} is damaged: {source}", path.display())).with_source(source)
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format_args!("read {}", path.display()), error)),
    }
}

/// Writes JSON so that the name holds the old content or the new one, never half of it.
fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let action = || format!("write {}", path.display());
    let text =
        serde_json::to_vec_pretty(value).map_err(|source| Error::internal(action()).with_source(source))?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|source| Error::io(action(), source))
}
