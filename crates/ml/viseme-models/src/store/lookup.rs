//! What engines ask: is this model here, where are its files, what are its tensors called.

use super::{Record, Store};
use crate::manifest::{CommercialUse, Form, Graph, Model, TensorSpec};
use serde::Serialize;
use std::path::PathBuf;
use viseme_core::{Error, ErrorKind, Result};

/// How much of a model is installed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ModelState {
    /// Nothing.
    Missing,
    /// Some files of a form.
    Partial {
        /// The form.
        form: String,
        /// The files that are still missing.
        missing: Vec<String>,
    },
    /// All files of a form.
    Installed {
        /// The form.
        form: String,
    },
}

/// A model that is ready to be used.
#[derive(Debug, Clone)]
pub struct InstalledModel {
    /// Its name.
    pub id: String,
    /// The form that is installed.
    pub form: String,
    /// Its folder: weights that lie outside a graph's file are beside it.
    pub folder: PathBuf,
    /// Its graphs.
    pub graphs: Vec<InstalledGraph>,
}

/// One ONNX file of an installed model.
#[derive(Debug, Clone)]
pub struct InstalledGraph {
    /// What it does within the model.
    pub part: String,
    /// The ONNX file.
    pub path: PathBuf,
    /// Its inputs, where they are known.
    pub inputs: Vec<TensorSpec>,
    /// Its outputs, where they are known.
    pub outputs: Vec<TensorSpec>,
}

impl InstalledModel {
    /// The graph that does `part`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the manifest names none: a mistake of the engine that asks.
    pub fn graph(&self, part: &str) -> Result<&InstalledGraph> {
        self.graphs
            .iter()
            .find(|graph| graph.part == part)
            .ok_or_else(|| Error::internal(format!("{} in form {} has no part '{part}'", self.id, self.form)))
    }
}

impl Store {
    /// A model that an engine wants to use.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMissing`], with the command that mends it; [`ErrorKind::NotFound`] when there is no model of
    /// this name.
    pub fn model(&self, id: &str) -> Result<InstalledModel> {
        let model = self.manifest.model(id)?;
        let (form, what) = match self.state(model)? {
            ModelState::Installed { form } => {
                return model.form(&form).map(|form| self.installed(model, form));
            }
            ModelState::Missing => (None, "is not installed".to_owned()),
            ModelState::Partial { form, missing } => {
                (Some(form), format!("is not whole: {} is missing", missing.join(", ")))
            }
        };
        let form = form.as_deref().map(|name| model.form(name)).transpose()?;
        Err(Error::new(ErrorKind::ModelMissing, format!("the model {id} {what}"))
            .with_hint(self.remedy_for(model, form)))
    }

    /// How much of a model is installed, by its record and the sizes of its files. [`Self::verify`] looks closer.
    ///
    /// # Errors
    /// When its record is damaged.
    pub fn state(&self, model: &Model) -> Result<ModelState> {
        let Some(record) = self.record(&model.id)? else { return Ok(ModelState::Missing) };
        // A record of a form that the manifest no longer has is of no use.
        let Ok(form) = model.form(&record.form) else { return Ok(ModelState::Missing) };
        let missing: Vec<String> = form
            .files
            .iter()
            .filter(|file| !file.installed_names().iter().all(|name| self.is_there(model, &record, name)))
            .map(|file| file.name.clone())
            .collect();
        let form = record.form;
        Ok(if missing.is_empty() {
            ModelState::Installed { form }
        } else {
            ModelState::Partial { form, missing }
        })
    }

    /// Whether a file is recorded and there, in the recorded size.
    fn is_there(&self, model: &Model, record: &Record, name: &str) -> bool {
        let path = self.folder(&model.id).join(name);
        record
            .files
            .iter()
            .any(|file| file.name == name && path.metadata().is_ok_and(|found| found.len() == file.bytes))
    }

    fn installed(&self, model: &Model, form: &Form) -> InstalledModel {
        let folder = self.folder(&model.id);
        let graphs = form.files.iter().flat_map(|file| {
            file.graphs.iter().map(|graph| {
                let path = folder.join(file.installed_name(graph));
                let Graph { part, inputs, outputs, .. } = graph.clone();
                InstalledGraph { part, path, inputs, outputs }
            })
        });
        InstalledModel {
            id: model.id.clone(),
            form: form.name.clone(),
            graphs: graphs.collect(),
            folder: folder.clone(),
        }
    }

    /// A sentence with the command that installs a model.
    #[must_use]
    pub fn remedy(&self, model: &Model) -> String {
        self.remedy_for(model, None)
    }

    /// The same for the rest of one of its forms.
    fn remedy_for(&self, model: &Model, form: Option<&Form>) -> String {
        let id = &model.id;
        let pullable = |form: &&Form| form.is_pullable() || (self.mirror.is_some() && form.is_known());
        let candidates = form.map_or(model.forms.as_slice(), std::slice::from_ref);
        let best = candidates.iter().filter(pullable).max_by_key(|form| form.is_known());
        match best {
            Some(form) => {
                let licence =
                    if model.commercial_use == CommercialUse::Yes { "" } else { " --accept-license" };
                let trust = if form.is_known() { "" } else { " --trust-first-download" };
                format!("Run: viseme models pull {id}{licence}{trust}")
            }
            None => format!("Run: viseme models import {id} FILE (viseme models info {id} says which file)"),
        }
    }
}
