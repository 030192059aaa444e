//! Downloads models.

use super::{Checked, InstalledFile, ModelState, Origin, Store};
use crate::download::{Address, Wanted, download};
use crate::manifest::{CommercialUse, FileEntry, Form, Model};
use crate::{Digest, digest};
use serde::Serialize;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Observer, Progress, Result, Stage};

/// What the user agrees to.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// The licence of a model that is not free for commercial use.
    pub accept_licence: bool,
    /// Files whose hash nobody published: their hash is noted now, and held against every later download.
    pub trust_first_download: bool,
    /// The form to install; the best one when `None`.
    pub form: Option<String>,
}

/// What a pull did.
#[derive(Debug, Clone, Serialize)]
pub struct Pulled {
    /// The model.
    pub id: String,
    /// Its form.
    pub form: String,
    /// The files that came now. Empty when all were there.
    pub files: Vec<InstalledFile>,
}

impl Store {
    /// Downloads what is missing of a model.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the licence or the trust that it needs is not given, or it cannot be pulled at
    /// all; those of [`download`]. Files that came whole stay, so that the next pull is shorter.
    pub fn pull(&self, id: &str, options: &PullOptions, observer: &dyn Observer) -> Result<Pulled> {
        let model = self.manifest.model(id)?;
        let form = self.form_to_pull(model, options)?;
        let done = |files| Pulled { id: id.to_owned(), form: form.name.clone(), files };
        if self.missing(model, form)?.is_empty() {
            return Ok(done(Vec::new()));
        }
        Self::check_licence(model, options)?;
        let folder = self.folder(id);
        std::fs::create_dir_all(&folder).map_err(|source| {
            Error::io(format_args!("create {}", folder.display()), source)
                .with_hint("Set MODELS_DIR to a folder that can be written.")
        })?;
        let _lock = self.lock(id, observer)?;
        // Another process may have pulled it meanwhile.
        let missing = self.missing(model, form)?;
        let wanted: Vec<Wanted> =
            missing.iter().map(|file| self.wanted(model, file, options)).collect::<Result<_>>()?;
        let mut bar = Bar::new(&wanted, observer);
        let mut files = Vec::new();
        for (file, wanted) in missing.into_iter().zip(&wanted) {
            files.extend(self.pull_file(model, form, file, wanted, &mut bar)?);
        }
        Ok(done(files))
    }

    /// Downloads the models of a comma-separated list that are missing: `PRELOAD_MODELS` of a server.
    ///
    /// # Errors
    /// Those of [`Self::pull`], for the first model that cannot be pulled.
    pub fn preload(&self, list: &str, options: &PullOptions, observer: &dyn Observer) -> Result<Vec<Pulled>> {
        let ids: Vec<&str> = list.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        // A name that is written wrong is found before the first gigabyte.
        ids.iter().try_for_each(|id| self.manifest.model(id).map(drop))?;
        ids.iter().map(|id| self.pull(id, options, observer)).collect()
    }

