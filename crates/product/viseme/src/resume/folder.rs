//! The folder of a job: one run at a time has it, and nobody else's files are touched.

use crate::cache::{AnalysisCache, EntryStore, make_folder};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use viseme_core::{Error, Observer, Result, Warning, WarningCode};
use viseme_models::Digest;

/// The file that is locked, and by which a folder of ours is known.
const LOCK: &str = "viseme.lock";
/// Where the chunks are.
const CHUNKS: &str = "chunks";
/// Where the analysis is.
const ANALYSES: &str = "analyses";
/// Where a run has its temporary files.
const TEMPORARY: &str = "temporary";
/// How often a run that waits for another looks again.
const INTERVAL: Duration = Duration::from_millis(100);

/// The folder of a job, held by one run. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct JobFolder {
    root: PathBuf,
    #[expect(dead_code, reason = "the lock lives as long as the file is open")]
    lock: File,
}

impl JobFolder {
    /// Takes hold of the folder, which is made where it is not there, and removes what an ended run has left half done.
    ///
    /// # Errors
    /// `InvalidInput` when there is something else in it, `Cancelled` while another run has it, and when it cannot be written.
    pub(crate) fn open(root: &Path, observer: &dyn Observer) -> Result<Self> {
        let failed = |source| Error::io(format_args!("keep work in {}", root.display()), source);
        make_folder(root).map_err(failed)?;
        let root = std::fs::canonicalize(root).map_err(failed)?;
        if !root.join(LOCK).is_file() && std::fs::read_dir(&root).map_err(failed)?.next().is_some() {
            let message = format!("{} holds other files than the work of a job", root.display());
            return Err(Error::invalid_input(message).with_hint("Name a folder that is new or empty."));
        }
        let lock = lock(&root.join(LOCK), observer)?;
        let folder = Self { root, lock };
        for store in [folder.chunks(), folder.store(ANALYSES)] {
            store.tidy();
        }
        let temporary = folder.temporary();
        remove(&temporary).and_then(|()| make_folder(&temporary)).map_err(failed)?;
        Ok(folder)
    }

    /// Where the chunks are kept.
    pub(crate) fn chunks(&self) -> EntryStore {
        self.store(CHUNKS)
    }

    /// Where the analysis is kept.
    pub(crate) fn analyses(&self) -> AnalysisCache {
        AnalysisCache::new(self.root.join(ANALYSES), u64::MAX)
    }

    /// Where a run makes its temporary files: what is left of them goes with the next.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join(TEMPORARY)
    }

    /// A word for the unfinished file of the output `target`, the same in every run of the job.
    pub(crate) fn tag(&self, target: &Path) -> String {
        let names = [self.root.as_os_str(), target.as_os_str()].map(std::ffi::OsStr::as_encoded_bytes);
        let mut tag = Digest::of(&names.join(&b"\n"[..])).to_string();
        tag.truncate(16);
        tag
    }

    /// Empties it: the job is done.
    pub(crate) fn clear(self) {
        // What cannot be removed is in nobody's way: another job here removes it, or is told why it cannot.
        for name in [CHUNKS, ANALYSES, TEMPORARY] {
            let _ = remove(&self.root.join(name));
        }
        let _ = std::fs::remove_file(self.root.join(LOCK));
    }

    fn store(&self, name: &str) -> EntryStore {
        EntryStore::new(self.root.join(name), u64::MAX)
    }
}

/// Waits until no other run has the lock file `path`, which is made where it is not there.
fn lock(path: &Path, observer: &dyn Observer) -> Result<File> {
    let failed = |source| Error::io(format_args!("lock {}", path.display()), source);
    let mut told = false;
    loop {
        let file = File::create(path).map_err(failed)?;
        match file.try_lock() {
            // A run that ended meanwhile has taken its file with it.
            Ok(()) if path.exists() => return Ok(file),
            Ok(()) => continue,
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        if !std::mem::replace(&mut told, true) {
            let message = format!("waiting for another run of the job that holds {}", path.display());
            observer.warn(&Warning::new(WarningCode::Waiting, message));
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Removes a folder with all that is in it, if it is there.
fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(source),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::{ErrorKind, Silent};
    use viseme_testing::observers::TestObserver;

    fn names(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("chunks");
        std::fs::write(&photo, "a photo").unwrap();
        let error = JobFolder::open(folder.path(), &Silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(names(folder.path()), [photo]);
        let file = folder.path().join("chunks");
        assert!(JobFolder::open(&file, &Silent).is_err(), "a file is no folder");
    }

    #[test]
    fn what_an_ended_run_left_half_done_goes_and_a_finished_job_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/job");
        let held = JobFolder::open(&root, &Silent).unwrap();
        std::fs::write(held.temporary().join("half"), "half").unwrap();
        std::fs::create_dir_all(root.join("chunks/.writing-half")).unwrap();
        std::fs::create_dir_all(root.join("analyses/.removing-half")).unwrap();
        drop(held);
        let held = JobFolder::open(&root, &Silent).unwrap();
        for part in ["temporary", "chunks", "analyses"] {
            assert_eq!(names(&root.join(part)), [] as [PathBuf; 0], "{part}");
        }
        assert_ne!(held.tag(Path::new("a.mp4")), held.tag(Path::new("b.mp4")));
        held.clear();
        assert_eq!(names(&root), [] as [PathBuf; 0]);
    }

    #[test]
    fn one_run_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let held = JobFolder::open(folder.path(), &Silent).unwrap();
        let impatient = TestObserver::cancelling_after(3);
        let error = JobFolder::open(folder.path(), &impatient).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let [warning] = &impatient.warnings_so_far()[..] else { panic!("one warning") };
        assert_eq!(warning.code, WarningCode::Waiting);
        let next = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| JobFolder::open(folder.path(), &Silent).unwrap());
            std::thread::sleep(2 * INTERVAL);
            held.clear();
            waiting.join().unwrap()
        });
        assert!(folder.path().join(LOCK).exists(), "it has a lock of its own");
        next.clear();
    }
}
