//! An output that is either whole and in place, or not there at all.

use std::ffi::{OsStr, OsString};
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
        Self::new(target, None)
    }

    /// As [`create`](Self::create), for a job that is run again when its process was killed: what an earlier run with the same
    /// `tag`, a word, has left of its temporary file is replaced. Only one at a time may use a tag.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_again(target: &Path, tag: &str) -> Result<Self> {
        Self::new(target, Some(tag))
    }

    fn new(target: &Path, tag: Option<&str>) -> Result<Self> {
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
        let temporary = temporary_in(folder, name, tag).map_err(|error| match error.kind() {
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

fn temporary_in(folder: &Path, name: &OsStr, tag: Option<&str>) -> std::io::Result<TempPath> {
    let mut suffix = OsString::new();
    if let Some(extension) = Path::new(name).extension() {
        suffix.push(".");
        suffix.push(extension);
    }
    // Long names leave no room for ours: a file system takes 255 bytes.
    let mut prefix =
        if name.len() > 200 { ".viseme-".into() } else { format!(".{}.", name.to_string_lossy()) };
    let mut builder = tempfile::Builder::new();
    if let Some(tag) = tag {
        prefix.push_str(tag);
        builder.rand_bytes(0);
        let mut left = OsString::from(&prefix);
        left.push(&suffix);
        match std::fs::remove_file(folder.join(left)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
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
    fn a_tagged_output_replaces_what_a_killed_run_has_left() {
        let folder = tempfile::tempdir().unwrap();
        let long = "n".repeat(240) + ".mp4";
        for name in ["talk.mp4", &long] {
            let target = folder.path().join(name);
            let killed = OutputFile::create_again(&target, "job").unwrap();
            std::fs::write(killed.temporary_path(), "half").unwrap();
            std::mem::forget(killed);
            let again = OutputFile::create_again(&target, "job").unwrap();
            assert_eq!(std::fs::read(again.temporary_path()).unwrap(), b"");
            again.commit().unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
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
