//! An output that is either whole and in place, or not there at all.

use std::path::{Path, PathBuf};
use tempfile::TempPath;
use viseme_core::{Error, ErrorKind, Result};

/// A file being made beside its final place, renamed into it when it is whole and removed otherwise.
#[derive(Debug)]
pub struct OutputFile {
    temporary: TempPath,
    target: PathBuf,
}

impl OutputFile {
    /// Checks that `target` can be written, by creating a temporary file in its folder.
    ///
    /// An existing file stays as it is until [`Self::commit`] replaces it.
    ///
    /// # Errors
    /// [`ErrorKind::OutputNotWritable`] when the folder is missing or not writable, or `target` is no regular file;
    /// [`ErrorKind::DiskFull`].
    pub fn create(target: &Path) -> Result<Self> {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Some(name) = target.file_name() else {
            return Err(not_writable(target, "it names no file"));
        };
        if target.exists() && !target.is_file() {
            return Err(not_writable(target, "it is not a regular file"));
        }
        if !folder.is_dir() {
            return Err(not_writable(target, "its folder does not exist"));
        }
        let temporary = temporary_in(folder, name, target).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Error::io(format!("write {}", target.display()), error)
            }
            _ => not_writable(target, &error.to_string()).with_source(error),
        })?;
        Ok(Self { temporary, target: target.to_owned() })
    }

    /// Where to write until it is whole. Has the extension of the target.
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Where it will be.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the file in place in one step.
    ///
    /// # Errors
    /// When it cannot be renamed; the temporary file is then removed.
    pub fn commit(self) -> Result<()> {
        let action = || format!("write {}", self.target.display());
        // Without this a crash of the machine could leave the new name with old or no content.
        let flushed = std::fs::File::open(&self.temporary).and_then(|file| file.sync_all());
        flushed.map_err(|error| Error::io(action(), error))?;
        self.temporary
            .persist(&self.target)
            .map_err(|error| Error::io(format!("write {}", self.target.display()), error.error))
    }
}

fn temporary_in(folder: &Path, name: &std::ffi::OsStr, target: &Path) -> std::io::Result<TempPath> {
    let mut suffix = std::ffi::OsString::new();
    if let Some(extension) = target.extension() {
        suffix.push(".");
        suffix.push(extension);
    }
    // Long names leave no room for ours: a file system takes 255 bytes.
    let prefix = if name.len() > 200 { ".viseme-".into() } else { format!(".{}.", name.to_string_lossy()) };
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(&suffix);
    // Not private like other temporary files: what the user's mask leaves of 666, like any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map(tempfile::NamedTempFile::into_temp_path)
}

fn not_writable(target: &Path, why: &str) -> Error {
    Error::new(ErrorKind::OutputNotWritable, format!("cannot write {}: {why}", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_output_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("talk.mp4");
        std::fs::write(&target, "old").unwrap();
        let output = OutputFile::create(&target).unwrap();
        std::fs::write(output.temporary_path(), "half").unwrap();
        assert_eq!(output.temporary_path().extension().unwrap(), "mp4");
        drop(output);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_committed_output_replaces_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("talk.mp4");
        std::fs::write(&target, "old").unwrap();
        let output = OutputFile::create(&target).unwrap();
        std::fs::write(output.temporary_path(), "new").unwrap();
        output.commit().unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn places_that_cannot_be_written_are_refused_early() {
        let folder = tempfile::tempdir().unwrap();
        for target in [folder.path().to_owned(), folder.path().join("missing/talk.mp4"), PathBuf::from("/")] {
            let error = OutputFile::create(&target).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutputNotWritable, "{}", target.display());
        }
    }
}
