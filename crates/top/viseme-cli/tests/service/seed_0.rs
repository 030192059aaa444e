//! Files are sent as a form, the answer is a job, the job makes a video.

use crate::harness::{Form, Server, golden, shape, stored, video};
use insta::assert_json_snapshot;
use serde_json::json;

#[test]
fn a_form_becomes_a_job_whose_result_plays() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&[]);
    let answer = server.post_form("/lipsync", Form::of(&clip, &audio).field("method", "auto"));
    let answer = answer.with_status(202);
    assert_json_snapshot!("form_accepted", shape(&answer.json()));
    let id = answer.text("task_id");
    assert_eq!(answer.header("location"), format!("/v1/jobs/{id}"));
    let mut job = server.completed(&id);
    // The last word of the worker before the end.
    job["progress"] = json!("[progress]");
    assert_json_snapshot!("job_completed", shape(&job));
    let link = job["result"]["video_url"].as_str().unwrap();
    let result = stored(&server.get(link).with_status(200).body, folder.path());
    assert!((video(&result).duration_s - 1.0).abs() < 0.1);
}

#[test]
fn every_method_is_taken_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let with = |method: &str| server.post_form("/lipsync", Form::of(&clip, &audio).field("method", method));
    for known in ["auto", "", "wav2lip", "native"] {
        assert_eq!(with(known).status, 202, "{known}");
    }
    with("nobody").with_status(422);
    assert_json_snapshot!("method_unknown", shape(&with("nobody").json()));
    // A job for each engine, with its two files; what was sent again, or for nobody, is gone.
    assert_eq!(server.get("/v1/jobs").json()["total"], json!(3));
    assert_eq!(server.files().len(), 6, "{:?}", server.files());
}

#[test]
fn a_form_without_its_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let refused = server.post_form("/lipsync", Form::new().file("video", &clip)).with_status(400);
    assert_json_snapshot!("form_without_audio", shape(&refused.json()));
    server.post_form("/lipsync", Form::new().file("audio", &audio)).with_status(400);
    server.post_form("/lipsync", Form::new()).with_status(400);
    let twice = Form::of(&clip, &audio).file("video", &clip);
    server.post_form("/lipsync", twice).with_status(400);
    let swapped = Form::new().file("video", &audio).file("audio", &clip);
    server.post_form("/lipsync", swapped).with_status(400);
    assert_eq!(server.get("/v1/jobs").json()["total"], json!(0));
    assert_eq!(server.files(), Vec::<String>::new());
}
