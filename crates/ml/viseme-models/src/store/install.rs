//! From a file that has come, pulled or imported, to files that engines can use.

use super::{InstalledFile, Origin, Store, onnx};
use crate::manifest::FileEntry;
use crate::{Digest, convert};
use std::path::Path;
use viseme_core::{Error, Result};

impl Store {
    /// Looks whether a file of unknown hash can be what `file` says. `shown` names it in messages.
    pub(super) fn check_content(path: &Path, shown: &str, file: &FileEntry) -> Result<()> {
        match file.graphs.first() {
            Some(graph) if file.is_onnx() => onnx::check(path, shown, graph),
            // A checkpoint is read when it is converted, and bare weights say nothing about themselves.
            _ => Ok(()),
        }
    }

    /// Puts the content of the file at `path` into the store and gives what is now installed. A checkpoint becomes
    /// ONNX graphs and stays where it is; any other file must lie in the model's folder under its name already.
    pub(super) fn install(
        &self,
        id: &str,
        file: &FileEntry,
        path: &Path,
        origin: &Origin,
    ) -> Result<Vec<InstalledFile>> {
        let folder = self.folder(id);
        let described = |name: &str, sha256: Digest| {
            let path = folder.join(name);
            let bytes = path
                .metadata()
                .map_err(|source| Error::io(format_args!("read {}", path.display()), source))?
                .len();
            Ok(InstalledFile { name: name.to_owned(), bytes, sha256, origin: origin.clone() })
        };
        if !file.is_checkpoint() {
            return described(&file.name, origin.sha256).map(|file| vec![file]);
        }
        let conversions = file.graphs.iter().filter_map(|graph| graph.conversion.as_ref());
        conversions
            .map(|conversion| {
                let target = folder.join(&conversion.name);
                convert(conversion.architecture, path, &target)?;
                described(&conversion.name, Digest::of_file(&target, &mut |_| Ok(()))?)
            })
            .collect()
    }
}
