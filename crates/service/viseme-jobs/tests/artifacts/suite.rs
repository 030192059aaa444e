//! What every place keeps to.

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use viseme_core::ErrorKind;
use viseme_jobs::{Area, ArtifactKey, Artifacts};

/// A place, and a way to open it.
pub(crate) trait Bench {
    /// An empty place.
    async fn new() -> Self;
    /// The place with a quota.
    fn open(&self, quota: Option<u64>) -> Artifacts;
}

/// Larger than two parts of an upload, and no multiple of one.
const LARGE: usize = 17_000_001;

pub(crate) fn key(area: Area, owner: &str, name: &str) -> ArtifactKey {
    ArtifactKey::new(area, owner, name).unwrap()
}

fn output() -> ArtifactKey {
    key(Area::Jobs, "0192", "output.mp4")
}

/// A file of this machine with these bytes.
pub(crate) fn local(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(format!("{}.bin", bytes.len()));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The same, last changed an hour ago.
pub(crate) fn old(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = local(folder, bytes);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    path
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

async fn put(place: &Artifacts, key: &ArtifactKey, file: &Path) -> u64 {
    place.put_file(key, file, "video/mp4").await.unwrap().bytes
}

pub(crate) async fn read(place: &Artifacts, key: &ArtifactKey, range: Option<Range<u64>>) -> Vec<u8> {
    let pieces: Vec<_> = place.read(key, range).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

pub(crate) async fn a_file_comes_back(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    for (name, bytes) in [("some.wav", &b"some"[..]), ("none.wav", b""), ("A-1_b.mp4", b"\0\xff")] {
        let key = key(Area::Uploads, "u-1", name);
        assert_eq!(put(&place, &key, &local(&folder, bytes)).await, bytes.len() as u64);
        let stored = place.head(&key).await.unwrap().unwrap();
        assert_eq!(stored.bytes, bytes.len() as u64);
        let age = Timestamp::now().duration_since(stored.modified);
        assert!(age.abs() < SignedDuration::from_mins(1), "{age}");
        assert_eq!(read(&place, &key, None).await, bytes);
        let to = folder.path().join("back.bin");
        place.fetch_file(&key, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), bytes);
    }
    assert_eq!(place.used_bytes().await.unwrap(), 6);
}

pub(crate) async fn a_large_file_comes_back(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    let bytes = noise(LARGE);
    assert_eq!(put(&place, &output(), &local(&folder, &bytes)).await, LARGE as u64);
    assert_eq!(place.head(&output()).await.unwrap().unwrap().bytes, LARGE as u64);
    let to = folder.path().join("back.bin");
    place.fetch_file(&output(), &to).await.unwrap();
    assert!(std::fs::read(&to).unwrap() == bytes);
    assert!(read(&place, &output(), None).await == bytes);
    // Over the border of two parts.
    assert!(read(&place, &output(), Some(8_388_600..8_388_620)).await == bytes[8_388_600..8_388_620]);
}

pub(crate) async fn the_new_takes_the_place_of_the_old(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    for bytes in [&b"first"[..], b"the second"] {
        let file = local(&folder, bytes);
        put(&place, &output(), &file).await;
        put(&place, &output(), &file).await;
        assert_eq!(read(&place, &output(), None).await, bytes);
        let to = folder.path().join("back.bin");
        place.fetch_file(&output(), &to).await.unwrap();
        place.fetch_file(&output(), &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), bytes);
    }
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

pub(crate) async fn ranges_are_read(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    put(&place, &output(), &local(&folder, b"0123456789")).await;
    for (range, expected) in [(0..4, "0123"), (9..10, "9"), (3..99, "3456789"), (0..10, "0123456789")] {
        assert_eq!(read(&place, &output(), Some(range.clone())).await, expected.as_bytes(), "{range:?}");
    }
    for range in [10..11, 400..500, 3..3] {
        let error = place.read(&output(), Some(range.clone())).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{range:?}: {error}");
    }
}

pub(crate) async fn what_is_not_there_is_said_to_be_missing(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    let to = folder.path().join("back.bin");
    assert_eq!(place.head(&output()).await.unwrap(), None);
    assert_eq!(place.local_path(&output()), None);
    assert_eq!(place.read(&output(), None).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(place.read(&output(), Some(0..1)).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(place.fetch_file(&output(), &to).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    place.delete(&output()).await.unwrap();
    assert_eq!(place.delete_all(Area::Jobs, "0192").await.unwrap(), 0);
    assert_eq!(place.sweep(Area::Uploads, Timestamp::now(), &BTreeSet::new()).await.unwrap(), 0);
    assert_eq!(place.used_bytes().await.unwrap(), 0);
    for file in [folder.path().join("no.mp4"), folder.path().to_owned()] {
        let error = place.put_file(&output(), &file, "video/mp4").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput), "{error}");
    }
}

pub(crate) async fn owners_are_deleted_alone(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    let file = local(&folder, b"four");
    let other = [key(Area::Jobs, "01", "a"), key(Area::Jobs, "0192x", "a"), key(Area::Images, "0192", "a")];
    for key in [output(), key(Area::Jobs, "0192", "video.mp4"), key(Area::Jobs, "0192", "video")]
        .iter()
        .chain(&other)
    {
        put(&place, key, &file).await;
    }
    place.delete(&output()).await.unwrap();
    assert_eq!(place.head(&output()).await.unwrap(), None);
    assert_eq!(place.delete_all(Area::Jobs, "0192").await.unwrap(), 2);
    assert_eq!(place.delete_all(Area::Jobs, "0192").await.unwrap(), 0);
    for key in &other {
        assert!(place.head(key).await.unwrap().is_some(), "{key}");
    }
    for owner in ["", ".", "..", "../images", "0192/../01", "/"] {
        assert!(place.delete_all(Area::Jobs, owner).await.is_err(), "{owner}");
    }
    assert_eq!(place.used_bytes().await.unwrap(), 12);
}

pub(crate) async fn the_files_of_an_owner_are_listed(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    let file = local(&folder, b"four");
    for (owner, name) in [("ann", "b.png"), ("ann", "a.png"), ("anna", "c.png")] {
        put(&place, &key(Area::Images, owner, name), &file).await;
    }
    let listed = place.list(Area::Images, "ann").await.unwrap();
    let names: Vec<_> = listed.iter().map(|(key, stored)| (key.name(), stored.bytes)).collect();
    assert_eq!(names, [("a.png", 4), ("b.png", 4)]);
    assert_eq!(place.list(Area::Images, "bob").await.unwrap(), []);
    assert!(place.list(Area::Images, "../images").await.is_err());
}

pub(crate) async fn the_old_is_swept(bench: &impl Bench) {
    let (place, folder) = (bench.open(None), tempfile::tempdir().unwrap());
    // A file that has lain on the client's disk for long is new all the same.
    let file = old(&folder, b"four");
    let (upload, job) = (key(Area::Uploads, "u-1", "video.mp4"), output());
    put(&place, &upload, &file).await;
    put(&place, &job, &file).await;
    let now = Timestamp::now();
    let minutes = SignedDuration::from_mins;
    let awaited = key(Area::Uploads, "u-2", "video.mp4");
    put(&place, &awaited, &file).await;
    let kept = BTreeSet::from(["u-2".to_owned()]);
    assert_eq!(place.sweep(Area::Uploads, now - minutes(5), &kept).await.unwrap(), 0);
    assert_eq!(place.sweep(Area::Uploads, now + minutes(5), &kept).await.unwrap(), 1);
    assert_eq!(place.head(&upload).await.unwrap(), None);
    assert!(place.head(&awaited).await.unwrap().is_some());
    assert!(place.head(&job).await.unwrap().is_some());
}

pub(crate) async fn the_quota_holds(bench: &impl Bench) {
    let (place, folder) = (bench.open(Some(100)), tempfile::tempdir().unwrap());
    let (sixty, fifty) = (local(&folder, &[6; 60]), local(&folder, &[5; 50]));
    let second = key(Area::Jobs, "0193", "output.mp4");
    put(&place, &output(), &sixty).await;
    place.check_room(40).await.unwrap();
    for error in [
        place.check_room(41).await.unwrap_err(),
        place.check_room(u64::MAX).await.unwrap_err(),
        place.put_file(&second, &fifty, "video/mp4").await.unwrap_err(),
    ] {
        assert!(error.kind() == ErrorKind::DiskFull && error.hint().is_some(), "{error}");
    }
    assert_eq!((place.head(&second).await.unwrap(), place.used_bytes().await.unwrap()), (None, 60));
    place.delete(&output()).await.unwrap();
    put(&place, &second, &fifty).await;
    put(&place, &output(), &fifty).await;
    assert_eq!(place.used_bytes().await.unwrap(), 100);
    assert!(place.check_room(1).await.is_err());
    assert_eq!(place.delete_all(Area::Jobs, "0192").await.unwrap(), 1);
    assert_eq!(place.used_bytes().await.unwrap(), 50);
}

pub(crate) async fn a_put_that_is_given_up_leaves_nothing_half(bench: &impl Bench) {
    let (place, folder) = (bench.open(Some(1 << 30)), tempfile::tempdir().unwrap());
    let file = old(&folder, &noise(LARGE));
    let mut given_up = 0;
    for wait_ms in [0, 0, 1, 2, 4, 8, 16, 32, 64] {
        let key = key(Area::Jobs, &format!("wait-{given_up}-{wait_ms}"), "output.mp4");
        let putting = place.put_file(&key, &file, "video/mp4");
        let outcome = tokio::time::timeout(Duration::from_millis(wait_ms), putting).await;
        given_up += u32::from(outcome.is_err());
        let stored = place.head(&key).await.unwrap().map(|stored| stored.bytes);
        assert!(stored.is_none_or(|bytes| bytes == LARGE as u64), "{wait_ms}: {stored:?}");
        assert!(outcome.is_err() || stored.is_some(), "{wait_ms}");
        place.delete(&key).await.unwrap();
    }
    assert!(given_up > 0, "the file was too small to be given up");
}

pub(crate) async fn nothing_that_is_said_tells_where_files_lie(bench: &impl Bench) {
    let (place, folder) = (bench.open(Some(1)), tempfile::tempdir().unwrap());
    let file = local(&folder, b"four");
    let errors = [
        place.read(&output(), None).await.err().unwrap(),
        place.fetch_file(&output(), &folder.path().join("no/folder")).await.unwrap_err(),
        place.put_file(&output(), &file, "video/mp4").await.unwrap_err(),
        place.put_file(&output(), &folder.path().join("no.mp4"), "video/mp4").await.unwrap_err(),
    ];
    let temporary = std::env::temp_dir();
    for error in errors {
        let said = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(!said.contains(temporary.to_str().unwrap()) && !said.contains("secret"), "{said}");
    }
    let shown = format!("{place:?}");
    assert!(shown.starts_with("Artifacts { place: \"") && shown.len() < 40, "{shown}");
}
