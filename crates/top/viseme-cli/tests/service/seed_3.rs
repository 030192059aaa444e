//! Talking photos: pictures are registered; what cannot be done yet is said.

use crate::harness::{Form, Server, redacted, shape};
use insta::assert_json_snapshot;
use serde_json::json;
use viseme_testing::clips;

const ROUTE: &str = "/api/lipsync/generate-talking-photo";

#[test]
fn a_request_is_checked_and_then_answered_that_there_is_no_voice_yet() {
    let folder = tempfile::tempdir().unwrap();
    let picture = std::fs::read(clips::still(folder.path(), "a.png", 64, 64)).unwrap();
    let server = Server::start(&["--workers", "0"]);
    let ask = |body| server.post(ROUTE, &body);
    let unknown = ask(json!({ "imageId": "poster-1", "text": "Hello." })).with_status(404);
    assert_json_snapshot!("no_picture", redacted(&unknown.json()));
    server.put("/v1/images/poster-1", "image/png", &picture).with_status(201);
    let silent = ask(json!({ "imageId": "poster-1", "text": " ", "voiceId": "default" })).with_status(422);
    assert_json_snapshot!("no_text", redacted(&silent.json()));
    ask(json!({ "imageId": "poster-1", "text": "a".repeat(10_001) })).with_status(422);
    let refused = ask(json!({ "imageId": "poster-1" })).with_status(422);
    assert_json_snapshot!("no_field", redacted(&refused.json()));
    for voice in [json!("default"), json!(null), json!("alto")] {
        ask(json!({ "imageId": "poster-1", "text": "Hello.", "voiceId": voice })).with_status(501);
    }
    let later = ask(json!({ "imageId": "poster-1", "text": "Hello." })).with_status(501);
    assert_json_snapshot!("no_voice_yet", redacted(&later.json()));
    ask(json!({ "imageId": "../jobs", "text": "Hello." })).with_status(404);
}

#[test]
fn pictures_are_registered_replaced_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| std::fs::read(clips::still(folder.path(), name, 64, 48)).unwrap();
    let (png, jpeg) = (bytes("a.png"), bytes("a.jpg"));
    let server = Server::start(&["--workers", "0"]);
    let added = server.put("/v1/images/a.B_c-1", "image/png", &png).with_status(201);
    assert_json_snapshot!("picture", shape(&added.json()));
    let got = server.get("/v1/images/a.B_c-1").with_status(200);
    assert_eq!((got.header("content-type"), &got.body), ("image/png", &png));
    // The type that a client claims counts for nothing.
    server.put("/v1/images/a.B_c-1", "image/webp", &jpeg).with_status(200);
    let got = server.get("/v1/images/a.B_c-1").with_status(200);
    assert_eq!((got.header("content-type"), &got.body), ("image/jpeg", &jpeg));
    let form = Form::new().bytes("image", "b.png", &png);
    let sent = server.send("PUT", "/v1/images/b", Some((&Form::content_type(), form.body())));
    assert_eq!(sent.status, 201);
    assert_json_snapshot!("pictures", shape(&server.get("/v1/images").with_status(200).json()));
    assert_eq!(server.get("/v1/images").json()["total"], 2);
    server.delete("/v1/images/b").with_status(204);
    server.delete("/v1/images/b").with_status(404);
    server.get("/v1/images/b").with_status(404);
    assert_eq!(server.get("/v1/images").json()["total"], 1);
}

#[test]
fn what_is_no_picture_is_not_registered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "0"]);
    let speech = std::fs::read(clips::speech(folder.path(), "a.wav", 1.0)).unwrap();
    let moving = std::fs::read(crate::harness::golden(folder.path()).0).unwrap();
    for bytes in [
        &speech[..],
        &moving,
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
    ] {
        let refused = server.put("/v1/images/a", "image/png", bytes);
        assert_eq!(refused.status, 400, "{}", refused.json());
    }
    let refused = server.put("/v1/images/a", "image/png", b"text").with_status(400);
    assert_json_snapshot!("no_image", redacted(&refused.json()));
    let picture = std::fs::read(clips::still(folder.path(), "a.png", 64, 64)).unwrap();
    for name in [".hidden", "a%2Fb", "..%2Fjobs", "%2e%2e", "a%20b", &"a".repeat(101)] {
        let refused = server.put(&format!("/v1/images/{name}"), "image/png", &picture);
        assert!([400, 404].contains(&refused.status), "{name}: {}", refused.status);
    }
    assert_eq!(server.get("/v1/images").json()["total"], 0);
}