    fn missing<'a>(&self, model: &Model, form: &'a Form) -> Result<Vec<&'a FileEntry>> {
        Ok(match self.state(model)? {
            ModelState::Installed { .. } => Vec::new(),
            ModelState::Missing => form.files.iter().collect(),
            ModelState::Partial { missing, .. } => {
                form.files.iter().filter(|file| missing.contains(&file.name)).collect()
            }
        })
    }

    /// The form asked for, the one that is installed already, or the best that can be pulled.
    fn form_to_pull<'a>(&self, model: &'a Model, options: &PullOptions) -> Result<&'a Form> {
        let here = match self.state(model)? {
            ModelState::Missing => None,
            ModelState::Partial { form, .. } | ModelState::Installed { form } => Some(form),
        };
        match (options.form.as_deref(), here.as_deref()) {
            (Some(asked), Some(here)) if asked != here => Err(other_form(model, here)),
            (Some(name), _) | (None, Some(name)) => model.form(name),
            (None, None) => {
                let mut forms: Vec<&Form> =
                    model.forms.iter().filter(|form| self.mirror.is_some() || form.is_pullable()).collect();
                // Stable: among equals the manifest's order decides.
                forms.sort_by_key(|form| !form.is_known());
                forms.first().copied().ok_or_else(|| {
                    Error::invalid_input(format!(
                        "{} cannot be downloaded: no public address is known",
                        model.id
                    ))
                    .with_hint(self.remedy(model))
                })
            }
        }
    }

    fn check_licence(model: &Model, options: &PullOptions) -> Result<()> {
        let Model { id, licence, source, commercial_use, .. } = model;
        let what = match commercial_use {
            CommercialUse::Yes => return Ok(()),
            _ if options.accept_licence => return Ok(()),
            CommercialUse::No => "is not free for commercial use",
            CommercialUse::Unclear => "may not be free for commercial use",
        };
        Err(Error::invalid_input(format!("{id} {what}: {licence}")).with_hint(format!(
            "Read its terms at {source}. If you keep to them: viseme models pull {id} --accept-license"
        )))
    }

    fn wanted(&self, model: &Model, file: &FileEntry, options: &PullOptions) -> Result<Wanted> {
        let id = &model.id;
        let addresses = match &self.mirror {
            Some(base) => vec![format!("{base}/{id}/{}", file.name)],
            None => file.urls.clone(),
        };
        if addresses.is_empty() {
            let why = format!("{} of {id} cannot be downloaded: no public address is known", file.name);
            return Err(Error::invalid_input(why).with_hint(format!("Run: viseme models import {id} FILE")));
        }
        let sha256 = match file.sha256 {
            Some(known) => Some(known),
            None => self.trusted(id, &file.name)?,
        };
        if sha256.is_none() && !options.trust_first_download {
            let why = format!("nobody published the hash of {}, so it cannot be checked", file.name);
            return Err(Error::invalid_input(why).with_hint(format!(
                "viseme models pull {id} --trust-first-download notes its hash now and checks later downloads."
            )));
        }
        let addresses =
            addresses.iter().map(|url| Address::new(url, self.allow_plain_http)).collect::<Result<_>>()?;
        Ok(Wanted { addresses, sha256, bytes: file.bytes })
    }

    fn pull_file(
        &self,
        model: &Model,
        form: &Form,
        file: &FileEntry,
        wanted: &Wanted,
        bar: &mut Bar<'_>,
    ) -> Result<Vec<InstalledFile>> {
        let path = self.folder(&model.id).join(&file.name);
        let (sha256, from) = self.fetch(model, file, wanted, &path, bar)?;
        bar.file_done(file.bytes.or_else(|| path.metadata().map(|found| found.len()).ok()));
        let checked = if file.sha256.is_some() { Checked::Manifest } else { Checked::FirstDownload };
        if checked == Checked::FirstDownload {
            self.trust(&model.id, &file.name, sha256)?;
        }
        let origin = Origin { name: file.name.clone(), sha256, from, checked };
        let installed = self.install(&model.id, file, &path, &origin)?;
        self.add_to_record(&model.id, &form.name, installed.clone())?;
        if file.is_checkpoint() {
            // Best effort: what is left costs room alone.
            let _ = std::fs::remove_file(&path);
        }
        Ok(installed)
    }

    /// Downloads a file to `path`; gives its hash and where it came from.
    fn fetch(
        &self,
        model: &Model,
        file: &FileEntry,
        wanted: &Wanted,
        path: &Path,
        bar: &Bar<'_>,
    ) -> Result<(Digest, String)> {
        // A checkpoint that came whole but could not be converted is there already.
        if file.is_checkpoint() && path.is_file() && wanted.sha256.is_some() {
            let digest = digest::of_file_unless_cancelled(path, bar.observer)?;
            if wanted.sha256 == Some(digest) {
                return Ok((digest, path.display().to_string()));
            }
        }
        let shown = format!("what was downloaded as {}", file.name);
        let mut check = |part: &Path| match file.sha256 {
            Some(_) => Ok(()),
            None => Self::check_content(part, &shown, file)
                .map_err(|error| Error::new(ErrorKind::Remote, error.to_string())),
        };
        let mut on_bytes = |done, total| bar.show(done, total);
        let got = download(wanted, path, &self.patience, bar.observer, &mut check, &mut on_bytes)
            .map_err(|error| explain(error, model, file))?;
        Ok((got.sha256, got.address.to_string()))
    }
}

pub(super) fn other_form(model: &Model, here: &str) -> Error {
    let id = &model.id;
    Error::invalid_input(format!("{id} is installed in the form '{here}' already"))
        .with_hint(format!("viseme models rm {id} removes it; then the other form can come."))
}

/// Adds to the failure of a download which model it was, and what helps where the manifest itself may be wrong.
fn explain(error: Error, model: &Model, file: &FileEntry) -> Error {
    use crate::manifest::Evidence;
    let message = format!("{}: {error}", file.name);
    let doubtful = error.kind() == ErrorKind::Remote && file.evidence == Evidence::One;
    let hint = match error.hint() {
        Some(hint) => hint.to_owned(),
        None if doubtful => format!(
            "The hash we expect was read in one place only and may be out of date: if you trust your copy of the \
             file, use viseme models import {} FILE.",
            model.id
        ),
        None => "Run it again: a download that was cut goes on where it ended.".to_owned(),
    };
    Error::new(error.kind(), message).with_hint(hint).with_source(error)
}

/// Progress over all files of a model.
struct Bar<'a> {
    observer: &'a dyn Observer,
    /// Bytes of the files that are done.
    before: u64,
    /// Bytes of all files, when all sizes are known.
    total: Option<u64>,
    /// Whether there is one file, so that the server's word on its size is the total.
    single: bool,
}

impl<'a> Bar<'a> {
    fn new(wanted: &[Wanted], observer: &'a dyn Observer) -> Self {
        let total = wanted.iter().map(|file| file.bytes).sum();
        Self { observer, before: 0, total, single: wanted.len() == 1 }
    }

    fn show(&self, done: u64, announced: Option<u64>) {
        let total = self.total.or(announced.filter(|_| self.single));
        self.observer.progress(Progress { stage: Stage::Models, done: self.before + done, total });
    }

    fn file_done(&mut self, bytes: Option<u64>) {
        self.before += bytes.unwrap_or(0);
    }
}
