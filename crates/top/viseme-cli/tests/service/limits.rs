//! Whoever sends too much, too slowly, or what is not what it claims to be is refused, and leaves nothing behind.

use crate::harness::{Bucket, Files, Form, Server, golden, portrait, presenter, redacted, status_of};
use insta::assert_json_snapshot;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};
use viseme_testing::clips;

/// The head of a form that is sent in chunks.
fn chunked_head(path: &str) -> String {
    let kind = Form::content_type();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\
         connection: close\r\n\r\n"
    )
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[test]
fn json_has_a_length() {
    let server = Server::start(&["--workers", "0"]);
    let huge = json!({ "text": "a".repeat(2_000_000), "video_url": "https://example.com/a.mp4" });
    for path in
        ["/lipsync", "/detect-faces", "/face-tracking", "/v1/jobs", "/api/lipsync/generate-talking-photo"]
    {
        server.post(path, &huge).with_status(413);
    }
    assert_json_snapshot!("huge_json", redacted(&server.post("/v1/jobs", &huge).json()));
    assert_json_snapshot!("huge_json_lipsync", redacted(&server.post("/lipsync", &huge).json()));
}

#[test]
fn an_upload_that_says_that_it_is_too_large_is_not_awaited() {
    let server = Server::start(&["--workers", "0"]);
    let kind = Form::content_type();
    for path in ["/api/lip-sync/generate", "/lipsync", "/v1/jobs"] {
        let started = Instant::now();
        let status = server.raw(
            format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: 701000000\r\n\
                 expect: 100-continue\r\n\r\n"
            )
            .as_bytes(),
        );
        assert_eq!(status, 413, "{path}");
        assert!(started.elapsed() < Duration::from_secs(20), "{path}");
    }
    assert_eq!(server.files(), Vec::<String>::new());
}

#[test]
fn an_upload_that_becomes_too_large_is_refused_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, _) = golden(folder.path());
    let server = Server::start(&["--workers", "0", "--max-video", "1"]);
    let large = vec![0; 1_500_000];
    let refused = server.post_form("/api/lip-sync/generate", Form::new().bytes("video", "a.mp4", &large));
    assert_json_snapshot!("too_large", redacted(&refused.with_status(413).json()));
    let refused =
        server.post_form("/lipsync", Form::new().file("video", &clip).bytes("audio", "a.wav", &large));
    assert_ne!(refused.status, 202);
    // Nobody says beforehand how much it will be.
    let mut stream = server.connect();
    stream.write_all(chunked_head("/api/lip-sync/generate").as_bytes()).unwrap();
    let mut body = chunk(&Form::new().bytes("video", "a.mp4", &[]).unfinished());
    (0..40).for_each(|_| body.extend(chunk(&vec![7; 65_536])));
    body.extend(b"0\r\n\r\n");
    stream.write_all(&body).unwrap();
    assert_eq!(status_of(stream), 413);
    assert_eq!(server.files(), Vec::<String>::new());
}

