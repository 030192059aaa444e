//! What engines and the server ask of the store.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;
use std::time::Duration;
use viseme_core::{ErrorKind, Silent, WarningCode};
use viseme_models::download::Patience;
use viseme_models::manifest::{Manifest, TensorSpec};
use viseme_models::store::{PullOptions, StoreOptions};
use viseme_models::{Digest, ModelFile, RtenRuntime, Runtime as _, Store, TensorInfo};
use viseme_testing::observers::TestObserver;
use viseme_testing::{Answer, HostileServer};

fn store(root: &Path, manifest: Manifest, mirror: Option<String>) -> Store {
    let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
    let root = root.to_owned();
    Store::with_options(StoreOptions { root, manifest, mirror, allow_plain_http: false, patience }).unwrap()
}

#[test]
fn a_missing_model_says_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), Manifest::embedded().unwrap(), None);
    for (id, command) in [
        ("wav2lip_gan", "viseme models pull wav2lip_gan --accept-license"),
        ("wav2lip", "viseme models pull wav2lip --accept-license --trust-first-download"),
        ("yunet", "viseme models pull yunet"),
        ("rife_4_26", "viseme models import rife_4_26 FILE (viseme models info rife_4_26 says which file)"),
    ] {
        let error = store.model(id).unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::ModelMissing, 1));
        assert_eq!(error.to_string(), format!("the model {id} is not installed"));
        assert_eq!(error.hint(), Some(format!("Run: {command}").as_str()));
    }
    assert_eq!(store.model("wav3lip").unwrap_err().kind(), ErrorKind::NotFound);
}

/// Two models with one file each, of known hash.
fn two_models() -> (Manifest, Vec<u8>) {
    let body = b"not really a net".repeat(1000);
    let hash = Digest::of(&body);
    let model = |id: &str| {
        format!(
            "[[model]]\nid = '{id}'\npurpose = ''\nused_by = ''\nlicence = 'MIT'\ncommercial_use = 'yes'\n\
             source = ''\n[[model.form]]\nname = 'onnx'\n[[model.form.file]]\nname = '{id}.onnx'\n\
             sha256 = '{hash}'\nbytes = 16000\nevidence = 'measured'\n[[model.form.file.graph]]\npart = 'whole'\n\
             inputs = [{{ name = 'input', shape = [1, 3, 'height', 'width'] }}]\n"
        )
    };
    (Manifest::parse(&(model("first") + &model("second"))).unwrap(), body)
}

#[test]
fn what_a_server_names_is_pulled_from_the_mirror_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, body) = two_models();
    let server = HostileServer::start();
    for id in ["first", "second"] {
        server.serve(&format!("/{id}/{id}.onnx"), &body, &[Answer::Whole]);
    }
    let store = store(folder.path(), manifest, Some(server.url("")));
    let preload = |list| store.preload(list, &PullOptions::default(), &Silent);
    assert!(preload("").unwrap().is_empty());
    assert_eq!(preload("first, thrid").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.asked().len(), 0, "a mistake is found before the first download");
    assert_eq!(preload(" first,second ,").unwrap().len(), 2);
    assert!(preload("first,second").unwrap().iter().all(|pulled| pulled.files.is_empty()));
    assert_eq!(server.asked().len(), 2);

    let model = store.model("second").unwrap();
    let graph = model.graph("whole").unwrap();
    assert_eq!(std::fs::read(&graph.path).unwrap(), body);
    assert_eq!(graph.inputs[0].name, "input");
    assert_eq!(model.graph("half").unwrap_err().kind(), ErrorKind::Internal);
    // A file that was cut after it was installed is not used.
    std::fs::write(&graph.path, &body[..100]).unwrap();
    let error = store.model("second").unwrap_err();
    assert!(error.to_string().contains("not whole: second.onnx is missing"), "{error}");
    // A record that is damaged is said, not guessed at.
    std::fs::write(folder.path().join("first/installed.json"), "{").unwrap();
    let error = store.model("first").unwrap_err();
    assert!(error.hint().unwrap().contains("viseme models rm first"), "{error}");
    store.remove("first", &Silent).unwrap();
    assert_eq!(store.model("first").unwrap_err().kind(), ErrorKind::ModelMissing);
}

fn vector(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

#[test]
fn an_imported_checkpoint_has_the_tensors_that_the_manifest_names() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), Manifest::embedded().unwrap(), None);
    for (id, file) in [("syncnet_v2", "syncnet.pth"), ("s3fd", "s3fd.pth")] {
        let observer = TestObserver::default();
        let imported = store.import(Some(id), &vector(file), &observer).unwrap();
        assert!(imported.missing.is_empty());
        assert_eq!(observer.warnings_so_far()[0].code, WarningCode::Unverified);
        let model = store.model(id).unwrap();
        for graph in &model.graphs {
            let session = RtenRuntime::default().load(&ModelFile::file(id, &graph.path)).unwrap();
            let names =
                |found: &[TensorInfo]| found.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
            let listed =
                |known: &[TensorSpec]| known.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&session.info().inputs), listed(&graph.inputs), "{id}");
            assert_eq!(names(&session.info().outputs), listed(&graph.outputs), "{id}");
        }
        assert!(store.verify(id, &Silent).unwrap().iter().all(|check| check.ok));
    }
    let error = store.import(Some("wav2lip_gan"), &vector("s3fd.pth"), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(store.model("wav2lip_gan").unwrap_err().kind(), ErrorKind::ModelMissing);
}

#[test]
fn a_pulled_checkpoint_becomes_its_graphs() {
    let folder = tempfile::tempdir().unwrap();
    let body = std::fs::read(vector("syncnet.pth")).unwrap();
    let server = HostileServer::start();
    server.serve("/syncnet_v2/syncnet_v2.model", &body, &[Answer::CutAfter(1000), Answer::Whole]);
    let mut manifest = Manifest::embedded().unwrap();
    let model = manifest.models.iter_mut().find(|model| model.id == "syncnet_v2").unwrap();
    let file = &mut model.forms[0].files[0];
    (file.sha256, file.bytes) = (Some(Digest::of(&body)), Some(body.len() as u64));
    let store = store(folder.path(), manifest, Some(server.url("")));
    let options = PullOptions { accept_licence: true, ..PullOptions::default() };
    assert_eq!(
        store.pull("syncnet_v2", &PullOptions::default(), &Silent).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let pulled = store.pull("syncnet_v2", &options, &Silent).unwrap();
    assert_eq!(pulled.files.len(), 2);
    let model = store.model("syncnet_v2").unwrap();
    let names = ["lip", "audio"].map(|part| model.graph(part).unwrap().path.file_name().unwrap().to_owned());
    assert_eq!(names, ["syncnet_lip.onnx", "syncnet_audio.onnx"]);
    assert!(!folder.path().join("syncnet_v2/syncnet_v2.model").exists(), "what it was made of is not kept");
}
