//! Files are sent to `/v1/jobs` for every kind of job that takes them.

use crate::harness::{Form, Server, golden};
use serde_json::json;

#[test]
fn every_kind_that_takes_files_is_told_by_a_field() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let video = || Form::new().file("video", &clip);
    for (kind, form, options) in [
        ("lipsync", Form::of(&clip, &audio), json!({ "loop_mode": "none", "priority": 2 })),
        ("faces", video(), json!({ "sample_fps": 2, "priority": 2 })),
        ("score", video(), json!({ "priority": 2 })),
        ("score", Form::of(&clip, &audio), json!({ "priority": 2 })),
    ] {
        let form = form.field("kind", kind).field("options", &options.to_string());
        let job = server.post_form("/v1/jobs", form).with_status(201).json();
        assert_eq!((&job["kind"], &job["priority"]), (&json!(kind), &json!(2)));
    }
    let face = json!({ "character_id": "a", "bbox": [0, 0, 0, 9] });
    for (form, options, param) in [
        (Form::of(&clip, &audio), json!({ "faces": [face] }), "faces"),
        (Form::of(&clip, &audio), json!({ "upload_url": "https://127.0.0.1/out.mp4" }), "upload_url"),
        (video().field("kind", "faces"), json!({ "sample_fps": 0 }), "sample_fps"),
        (video().field("kind", "tracking"), json!({}), "kind"),
        (video(), json!({}), "audio"),
    ] {
        let refused = server.post_form("/v1/jobs", form.field("options", &options.to_string())).json();
        assert_eq!(refused["error"]["param"], param, "{refused}");
    }
    assert_eq!(server.get("/v1/jobs").json()["total"], json!(4));
}

#[test]
fn files_that_are_sent_again_with_their_key_are_the_same_job() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let caller = server.with_header("idempotency-key", "once");
    let send =
        |options: &str| caller.post_form("/v1/jobs", Form::of(&clip, &audio).field("options", options));
    let first = send("{}").with_status(201).text("id");
    server.post(&format!("/v1/jobs/{first}/cancel"), &json!({})).with_status(200);
    assert_eq!(send("{}").with_status(201).text("id"), first);
    send(r#"{"loop_mode": "smart"}"#).with_status(400);
}
