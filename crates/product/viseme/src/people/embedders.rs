//! What tells people apart, loaded when somebody asks.

use std::sync::Arc;
use viseme_core::Result;
use viseme_face::identity::{FaceEmbedder, native};
use viseme_face::{InstalledModels, Weights};
use viseme_models::{Runtimes, Store};

/// Where the embedder comes from.
#[derive(Debug)]
pub(crate) enum Embedders {
    /// The caller's.
    Given(Option<Arc<dyn FaceEmbedder>>),
    /// The best that is installed on this machine, our own with these weights where none is.
    Best(Arc<Runtimes>, Weights),
}

impl Embedders {
    /// Loads the embedder; none where there is none.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub(crate) fn open(&self) -> Result<Option<Arc<dyn FaceEmbedder>>> {
        match self {
            Self::Given(embedder) => Ok(embedder.clone()),
            // Without a folder for models nothing is installed.
            Self::Best(runtimes, weights) => match Store::open() {
                Ok(store) => {
                    InstalledModels::new(&store, runtimes.as_ref()).best_embedder(*weights).map(Some)
                }
                Err(_) => Ok(Some(Arc::new(native(runtimes.as_ref(), *weights)?))),
            },
        }
    }
}
