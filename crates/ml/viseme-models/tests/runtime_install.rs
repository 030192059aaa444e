//! ONNX Runtime's wheel from a server that misbehaves: the library is there as a whole, or what was there before.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::io::{Cursor, Write};
use std::path::Path;
use std::time::Duration;
use viseme_core::{ErrorKind, Silent};
use viseme_models::download::Patience;
use viseme_models::store::{Member, StoreOptions, Wheel};
use viseme_models::{Digest, Library, Manifest, Store};
use viseme_testing::{Answer, HostileServer};
use zip::write::SimpleFileOptions;

/// A wheel with a library of that content, and more than is wanted.
fn archive(library: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Stored as they are: a cut in the middle of the transfer is one in the middle of the library.
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in
        [("capi/libonnxruntime.so.9", library), ("../../evil.so", b"no"), ("LICENSE", b"MIT")]
    {
        writer.start_file(name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

struct Stage {
    server: HostileServer,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { server: HostileServer::start(), folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self, mirror: Option<String>) -> Store {
        Store::with_options(StoreOptions {
            root: self.folder.path().join("models"),
            manifest: Manifest::embedded().unwrap(),
            mirror,
            allow_plain_http: false,
            patience: Patience { retries: 1, pause: Duration::from_millis(1), ..Patience::default() },
        })
        .unwrap()
    }

    /// Serves a wheel and describes it.
    fn wheel(&self, version: &str, library: &[u8], answers: &[Answer]) -> Wheel {
        let body = archive(library);
        let path = format!("/onnxruntime-{version}.whl");
        self.server.serve(&path, &body, answers);
        let member = |path: &str, bytes: usize| Member { path: path.to_owned(), bytes: bytes as u64 };
        Wheel {
            flavour: "cpu".to_owned(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            version: version.to_owned(),
            url: self.server.url(&path),
            sha256: Digest::of(&body),
            bytes: body.len() as u64,
            files: vec![member("capi/libonnxruntime.so.9", library.len()), member("LICENSE", 3)],
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_cut_download_goes_on_and_only_what_is_wanted_is_installed() {
    let (stage, library) = (Stage::new(), vec![42; 3 << 20]);
    let store = stage.store(None);
    let wheel = stage.wheel("9.0", &library, &[Answer::CutAfter(2 << 20), Answer::Whole]);
    let installed = store.install_runtime(&wheel, &Silent).unwrap();
    assert_eq!(stage.server.asked()[1].from, Some(2 << 20), "resumed");
    let folder = store.runtimes_folder();
    assert_eq!(names(&folder), ["cpu"], "the wheel itself does not stay");
    assert_eq!(names(&folder.join("cpu")), ["LICENSE", "installed.json", "libonnxruntime.so.9"]);
    assert_eq!(std::fs::read(folder.join("cpu/libonnxruntime.so.9")).unwrap(), library);
    assert_eq!(store.installed_runtimes().unwrap(), [installed]);
    // It is found, and is of course no real one.
    let error = Library::load(&folder.join("cpu/libonnxruntime.so.9")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTool);
}

#[test]
fn the_same_is_not_downloaded_again_and_another_version_takes_its_place() {
    let stage = Stage::new();
    let store = stage.store(None);
    let first = stage.wheel("9.0", b"nine", &[Answer::Whole]);
    store.install_runtime(&first, &Silent).unwrap();
    store.install_runtime(&first, &Silent).unwrap();
    assert_eq!(stage.server.asked().len(), 1);
    let second = stage.wheel("10.0", b"ten", &[Answer::Whole]);
    store.install_runtime(&second, &Silent).unwrap();
    let library = store.runtimes_folder().join("cpu/libonnxruntime.so.9");
    assert_eq!(std::fs::read(&library).unwrap(), b"ten");
    assert_eq!(store.remove_runtime("cpu", &Silent).unwrap().unwrap().version, "10.0");
    assert_eq!(store.remove_runtime("cpu", &Silent).unwrap(), None);
    assert_eq!(store.remove_runtime("../models", &Silent).unwrap(), None);
    assert!(!library.exists());
}

#[test]
fn a_wheel_that_is_not_the_expected_one_leaves_what_was_there() {
    let stage = Stage::new();
    let store = stage.store(None);
    store.install_runtime(&stage.wheel("9.0", b"nine", &[Answer::Whole]), &Silent).unwrap();
    let good = stage.wheel("10.0", b"ten", &[Answer::Whole]);
    let other_hash = Wheel { sha256: Digest::of(b"another"), ..good.clone() };
    let other_size = Wheel { bytes: good.bytes + 1, ..good.clone() };
    let mut other_member = good.clone();
    other_member.files[0].bytes = 2;
    let gone = Wheel { url: stage.server.url("/gone.whl"), ..good };
    for wheel in [other_hash, other_size, other_member, gone] {
        let error = store.install_runtime(&wheel, &Silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
        assert_eq!(store.installed_runtimes().unwrap()[0].version, "9.0");
        assert_eq!(std::fs::read(store.runtimes_folder().join("cpu/libonnxruntime.so.9")).unwrap(), b"nine");
    }
}

#[test]
fn a_mirror_is_asked_in_place_of_the_index() {
    let stage = Stage::new();
    let wheel = stage.wheel("9.0", b"nine", &[Answer::Whole]);
    stage.server.serve("/mirror/runtimes/onnxruntime-9.0.whl", &archive(b"nine"), &[Answer::Whole]);
    let store = stage.store(Some(stage.server.url("/mirror/")));
    store.install_runtime(&wheel, &Silent).unwrap();
    let asked: Vec<String> = stage.server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/mirror/runtimes/onnxruntime-9.0.whl"]);
}
