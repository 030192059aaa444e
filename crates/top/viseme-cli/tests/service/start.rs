//! A server starts, says so, and ends.

use crate::harness::{Form, Server, golden};

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
