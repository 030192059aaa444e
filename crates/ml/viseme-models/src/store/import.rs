//! Takes in a file that the user already has.

use super::pull::other_form;
use super::{Checked, InstalledFile, ModelState, Origin, Store};
use crate::manifest::{FileEntry, Form, Model};
use crate::{Digest, digest};
use serde::Serialize;
use std::path::Path;
use tempfile::NamedTempFile;
use viseme_core::{Error, ErrorKind, Observer, Result, Warning, WarningCode};

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// The model that the file belongs to. Its hash decides, so it may be another than the one asked for.
    pub id: String,
    /// The form that it is a file of.
    pub form: String,
    /// What is installed now.
    pub files: Vec<InstalledFile>,
    /// Files of the form that are still missing.
    pub missing: Vec<String>,
}

impl Store {
    /// Installs the file at `path`. A file whose hash the manifest knows says itself what it is; any other is taken for
    /// a file of `id`, when it can be read as that, with a [`WarningCode::Unverified`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when it is not known what the file is, or it is not what it is said to be.
    pub fn import(&self, id: Option<&str>, path: &Path, observer: &dyn Observer) -> Result<Imported> {
        let asked = id.map(|id| self.manifest.model(id)).transpose()?;
        if !path.is_file() {
            return Err(Error::new(ErrorKind::NotFound, format!("{} is no file", path.display())));
        }
        let sha256 = digest::of_file_unless_cancelled(path, observer)?;
        let known = self.manifest.with_digest(sha256);
        let checked = if known.is_some() { Checked::Manifest } else { Checked::Nothing };
        let (model, form, file) = known.map_or_else(|| guess(asked, path), Ok)?;
        tell(asked, model, file, checked, path, observer);
        if let ModelState::Partial { form: here, .. } | ModelState::Installed { form: here } =
            self.state(model)?
            && here != form.name
        {
            return Err(other_form(model, &here));
        }
        let origin = Origin { name: file.name.clone(), sha256, from: path.display().to_string(), checked };
        self.take_in(model, form, file, path, &origin, observer)
    }

    fn take_in(
        &self,
        model: &Model,
        form: &Form,
        file: &FileEntry,
        path: &Path,
        origin: &Origin,
        observer: &dyn Observer,
    ) -> Result<Imported> {
        let folder = self.folder(&model.id);
        let action = || format!("write to {}", folder.display());
        std::fs::create_dir_all(&folder).map_err(|source| Error::io(action(), source))?;
        let _lock = self.lock(&model.id, observer)?;
        if !file.is_checkpoint() {
            let target = folder.join(&file.name);
            let copy = copy(path, &folder, origin.sha256, observer)?;
            if origin.checked == Checked::Nothing {
                Self::check_content(copy.path(), &path.display().to_string(), file)?;
            }
            copy.persist(&target).map_err(|error| Error::io(action(), error.error))?;
        }
        let installed = self.install(&model.id, file, path, origin)?;
        self.add_to_record(&model.id, &form.name, installed.clone())?;
        let missing = match self.state(model)? {
            ModelState::Partial { missing, .. } => missing,
            _ => Vec::new(),
        };
        Ok(Imported { id: model.id.clone(), form: form.name.clone(), files: installed, missing })
    }
}

/// Says what could not be checked, and what is other than the user thought.
fn tell(
    asked: Option<&Model>,
    model: &Model,
    file: &FileEntry,
    checked: Checked,
    path: &Path,
    observer: &dyn Observer,
) {
    let shown = path.display();
    let id = &model.id;
    let message = match (checked, asked) {
        (Checked::Nothing, _) => {
            let why = match file.sha256 {
                Some(_) => format!("has another hash than the published {}", file.name),
                None => format!("cannot be compared with {}, whose hash nobody published", file.name),
            };
            format!("{shown} {why}: whether its weights are those of {id} could not be checked")
        }
        (_, Some(asked)) if asked.id != *id => {
            format!("{shown} is {id} by its hash, not {}: it is installed as {id}", asked.id)
        }
        _ => return,
    };
    observer.warn(&Warning::new(WarningCode::Unverified, message));
}

/// Which file of the model an unknown one is: the one of its name, else the only one of its kind.
fn guess<'a>(asked: Option<&'a Model>, path: &Path) -> Result<(&'a Model, &'a Form, &'a FileEntry)> {
    let shown = path.display();
    let model = asked.ok_or_else(|| {
        Error::invalid_input(format!("{shown} is no file that we know"))
            .with_hint("Say what it is: viseme models import ID FILE; viseme models list shows the ids.")
    })?;
    let all: Vec<_> =
        model.forms.iter().flat_map(|form| form.files.iter().map(move |file| (model, form, file))).collect();
    let name = path.file_name().unwrap_or_default();
    if let Some(same_name) = all.iter().find(|(_, _, file)| name == file.name.as_str()) {
        return Ok(*same_name);
    }
    let is_onnx = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    let of_kind: Vec<_> = all.iter().filter(|(_, _, file)| file.is_onnx() == is_onnx).collect();
    if let [only] = of_kind.as_slice() {
        return Ok(**only);
    }
    let names: Vec<&str> = all.iter().map(|(_, _, file)| file.name.as_str()).collect();
    Err(Error::invalid_input(format!("it is not clear which file of {} {shown} is", model.id))
        .with_hint(format!("Give it one of these names first: {}.", names.join(", "))))
}

/// Copies the file into the model's folder under a temporary name, and checks that it did not change meanwhile.
fn copy(path: &Path, folder: &Path, expected: Digest, observer: &dyn Observer) -> Result<NamedTempFile> {
    let action = || format!("copy {} to {}", path.display(), folder.display());
    let io = |source| Error::io(action(), source);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".import-");
    // Not private like other temporary files: what the user's mask leaves of 666, like any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut copy = builder.tempfile_in(folder).map_err(io)?;
    let mut source = std::fs::File::open(path).map_err(io)?;
    std::io::copy(&mut source, copy.as_file_mut()).map_err(io)?;
    copy.as_file().sync_all().map_err(io)?;
    if digest::of_file_unless_cancelled(copy.path(), observer)? == expected {
        Ok(copy)
    } else {
        Err(Error::invalid_input(format!("{} changed while it was read", path.display())))
    }
}
