use super::*;
use std::path::Path;
use std::time::{Duration, SystemTime};

fn cache() -> (tempfile::TempDir, AnalysisCache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = AnalysisCache::new(folder.path().join("deep/cache"), 10_000);
    (folder, cache)
}

fn key_of(name: &str) -> Key {
    Key::of(serde_json::json!({ "video": name }))
}

fn keep(cache: &AnalysisCache, name: &str, bytes: usize) {
    let fill = |folder: &Path| {
        std::fs::write(folder.join("a.bin"), vec![7; bytes]).unwrap();
        std::fs::write(folder.join("b.bin"), name).unwrap();
        Ok(())
    };
    cache.store.keep(&key_of(name), fill).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let found = std::fs::read_dir(folder).unwrap();
    found.map(|found| found.unwrap().file_name().into_string().unwrap()).collect()
}

fn use_long_ago(cache: &AnalysisCache, name: &str, hours: u64) {
    let seal = cache.store.root.join(key_of(name).name()).join(entry::SEAL);
    let then = SystemTime::now() - Duration::from_hours(hours);
    std::fs::File::options().append(true).open(seal).unwrap().set_modified(then).unwrap();
}

#[test]
fn what_is_kept_is_found_under_its_own_key_alone() {
    let (_folder, cache) = cache();
    assert_eq!((cache.store.find(&key_of("a")), cache.info().unwrap().entries), (None, 0));
    keep(&cache, "a", 100);
    let found = cache.store.find(&key_of("a")).unwrap();
    assert_eq!(std::fs::read(found.join("b.bin")).unwrap(), b"a");
    assert_eq!(cache.store.find(&key_of("b")), None);
    // Kept again by a process that did not see the first: as good.
    keep(&cache, "a", 100);
    assert_eq!(cache.info().unwrap().entries, 1);
    assert!(cache.info().unwrap().bytes > 100);
    assert_eq!(cache.clear().unwrap().entries, 1);
    assert_eq!((cache.store.find(&key_of("a")), names(&cache.store.root)), (None, Vec::<String>::new()));
}

#[test]
fn whatever_is_damaged_foreign_or_cut_off_is_not_there() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("one bit", |entry| {
            let mut bytes = std::fs::read(entry.join("a.bin")).unwrap();
            bytes[50] ^= 1;
            std::fs::write(entry.join("a.bin"), bytes).unwrap();
        }),
        ("cut off", |entry| {
            std::fs::File::options().write(true).open(entry.join("a.bin")).unwrap().set_len(99).unwrap();
        }),
        ("a file gone", |entry| std::fs::remove_file(entry.join("b.bin")).unwrap()),
        ("no seal", |entry| std::fs::remove_file(entry.join("seal.json")).unwrap()),
        ("an empty seal", |entry| std::fs::write(entry.join("seal.json"), "").unwrap()),
        ("half a seal", |entry| {
            let text = std::fs::read(entry.join("seal.json")).unwrap();
            std::fs::write(entry.join("seal.json"), &text[..text.len() / 2]).unwrap();
        }),
        ("the seal of another video", |entry| {
            let text = std::fs::read_to_string(entry.join("seal.json")).unwrap();
            std::fs::write(entry.join("seal.json"), text.replace(r#""video":"a""#, r#""video":"b""#))
                .unwrap();
        }),
    ];
    for (name, damage) in damages {
        let (_folder, cache) = cache();
        keep(&cache, "a", 100);
        let entry = cache.store.find(&key_of("a")).unwrap();
        damage(&entry);
        assert_eq!(cache.store.find(&key_of("a")), None, "{name}");
        assert!(!entry.exists(), "{name}");
        keep(&cache, "a", 100);
        assert!(cache.store.find(&key_of("a")).is_some(), "{name}");
    }
}

#[test]
fn a_writer_that_fails_leaves_nothing() {
    let (_folder, cache) = cache();
    let full = |folder: &Path| {
        std::fs::write(folder.join("a.bin"), "half").unwrap();
        Err(Error::io("write", std::io::Error::from(std::io::ErrorKind::StorageFull)))
    };
    assert!(cache.store.keep(&key_of("a"), full).is_err());
    assert_eq!((cache.store.find(&key_of("a")), names(&cache.store.root)), (None, Vec::new()));
    let error = cache.store.keep(&key_of("a"), |folder| {
        std::fs::write(folder.join("a.bin"), vec![0; 10_001]).unwrap();
        Ok(())
    });
    assert!(error.unwrap_err().hint().unwrap().contains("VISEME_CACHE_MB"));
    assert_eq!(names(&cache.store.root), Vec::<String>::new());
}

#[test]
fn the_longest_unused_goes_first() {
    let (_folder, cache) = cache();
    for (name, hours) in [("a", 3), ("b", 2), ("c", 1)] {
        keep(&cache, name, 3000);
        use_long_ago(&cache, name, hours);
    }
    assert!(cache.store.find(&key_of("a")).is_some(), "and is used by that");
    keep(&cache, "d", 3000);
    let is_there = |name: &str| cache.store.find(&key_of(name)).is_some();
    assert_eq!(["a", "b", "c", "d"].map(is_there), [true, false, true, true]);
}

#[test]
fn what_ended_processes_left_is_swept_and_no_entry_is() {
    let (_folder, cache) = cache();
    keep(&cache, "a", 100);
    for name in [".writing-old", ".removing-old", ".writing-new"] {
        std::fs::create_dir(cache.store.root.join(name)).unwrap();
    }
    for name in [".writing-old", ".removing-old"] {
        let then = SystemTime::now() - Duration::from_hours(2);
        std::fs::File::open(cache.store.root.join(name)).unwrap().set_modified(then).unwrap();
    }
    keep(&cache, "b", 100);
    let mut left = names(&cache.store.root);
    left.sort();
    assert_eq!((left.len(), left[0].as_str()), (3, ".writing-new"));
    // A folder of the user's own is neither counted nor removed.
    std::fs::create_dir(cache.store.root.join("photos")).unwrap();
    assert_eq!(cache.clear().unwrap().entries, 2);
    let mut left = names(&cache.store.root);
    left.sort();
    // Somebody may be writing what is new.
    assert_eq!(left, [".writing-new", "photos"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_sees_in() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, cache) = cache();
    keep(&cache, "a", 100);
    for folder in [&cache.store.root, &cache.store.find(&key_of("a")).unwrap()] {
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn many_writers_of_one_entry_agree() {
    let (_folder, cache) = cache();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..20 {
                    keep(cache, "a", 500);
                    if (worker + round) % 5 == 0 {
                        let _ = cache.clear();
                    }
                    if let Some(entry) = cache.store.find(&key_of("a")) {
                        // It may have been cleared since, but never is it something else.
                        assert!(
                            std::fs::read(entry.join("b.bin")).is_ok_and(|text| text == b"a")
                                || !entry.exists()
                        );
                    }
                }
            });
        }
    });
}
