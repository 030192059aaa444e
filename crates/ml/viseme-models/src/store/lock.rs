//! One process at a time changes a model.

use super::Store;
use std::fs::{File, TryLockError};
use std::time::Duration;
use viseme_core::{Error, Observer, Result, Warning, WarningCode};

/// How often a waiting process looks again.
const INTERVAL: Duration = Duration::from_millis(100);

/// Held while a model is changed. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl Store {
    /// Waits until no other process changes the model `name`.
    pub(super) fn lock(&self, name: &str, observer: &dyn Observer) -> Result<Lock> {
        let folder = self.root.join(".locks");
        let path = folder.join(name);
        let action = || format!("lock {}", path.display());
        let hint = "Set MODELS_DIR to a folder that can be written.";
        let file = std::fs::create_dir_all(&folder)
            .and_then(|()| File::create(&path))
            .map_err(|source| Error::io(action(), source).with_hint(hint))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::Error(source)) => return Err(Error::io(action(), source)),
                Err(TryLockError::WouldBlock) => {}
            }
            if observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            if !std::mem::replace(&mut told, true) {
                let message = format!("waiting for another process that is busy with {name}");
                observer.warn(&Warning::new(WarningCode::Waiting, message));
            }
            std::thread::sleep(INTERVAL);
        }
    }
}
