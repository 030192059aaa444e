//! What the server says of its work: to a log, to a collector of spans, and never a secret.

use crate::harness::{Files, Receiver, Server, golden};
use serde_json::json;

const TOKEN: &str = "a-token-that-is-hushed";
const SIGNATURE: &str = "a-signature-that-is-hushed";

#[test]
fn spans_of_jobs_reach_a_collector_and_secrets_reach_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (files, collector) = (Files::start(), Receiver::start(&[]));
    let signed = |url: String| format!("{url}?X-Amz-Signature={SIGNATURE}");
    let (clip, audio) = golden(folder.path());
    let (clip, audio) = (signed(files.add("golden.mp4", &clip)), signed(files.add("golden.wav", &audio)));
    let none = signed(files.add_bytes("none.mp4", b"no video at all"));
    let endpoint = collector.url("");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SERVICE_NAME", "lips")];
    let site = files.site();
    let arguments = [
        "--allow-host",
        &site,
        "--token",
        &format!("studio={TOKEN}"),
        "--log",
        "debug",
        "--log-format",
        "json",
    ];
    let mut server = Server::start_in(folder.path(), &arguments, &variables);
    let studio = server.with_token(TOKEN);
    let job = |video: &str| {
        let input = json!({ "video_url": video, "audio_url": audio });
        studio.post("/v1/jobs", &json!({ "kind": "lipsync", "input": input })).with_status(201).text("id")
    };
    let (done, failed) = (job(&clip), job(&none));
    studio.completed(&done);
    assert_eq!(studio.ended(&failed)["state"], "failed");
    assert!(server.terminate().success());
    let spans = collector.heard();
    assert!(spans.iter().all(|span| span.path == "/v1/traces"), "{spans:?}");
    let told = spans.iter().flat_map(|span| span.body.clone()).collect::<Vec<u8>>();
    let told = String::from_utf8_lossy(&told);
    for word in
        [&*done, &failed, "lips", "job_id", "native", "cost_usd", "download_ms", "completed", "invalid_input"]
    {
        assert!(told.contains(word), "no {word} in the spans");
    }
    let log = server.log();
    assert!(log.contains(&done) && log.contains("golden.mp4"), "the log says what is done");
    for secret in [TOKEN, SIGNATURE] {
        assert!(!told.contains(secret) && !log.contains(secret), "{secret} is told");
    }
}

#[test]
fn a_collector_that_is_not_there_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")];
    let mut server = Server::start_in(folder.path(), &["--workers", "0"], &variables);
    server.get("/v1/jobs").with_status(200);
    assert!(server.terminate().success());
}
