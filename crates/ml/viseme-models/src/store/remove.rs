//! Takes models off the disk.

use super::{RECORD, Store};
use viseme_core::{Error, Observer, Result};

impl Store {
    /// Removes a model, what was downloaded of it so far included. Gives the bytes that became free; `None` when there
    /// was nothing of it.
    ///
    /// # Errors
    /// When there is no such model, or the system refuses.
    pub fn remove(&self, id: &str, observer: &dyn Observer) -> Result<Option<u64>> {
        let model = self.manifest.model(id)?;
        let folder = self.folder(&model.id);
        if !folder.is_dir() {
            return Ok(None);
        }
        let _lock = self.lock(id, observer)?;
        let failed = |source| Error::io(format_args!("remove {}", folder.display()), source);
        let entries = std::fs::read_dir(&folder).map_err(failed)?;
        let bytes = entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len()).sum();
        // The record first: what is half removed is not installed.
        match std::fs::remove_file(folder.join(RECORD)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        std::fs::remove_dir_all(&folder).map_err(failed)?;
        Ok(Some(bytes))
    }
}
