//! Who wants to know is told how a job ended: signed, until it is taken, once, whatever happens to the server.

use crate::harness::{Files, Heard, Receiver, Server, golden};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::Duration;
use viseme_jobs::{JobKind, JobStore, SqliteJobStore, StoreOptions, sign_webhook};

const SECRET: &str = "whsec-0123456789abcdef";

/// Asserts that `word` is signed with the secret.
#[track_caller]
fn assert_signed(word: &Heard) {
    let signature = &word.headers["viseme-signature"];
    let time = signature.strip_prefix("t=").and_then(|rest| rest.split_once(',')).unwrap().0;
    assert_eq!(*signature, sign_webhook(SECRET.as_bytes(), time.parse().unwrap(), &word.body));
}

#[test]
fn the_word_is_signed_and_told_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (files, receiver) = (Files::start(), Receiver::start(&[503, 429]));
    let clip = files.add("golden.mp4", &golden(folder.path()).0);
    let hosts = [files.site(), receiver.site()];
    let server =
        Server::start(&["--allow-host", &hosts[0], "--allow-host", &hosts[1], "--webhook-secret", SECRET]);
    let job = server.post(
        "/v1/jobs",
        &json!({ "kind": "faces", "input": { "video_url": clip }, "webhook_url": receiver.url("/hook/path") }),
    );
    let id = job.with_status(201).text("id");
    let words = server.until(|| Some(receiver.heard()).filter(|words| words.len() == 3));
    for word in &words {
        assert_signed(word);
        assert_eq!(word.path, "/hook/path");
        assert_eq!(word.headers["viseme-event"], "job.completed");
        assert_eq!(word.headers["content-type"], "application/json");
        let told: Value = serde_json::from_slice(&word.body).unwrap();
        assert_eq!((&told["event"], &told["job"]["id"]), (&json!("job.completed"), &json!(id)));
        assert_eq!(told["job"]["state"], "completed");
        assert_eq!(told["id"], json!(word.headers["viseme-delivery"]));
        assert_eq!(word.headers["viseme-delivery"], words[0].headers["viseme-delivery"]);
    }
    sleep(Duration::from_secs(2));
    assert_eq!(receiver.heard().len(), 3, "what was taken is not told again");
    assert_eq!(server.get("/v1/jobs").json()["total"], 1, "telling is no job of the client's");
}

#[test]
fn a_word_that_was_not_told_before_the_server_died_is_told_after_it_comes_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[]);
    let site = receiver.site();
    let mut server = Server::start_in(folder.path(), &["--workers", "0", "--allow-host", &site], &[]);
    let job = json!({
        "kind": "faces", "input": { "video_url": "https://files.example/a.mp4" }, "webhook_url": receiver.url("/"),
    });
    let id = server.post("/v1/jobs", &job).with_status(201).text("id");
    server.kill();
    // A worker that records the end and dies before it can tell it.
    let store = SqliteJobStore::open(&server.data().join("jobs.sqlite"), StoreOptions::default()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let claim = store.claim("doomed", &JobKind::ALL).await.unwrap().unwrap();
        assert_eq!(claim.job.id.to_string(), id);
        assert!(store.complete(claim.lease, json!({})).await.unwrap());
    });
    drop(store);
    for _ in 0..2 {
        let mut server = Server::start_in(folder.path(), &["--allow-host", &site], &[]);
        server.wait_until_ready();
        server.until(|| (!receiver.heard().is_empty()).then_some(()));
        sleep(Duration::from_secs(2));
        assert_eq!(receiver.heard().len(), 1);
        server.terminate();
    }
    let word = &receiver.heard()[0];
    assert_eq!(word.headers["viseme-event"], "job.completed");
    assert!(!word.headers.contains_key("viseme-signature"), "there is no key");
}

#[test]
fn who_refuses_is_not_asked_again_and_nothing_private_is_told() {
    let receiver = Receiver::start(&[410]);
    let server = Server::start(&["--workers", "1", "--allow-host", &receiver.site()]);
    let job = |hook: &str| {
        let input = json!({ "video_url": "https://127.0.0.1:1/a.mp4" });
        server.post("/v1/jobs", &json!({ "kind": "faces", "input": input, "webhook_url": hook }))
    };
    let refused = job("http://127.0.0.1:1/hook").with_status(400).json();
    assert_eq!(refused["error"]["param"], "video_url", "{refused}");
    let input = json!({ "video_url": "https://files.invalid/a.mp4" });
    let job = |hook: &str| {
        let wishes = json!({ "kind": "faces", "input": input, "max_tries": 1, "webhook_url": hook });
        server.post("/v1/jobs", &wishes)
    };
    let refused = job("http://127.0.0.1:1/hook").with_status(400).json();
    assert_eq!(refused["error"]["param"], "webhook_url", "{refused}");
    let id = job(&receiver.url("/")).with_status(201).text("id");
    assert_eq!(server.ended(&id)["state"], "failed");
    server.until(|| (!receiver.heard().is_empty()).then_some(()));
    sleep(Duration::from_secs(4));
    let words = receiver.heard();
    assert_eq!(words.len(), 1);
    assert_eq!(words[0].headers["viseme-event"], "job.failed");
}
