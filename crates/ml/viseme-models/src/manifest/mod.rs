//! Which models there are: what each is for, its files with addresses and hashes, its licence, its tensors.
//!
//! The entries are TOML files in `manifest/` beside this crate's sources, built into the binary.

mod read;

use crate::{Architecture, Digest};
use serde::{Deserialize, Serialize};
use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};

/// The TOML files of this crate.
const EMBEDDED: [&str; 6] = [
    include_str!("../../manifest/lip_sync.toml"),
    include_str!("../../manifest/detection.toml"),
    include_str!("../../manifest/landmarks.toml"),
    include_str!("../../manifest/identity.toml"),
    include_str!("../../manifest/enhancement.toml"),
    include_str!("../../manifest/speech.toml"),
];

/// All models that can be installed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The models, in the order of the files.
    #[serde(rename = "model", default)]
    pub models: Vec<Model>,
}

/// One model: what it does, what one may do with it, and the forms in which its weights are handed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Short name, used on the command line and as the name of its folder: lower case, digits, `_`.
    pub id: String,
    /// What it does, in one line.
    pub purpose: String,
    /// The part of Viseme that uses it.
    pub used_by: String,
    /// SPDX expression or the name of the licence.
    pub licence: String,
    /// Whether the licence of the weights allows commercial use.
    pub commercial_use: CommercialUse,
    /// Page of the authors.
    pub source: String,
    /// What else one should know.
    #[serde(default)]
    pub note: String,
    /// The forms in which it can be installed, the preferred one first. Any one of them is enough.
    #[serde(rename = "form")]
    pub forms: Vec<Form>,
}

/// Whether weights may be used commercially.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommercialUse {
    /// The licence allows it.
    Yes,
    /// The licence, or that of the training data, forbids it.
    No,
    /// No licence is stated, or its parts contradict each other.
    Unclear,
}

impl CommercialUse {
    /// The word used in tables: `yes`, `no`, `unclear`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unclear => "unclear",
        }
    }
}

/// One set of files that together make a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Short name: who made the files or what they are.
    pub name: String,
    /// The files.
    #[serde(rename = "file")]
    pub files: Vec<FileEntry>,
}

/// One file as it is handed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// File name, in the store and on a mirror.
    pub name: String,
    /// Addresses, tried in order. None: the file can only be imported, or pulled from a mirror.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Its hash, or `None` (`"unknown"` in the TOML) where none is publicly known.
    #[serde(with = "read::or_unknown")]
    pub sha256: Option<Digest>,
    /// Its size, or `None` (`"unknown"`).
    #[serde(with = "read::or_unknown")]
    pub bytes: Option<u64>,
    /// Where hash and size were read.
    pub evidence: Evidence,
    /// How to make or find the file when it cannot be pulled.
    #[serde(default)]
    pub note: String,
    /// The graphs in it. A checkpoint becomes these graphs when it is installed; a file of bare weights has none.
    #[serde(rename = "graph", default)]
    pub graphs: Vec<Graph>,
}

/// How far the hash and the size of a file can be relied on before it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Computed from the file itself.
    Measured,
    /// Read in several independent public repositories.
    Several,
    /// Read in one public repository only.
    One,
    /// Nothing is known.
    None,
}

/// An ONNX graph and its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// What it does within the model: engines ask for it by this name.
    pub part: String,
    /// Where the file is a checkpoint: what it becomes.
    #[serde(default)]
    pub conversion: Option<Conversion>,
    /// Its inputs; empty where they are not known.
    #[serde(default)]
    pub inputs: Vec<TensorSpec>,
    /// Its outputs; empty where they are not known.
    #[serde(default)]
    pub outputs: Vec<TensorSpec>,
}

/// The ONNX file that a checkpoint becomes when it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// Name of the ONNX file in the store.
    pub name: String,
    /// The net whose weights the checkpoint holds.
    #[serde(with = "read::architecture")]
    pub architecture: Architecture,
}

/// Name and shape of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Its name in the graph.
    pub name: String,
    /// Its shape, one word per axis: a length, or a name for one that varies.
    pub shape: Vec<Axis>,
    /// Layout, channel order and range of the values.
    #[serde(default)]
    pub values: String,
}

/// The length of one axis of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Axis {
    /// Always this long.
    Fixed(u64),
    /// Varies, or not known.
    Named(String),
}

