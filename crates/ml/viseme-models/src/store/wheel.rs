//! Takes single files out of a Python wheel, which is a zip archive.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use viseme_core::{Error, ErrorKind, Observer, Result};
use zip::ZipArchive;

/// A file in a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its path there.
    pub path: String,
    /// Its size, unpacked.
    pub bytes: u64,
}

impl Member {
    /// Its name without the folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Writes `members` of the archive at `wheel` into `folder`, each under its own name without folders. The names are
/// the manifest's, never the archive's, and nothing may be larger than the manifest says: what else the archive holds
/// does not matter.
///
/// # Errors
/// [`ErrorKind::Remote`] when the archive is none or a member is missing or has another size.
pub(super) fn extract(
    wheel: &Path,
    members: &[Member],
    folder: &Path,
    observer: &dyn Observer,
) -> Result<()> {
    let bad = |what: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Remote, format!("not the expected wheel: {what}"))
    };
    let file =
        File::open(wheel).map_err(|source| Error::io(format_args!("read {}", wheel.display()), source))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| bad(&error))?;
    for member in members {
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        let packed = archive.by_name(&member.path).map_err(|e| bad(&format_args!("{}: {e}", member.path)))?;
        let target = folder.join(member.name());
        let failed = |source: io::Error| match source.kind() {
            // What the unpacking itself says of broken data.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                bad(&format_args!("{}: {source}", member.path))
            }
            _ => Error::io(format_args!("write {}", target.display()), source),
        };
        let mut output = File::create(&target).map_err(failed)?;
        // One byte more than there may be tells a file that is too long, and no more than that is ever unpacked.
        let written = io::copy(&mut packed.take(member.bytes + 1), &mut output).map_err(failed)?;
        if written != member.bytes {
            return Err(bad(&format_args!("{} has not {} bytes", member.path, member.bytes)));
        }
        output.sync_all().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use viseme_core::Silent;
    use zip::write::SimpleFileOptions;

    /// An archive with two files, one of them above the folder.
    fn wheel(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("test.whl");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in [("a/lib.so", vec![7_u8; 100]), ("../escape.so", vec![1; 10])] {
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(&content).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    fn member(path: &str, bytes: u64) -> Vec<Member> {
        vec![Member { path: path.to_owned(), bytes }]
    }

    #[test]
    fn only_what_is_asked_for_comes_out_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (wheel(folder.path()), folder.path().join("out"));
        std::fs::create_dir(&target).unwrap();
        extract(&path, &member("a/lib.so", 100), &target, &Silent).unwrap();
        extract(&path, &member("../escape.so", 10), &target, &Silent).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&target)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["escape.so", "lib.so"], "a path with .. stays in the folder");
        assert!(!folder.path().join("escape.so").exists());
    }

    #[test]
    fn a_file_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = wheel(folder.path());
        for members in [member("a/lib.so", 99), member("a/lib.so", 101), member("a/other.so", 100)] {
            let error = extract(&path, &members, folder.path(), &Silent).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Remote, "{members:?}");
        }
        assert!(folder.path().join("lib.so").metadata().unwrap().len() <= 102, "a bomb is not unpacked");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.whl");
        std::fs::write(&path, "PK, but not really").unwrap();
        let error = extract(&path, &member("a/lib.so", 100), folder.path(), &Silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Remote);
    }
}
