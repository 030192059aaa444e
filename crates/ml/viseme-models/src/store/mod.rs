//! Where models live on this machine, and how they get there.
//!
//! ```text
//! MODELS_DIR/
//!   wav2lip_gan/            one folder a model
//!     installed.json        what is installed, with hashes: written after the files
//!     wav2lip_gan.onnx
//!     NAME.part             a download that was cut; the next pull goes on from it
//!   runtimes/               ONNX Runtime's libraries: runtimes.rs
//!   .locks/                 one empty file a model: two pulls wait for each other
//!   trusted.json            hashes of files that were taken on trust when they first came
//! ```

mod import;
mod install;
mod location;
mod lock;
mod lookup;
mod onnx;
mod pull;
mod record;
mod remove;
mod runtimes;
mod verify;
mod wheel;

pub use import::Imported;
pub use location::StoreOptions;
pub use lookup::{InstalledGraph, InstalledModel, ModelState};
pub use pull::{PullOptions, Pulled};
pub use record::{Checked, InstalledFile, Origin, Record};
pub use runtimes::{InstalledRuntime, Wheel};
pub use verify::FileCheck;
pub use wheel::Member;

pub(crate) use record::RECORD;

use crate::Manifest;
use crate::download::Patience;
use std::path::{Path, PathBuf};
use viseme_core::Result;

/// The models of this machine.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    manifest: Manifest,
    mirror: Option<String>,
    allow_plain_http: bool,
    patience: Patience,
}

impl Store {
    /// The store that the environment names, with the built-in manifest and the user's own.
    ///
    /// # Errors
    /// When no folder can be found for it, or the user's manifest or mirror is not usable.
    pub fn open() -> Result<Self> {
        Self::with_options(StoreOptions::from_environment()?)
    }

    /// A store of one's own making.
    ///
    /// # Errors
    /// When the mirror is no address to download from.
    pub fn with_options(options: StoreOptions) -> Result<Self> {
        let StoreOptions { root, manifest, mirror, allow_plain_http, patience } = options;
        let mirror = mirror.map(|base| base.trim_end_matches('/').to_owned());
        if let Some(base) = &mirror {
            crate::download::Address::new(base, allow_plain_http)?;
        }
        Ok(Self { root, manifest, mirror, allow_plain_http, patience })
    }

    /// The folder of all models.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The models that can be installed.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder of one model. It need not exist.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }
}
