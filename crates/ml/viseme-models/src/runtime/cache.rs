//! One copy of a model in memory, however many jobs use it.

use super::{InferenceSession, Placement};
use crate::{ModelFile, ModelSource};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::SystemTime;
use viseme_core::{Error, Result};

/// The models that this process has loaded. It keeps none alive: a model goes with the last who uses it.
#[derive(Debug, Default)]
pub struct SessionCache {
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

/// Locked while the model is being loaded, so that nobody loads it a second time meanwhile.
type Slot = Mutex<Option<Weak<dyn InferenceSession>>>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    identity: Identity,
    placement: Placement,
    threads: NonZeroUsize,
    lanes: NonZeroUsize,
    reduced_precision: bool,
    first_row: Option<usize>,
}

/// What tells a model from another.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Bytes that stay where they are: their address and number.
    Embedded(usize, usize),
    /// A file, which counts as another one when it is changed.
    File { path: PathBuf, bytes: u64, modified: Option<SystemTime> },
}

impl SessionCache {
    /// The one of this process.
    #[must_use]
    pub fn of_process() -> Arc<Self> {
        static CACHE: LazyLock<Arc<SessionCache>> = LazyLock::new(Arc::default);
        Arc::clone(&CACHE)
    }

    /// The model as it was loaded for `placement` and precision before, else what `load` makes of it. Models in memory are not
    /// shared: nothing says whether two of them are the same.
    ///
    /// # Errors
    /// When the file cannot be found, or whatever `load` fails with; a failure is not kept.
    pub fn get_or_load(
        &self,
        model: &ModelFile,
        placement: Placement,
        reduced_precision: bool,
        load: impl FnOnce() -> Result<Arc<dyn InferenceSession>>,
    ) -> Result<Arc<dyn InferenceSession>> {
        let Some(identity) = identity(model)? else { return load() };
        let (threads, lanes, first_row) = (model.threads, model.lanes, model.first_row);
        let key = Key { identity, placement, threads, lanes, reduced_precision, first_row };
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.retain(|_, slot| is_in_use(slot));
            Arc::clone(slots.entry(key).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = slot.as_ref().and_then(Weak::upgrade) {
            return Ok(session);
        }
        let session = load()?;
        *slot = Some(Arc::downgrade(&session));
        Ok(session)
    }
}

/// Whether somebody holds the model or is loading it.
fn is_in_use(slot: &Arc<Slot>) -> bool {
    Arc::strong_count(slot) > 1
        || slot.try_lock().map_or(true, |weak| weak.as_ref().is_some_and(|weak| weak.strong_count() > 0))
}

fn identity(model: &ModelFile) -> Result<Option<Identity>> {
    match &model.source {
        ModelSource::Embedded(bytes) => Ok(Some(Identity::Embedded(bytes.as_ptr().addr(), bytes.len()))),
        ModelSource::Bytes(_) => Ok(None),
        ModelSource::File(path) => {
            let failed = |source| {
                Error::io(format_args!("read the model {} from {}", model.name, path.display()), source)
            };
            let found = path.metadata().map_err(failed)?;
            let path = path.canonicalize().map_err(failed)?;
            Ok(Some(Identity::File { path, bytes: found.len(), modified: found.modified().ok() }))
        }
    }
}