impl std::fmt::Display for Axis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(length) => write!(f, "{length}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Manifest {
    /// The manifest that is built in.
    ///
    /// # Errors
    /// None in a released binary: a test reads it.
    pub fn embedded() -> Result<Self> {
        let mut all = Self::default();
        for text in EMBEDDED {
            all.add(Self::parse(text).map_err(|error| Error::internal(error.to_string()))?)?;
        }
        Ok(all)
    }

    /// Reads a manifest of the user's own, in the same format.
    ///
    /// # Errors
    /// When the file cannot be read or says something that does not hold together.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::io(format_args!("read {}", path.display()), source))?;
        Self::parse(&text).map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Adds the models of `other`.
    ///
    /// # Errors
    /// When both have a model of the same name.
    pub fn add(&mut self, other: Self) -> Result<()> {
        for model in other.models {
            if self.models.iter().any(|known| known.id == model.id) {
                return Err(Error::invalid_input(format!("there are two models named '{}'", model.id)));
            }
            self.models.push(model);
        }
        Ok(())
    }

    /// The model of this name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    pub fn model(&self, id: &str) -> Result<&Model> {
        self.models.iter().find(|model| model.id == id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no model named '{id}'"))
                .with_hint("viseme models list shows the models there are.")
        })
    }

    /// The model, form and file that this hash belongs to.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Option<(&Model, &Form, &FileEntry)> {
        self.models.iter().find_map(|model| {
            let files = model.forms.iter().flat_map(|form| form.files.iter().map(move |file| (form, file)));
            let mut same = files.filter(|(_, file)| file.sha256 == Some(digest));
            same.next().map(|(form, file)| (model, form, file))
        })
    }
}

impl Model {
    /// The form of this name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] with the names there are.
    pub fn form(&self, name: &str) -> Result<&Form> {
        self.forms.iter().find(|form| form.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.forms.iter().map(|form| form.name.as_str()).collect();
            Error::invalid_input(format!("{} has no form named '{name}'", self.id))
                .with_hint(format!("It comes as: {}.", names.join(", ")))
        })
    }
}

impl Form {
    /// Whether every file of it has an address.
    #[must_use]
    pub fn is_pullable(&self) -> bool {
        self.files.iter().all(|file| !file.urls.is_empty())
    }

    /// Whether the hash of every file of it is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.files.iter().all(|file| file.sha256.is_some())
    }
}

impl FileEntry {
    /// Whether it is a checkpoint, which becomes ONNX graphs when it is installed.
    #[must_use]
    pub fn is_checkpoint(&self) -> bool {
        self.graphs.iter().any(|graph| graph.conversion.is_some())
    }

    /// Whether it is an ONNX graph as it stands.
    #[must_use]
    pub fn is_onnx(&self) -> bool {
        !self.graphs.is_empty() && !self.is_checkpoint()
    }

    /// The names that its content has in the store.
    #[must_use]
    pub fn installed_names(&self) -> Vec<&str> {
        if self.is_checkpoint() {
            self.graphs.iter().map(|graph| self.installed_name(graph)).collect()
        } else {
            vec![self.name.as_str()]
        }
    }

    /// The name of the ONNX file that holds one of its graphs.
    #[must_use]
    pub fn installed_name<'a>(&'a self, graph: &'a Graph) -> &'a str {
        graph.conversion.as_ref().map_or(self.name.as_str(), |conversion| conversion.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_manifest_holds_together() {
        let manifest = Manifest::embedded().unwrap();
        assert!(manifest.models.len() > 20);
        for model in &manifest.models {
            for file in model.forms.iter().flat_map(|form| &form.files) {
                for url in &file.urls {
                    assert!(url.starts_with("https://"), "{}: {url}", model.id);
                    crate::download::Address::new(url, false).unwrap();
                }
                assert!(file.urls.len() + file.note.len() > 0, "{}: how does {} come?", model.id, file.name);
            }
        }
    }

    #[test]
    fn the_table_in_the_documentation_is_the_manifest() {
        let page = include_str!("../../../../../docs/MODELS.md");
        // The first table of the page.
        let is_row = |line: &&str| line.starts_with("| `");
        let table: Vec<&str> = page.lines().skip_while(|line| !is_row(line)).take_while(is_row).collect();
        let manifest = Manifest::embedded().unwrap();
        let rows = manifest.models.iter().map(|model| {
            let Model { id, purpose, licence, commercial_use, .. } = model;
            format!("| `{id}` | {purpose} | {licence} | {} |", commercial_use.name())
        });
        assert_eq!(table, rows.collect::<Vec<_>>());
    }
}
