//! A server starts, says so, and ends.

use crate::harness::{Files, Form, Server, golden};
use viseme_models::Digest;

#[test]
fn it_answers_until_it_is_told_to_end() {
    let mut server = Server::start(&["--workers", "0"]);
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    assert!(server.terminate().success(), "{}", server.log());
    assert!(server.log().contains("ending"), "{}", server.log());
}

#[test]
fn it_is_ready_when_its_engine_is_loaded() {
    let server = Server::start(&[]);
    server.wait_until_ready();
}

#[test]
fn what_was_taken_on_is_done_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let mut server = Server::start_in(folder.path(), &["--workers", "0"], &[]);
    let id = server.post_form("/lipsync", Form::of(&clip, &audio)).with_status(202).text("task_id");
    server.kill();
    let server = Server::start_in(folder.path(), &[], &[("LOG_LEVEL", "debug")]);
    server.completed(&id);
}

#[test]
fn models_are_there_before_it_is_ready() {
    let (folder, files) = (tempfile::tempdir().unwrap(), Files::start());
    let url = files.add_bytes("example.onnx", b"weights");
    let manifest = format!(
        "[[model]]\nid = 'example'\npurpose = 'Shows'\nused_by = 'tests'\nlicence = 'For tests alone'\n\
         commercial_use = 'no'\nsource = 'https://example.org'\n[[model.form]]\nname = 'onnx'\n\
         [[model.form.file]]\nname = 'example.onnx'\nurls = ['{url}']\nsha256 = '{}'\nbytes = 7\n\
         evidence = 'measured'\n[[model.form.file.graph]]\npart = 'example.onnx'\n",
        Digest::of(b"weights")
    );
    std::fs::write(folder.path().join("own.toml"), manifest).unwrap();
    let pulled = folder.path().join("models/example/example.onnx");
    let own = ("VISEME_MODELS_MANIFEST", "own.toml");
    let start = |arguments: &[&str], models| {
        let server = Server::start_in(folder.path(), arguments, &[own, ("PRELOAD_MODELS", models)]);
        server.wait_until_ready();
        server
    };
    // Its licence was not accepted, and the other is nobody's: that stops no other job.
    let server = start(&[], "example,nothing");
    for said in ["accept-license", "nothing"] {
        assert!(server.log().contains(said), "{said}: {}", server.log());
    }
    assert!(!pulled.exists());
    drop(server);
    start(&["--accept-license", "--device", "cpu"], "true,example");
    assert_eq!(std::fs::read(pulled).unwrap(), b"weights");
}