#[test]
fn whoever_was_told_to_go_on_is_heard_out() {
    let server = Server::start(&["--workers", "0", "--max-video", "1"]);
    let (large, larger) = (vec![7; 1_500_000], vec![7; 30_000_000]);
    let body = Form::new().bytes("video", "a.mp4", &large).bytes("audio", "a.wav", &larger).body();
    let (kind, length) = (Form::content_type(), body.len());
    let mut stream = server.connect();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let head = format!(
        "POST /api/lip-sync/generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(answers.by_ref().take(2).collect::<Vec<_>>(), ["HTTP/1.1 100 Continue", ""]);
    // All of it, before another word is read.
    stream.write_all(&body).unwrap();
    assert_eq!(answers.next().unwrap(), "HTTP/1.1 413 Payload Too Large");
}

#[test]
fn a_client_that_says_nothing_more_is_let_go() {
    let server = Server::start(&["--workers", "0", "--upload-idle", "0:01"]);
    let mut stream = server.connect();
    stream.write_all(chunked_head("/api/lip-sync/generate").as_bytes()).unwrap();
    stream.write_all(&chunk(&Form::new().bytes("video", "a.mp4", b"begun").unfinished())).unwrap();
    let started = Instant::now();
    assert_eq!(status_of(stream), 408);
    assert!(started.elapsed() > Duration::from_millis(900));
    assert_eq!(server.files(), Vec::<String>::new());
}

#[test]
fn a_client_that_goes_away_leaves_nothing() {
    let server = Server::start(&["--workers", "0"]);
    let mut stream = server.connect();
    stream.write_all(chunked_head("/lipsync").as_bytes()).unwrap();
    stream.write_all(&chunk(&Form::new().bytes("video", "a.mp4", &vec![7; 100_000]).unfinished())).unwrap();
    server.until(|| (!server.files().is_empty()).then_some(()));
    drop(stream);
    server.until(|| server.files().is_empty().then_some(()));
}

#[test]
fn what_is_no_media_is_refused_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let whole = std::fs::read(&clip).unwrap();
    for bytes in [
        &b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nfile:///etc/passwd\n"[..],
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"just text\n",
        &whole[..1000],
    ] {
        for path in ["/lipsync", "/v1/jobs", "/api/lip-sync/generate"] {
            let form = Form::new().bytes("video", "a.mp4", bytes).file("audio", &audio);
            let refused = server.post_form(path, form);
            assert_eq!(refused.status, 400, "{path}: {}", refused.json());
            let said = refused.json().to_string();
            assert!(!said.contains("incoming-") && !said.contains("root:"), "{said}");
        }
    }
    assert_eq!(server.files(), Vec::<String>::new());
}

/// A PNG of zeros with a comment of `comment` bytes.
fn zeros(width: u32, height: u32, depth: png::BitDepth, comment: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    if comment > 0 {
        encoder.add_ztxt_chunk("Comment".into(), "a".repeat(comment)).unwrap();
    }
    let row = match depth {
        png::BitDepth::One => width.div_ceil(8),
        _ => width * 2,
    };
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; (row * height) as usize]).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn pictures_that_grow_are_refused_within_memory() {
    let (files, bucket) = (Files::start(), Bucket::start());
    let server = Server::start(&["--allow-host", &files.site(), "--allow-host", &bucket.site()]);
    server.wait_until_ready();
    let wide = zeros(20_000, 20_000, png::BitDepth::One, 0);
    let bomb = zeros(4000, 2300, png::BitDepth::Sixteen, 300_000_000);
    let folder = tempfile::tempdir().unwrap();
    let audio = std::fs::read(clips::speech(folder.path(), "a.wav", 1.0)).unwrap();
    let form = Form::new().bytes("video", "a.png", &wide).bytes("audio", "a.wav", &audio);
    // Too much even for ffprobe, which finds no picture in it then.
    assert!([400, 413].contains(&server.post_form("/lipsync", form).status));
    assert!([400, 413].contains(&server.put("/v1/images/wide", "image/png", &wide).status));
    for (name, bytes) in [("wide", &wide), ("bomb", &bomb)] {
        let request = json!({
            "video_url": files.add("video.mp4", &presenter()),
            "end_time_ms": 200,
            "characters": [
                { "id": "grown", "reference_image_url": files.add_bytes(name, bytes) },
                { "id": "speaker", "reference_image_url": files.add("face.png", &portrait()) },
            ],
        });
        let seen = server.post("/detect-faces", &request).with_status(200).json();
        assert_eq!(seen["characters_detected"], json!(["speaker"]), "{name}: {seen:#}");
        assert!(seen["warnings"].to_string().contains("'grown'"), "{name}: {seen:#}");
    }
    if let Some(peak) = server.peak_memory() {
        assert!(peak < 1_500_000_000, "{peak} bytes");
    }
}
