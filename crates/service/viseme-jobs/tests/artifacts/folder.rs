//! What is particular to folders.

use crate::suite::{key, local, old};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;
use viseme_core::ErrorKind;
use viseme_jobs::{Area, ArtifactKey, Artifacts};

fn bench() -> (Artifacts, TempDir, ArtifactKey) {
    let folder = tempfile::tempdir().unwrap();
    let place = Artifacts::in_folder(&folder.path().join("deep/files"), None).unwrap();
    (place, folder, key(Area::Jobs, "0192", "output.mp4"))
}

fn inode(path: &Path) -> u64 {
    std::fs::symlink_metadata(path).unwrap().ino()
}

/// The files in a folder, however deep.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn fresh_files_are_linked_and_read_in_place() {
    let (place, folder, key) = bench();
    let file = local(&folder, b"some");
    place.put_file(&key, &file, "video/mp4").await.unwrap();
    let inside = place.local_path(&key).unwrap();
    assert_eq!(std::fs::read(&inside).unwrap(), b"some");
    assert_eq!(inode(&inside), inode(&file));
    let to = folder.path().join("back.bin");
    place.fetch_file(&key, &to).await.unwrap();
    assert_eq!(inode(&to), inode(&file));
    assert_eq!(place.presigned_get(&key, std::time::Duration::from_mins(1)).await.unwrap(), None);
}

#[tokio::test]
async fn old_files_are_copied_and_keep_their_time() {
    let (place, folder, key) = bench();
    let file = old(&folder, b"some");
    let changed = std::fs::metadata(&file).unwrap().modified().unwrap();
    place.put_file(&key, &file, "video/mp4").await.unwrap();
    assert_ne!(inode(&place.local_path(&key).unwrap()), inode(&file));
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), changed);
}

#[tokio::test]
async fn a_link_is_stored_as_what_it_leads_to() {
    let (place, folder, key) = bench();
    let link = folder.path().join("link.mp4");
    symlink(local(&folder, b"some"), &link).unwrap();
    place.put_file(&key, &link, "video/mp4").await.unwrap();
    std::fs::remove_file(&link).unwrap();
    let inside = place.local_path(&key).unwrap();
    assert!(!std::fs::symlink_metadata(&inside).unwrap().is_symlink());
    assert_eq!(std::fs::read(inside).unwrap(), b"some");
}

#[tokio::test]
async fn nobody_else_can_look_inside() {
    let (place, folder, key) = bench();
    place.put_file(&key, &local(&folder, b"some"), "video/mp4").await.unwrap();
    for made in ["deep", "deep/files", "deep/files/jobs", "deep/files/jobs/0192"] {
        let mode = std::fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{made}");
    }
}

#[tokio::test]
async fn nothing_stays_behind() {
    let (place, folder, key) = bench();
    let file = old(&folder, &vec![1; 30_000_000]);
    for wait_ms in [0, 1, 2, 4] {
        let putting = place.put_file(&key, &file, "video/mp4");
        let _ = tokio::time::timeout(std::time::Duration::from_millis(wait_ms), putting).await;
    }
    place.put_file(&key, &file, "video/mp4").await.unwrap();
    place.delete(&key).await.unwrap();
    // What was under way on other threads has come to its end with them.
    for _ in 0..100 {
        if files(folder.path()).len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(files(folder.path()), [file.display().to_string()]);
    assert!(!folder.path().join("deep/files/jobs/0192").exists(), "an owner without files has no folder");
}

#[tokio::test]
async fn a_full_disk_is_said_before_it_is_full() {
    let (place, _folder, _) = bench();
    place.check_room(0).await.unwrap();
    let error = place.check_room(1 << 60).await.unwrap_err();
    assert!(error.kind() == ErrorKind::DiskFull && error.hint().is_some(), "{error}");
}

#[test]
fn a_file_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Artifacts::in_folder(&local(&folder, b"some"), None).is_err());
}
