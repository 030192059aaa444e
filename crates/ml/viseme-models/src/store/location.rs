//! What the environment says about the store.

use crate::Manifest;
use crate::download::Patience;
use etcetera::BaseStrategy;
use std::path::PathBuf;
use viseme_core::{Error, Result};

/// The folder of all models.
const MODELS_DIR: &str = "MODELS_DIR";
/// A server that has every file as `BASE/MODEL/FILE`; it is asked in place of the manifest's addresses.
const MIRROR: &str = "VISEME_MODELS_MIRROR";
/// `1`: plain http is allowed.
const ALLOW_HTTP: &str = "VISEME_MODELS_ALLOW_HTTP";
/// A TOML file with models of the user's own.
const MANIFEST: &str = "VISEME_MODELS_MANIFEST";

/// How a [`Store`](super::Store) is set up.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The folder of all models. It is made when the first model comes.
    pub root: PathBuf,
    /// The models that can be installed.
    pub manifest: Manifest,
    /// Asked in place of the manifest's addresses: `BASE/MODEL/FILE`.
    pub mirror: Option<String>,
    /// Whether plain `http` to other machines is allowed.
    pub allow_plain_http: bool,
    /// How long to wait for a server.
    pub patience: Patience,
}

impl StoreOptions {
    /// Reads `MODELS_DIR`, `VISEME_MODELS_MIRROR`, `VISEME_MODELS_ALLOW_HTTP` and `VISEME_MODELS_MANIFEST`.
    ///
    /// # Errors
    /// When there is no home folder and no `MODELS_DIR`, or the user's manifest cannot be read.
    pub fn from_environment() -> Result<Self> {
        let mut manifest = Manifest::embedded()?;
        if let Some(path) = set(MANIFEST) {
            manifest.add(Manifest::read(&PathBuf::from(path))?)?;
        }
        let root = match set(MODELS_DIR) {
            Some(folder) => PathBuf::from(folder),
            None => data_folder()?,
        };
        Ok(Self {
            root,
            manifest,
            mirror: set(MIRROR).map(|base| base.to_string_lossy().into_owned()),
            allow_plain_http: set(ALLOW_HTTP).is_some_and(|value| value == "1"),
            patience: Patience::default(),
        })
    }
}

/// A variable that is set to something.
fn set(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// `~/.local/share/viseme/models` on Linux and macOS (or below `XDG_DATA_HOME`), `%APPDATA%\viseme\models` on Windows.
fn data_folder() -> Result<PathBuf> {
    let strategy = etcetera::choose_base_strategy().map_err(|source| {
        Error::invalid_input("there is no home folder to keep models in")
            .with_source(source)
            .with_hint("Set MODELS_DIR to a folder for them.")
    })?;
    Ok(strategy.data_dir().join("viseme").join("models"))
}
