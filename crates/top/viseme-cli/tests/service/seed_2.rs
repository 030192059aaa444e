//! Faces are found, their boxes are sent back with a speech, and the result comes to the client's own storage.

use crate::harness::{Bucket, Files, Server, changed_share, presenter, redacted, shape, speech, video};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::path::Path;
use viseme_testing::skip_without_shared;

/// A client, its files and its storage.
struct Client {
    server: Server,
    files: Files,
    bucket: Bucket,
}

impl Client {
    fn start() -> Self {
        let (files, bucket) = (Files::start(), Bucket::start());
        let server = Server::start(&["--allow-host", &files.site(), "--allow-host", &bucket.site()]);
        Self { server, files, bucket }
    }

    /// As the script of the client does with `--auto`: looks for faces, and has all that are found speak.
    fn auto(&self, clip: &Path, audio: &Path) -> (Value, Value) {
        let video_url = self.files.add("video", clip);
        let seen = self.server.post("/detect-faces", &json!({ "video_url": video_url, "sample_fps": 3 }));
        let seen = seen.with_status(200).json();
        let mut request = json!({
            "video_url": video_url,
            "audio_url": self.files.add("audio", audio),
            "upload_url": self.bucket.put_url("result.mp4"),
            "faces": all_faces(&seen),
            "enhance_quality": true,
            "fidelity_weight": 0.7,
        });
        request["loop_mode"] = json!("none");
        (seen, self.server.post("/lipsync", &request).with_status(200).json())
    }
}

/// Each face that was seen, where it was seen first.
fn all_faces(seen: &Value) -> Vec<Value> {
    let mut faces: Vec<Value> = Vec::new();
    for face in seen["frames"].as_array().unwrap().iter().flat_map(|frame| frame["faces"].as_array().unwrap())
    {
        if faces.iter().all(|known| known["character_id"] != face["character_id"]) {
            faces.push(json!({
                "character_id": face["character_id"], "bbox": face["bbox"],
                "start_time_ms": 0, "end_time_ms": seen["video_duration_ms"],
            }));
        }
    }
    faces
}

/// Checks what both sides say of the result, and that the mouth was moved and nothing else.
fn check(client: &Client, clip: &Path, seen: &Value, done: &Value) {
    let result = client.bucket.file("result.mp4");
    let (info, source) = (video(&result), video(clip));
    let output = &done["output"];
    assert_eq!(output["width"], seen["frame_width"]);
    assert_eq!(output["height"], seen["frame_height"]);
    assert_eq!(output["file_size_bytes"], result.metadata().unwrap().len());
    assert!((output["duration_ms"].as_f64().unwrap() - info.duration_s * 1000.0).abs() < 60.0, "{output}");
    assert!((info.duration_s - source.duration_s).abs() < 0.1, "{} {}", info.duration_s, source.duration_s);
    let face = &done["faces"]["results"][0];
    assert_eq!((&face["character_id"], &face["success"]), (&json!("face_1"), &json!(true)), "{face:#}");
    let summary = &face["summary"];
    let sum = summary["synced_ms"].as_u64().unwrap() + summary["skipped_ms"].as_u64().unwrap();
    assert_eq!(summary["total_ms"], sum);
    let bbox: Vec<f64> = serde_json::from_value(all_faces(seen)[0]["bbox"].clone()).unwrap();
    let [x, y, width, height] = bbox[..] else { panic!("{bbox:?}") };
    let mouth = changed_share(clip, &result, [x + width * 0.25, y + height * 0.6, width * 0.5, height * 0.3]);
    let corner = changed_share(clip, &result, [0.0, 0.0, 40.0, 40.0]);
    assert!(mouth > 0.02 && corner < mouth / 4.0, "mouth {mouth}, corner {corner}");
}

#[test]
fn the_presenter_is_found_and_speaks() {
    let client = Client::start();
    let clip = presenter();
    let (seen, done) = client.auto(&clip, &speech());
    assert_json_snapshot!("detected", shape(&seen));
    assert_json_snapshot!("lipsynced", shape(&done));
    assert_eq!((&seen["frame_width"], &seen["frame_height"]), (&json!(1280), &json!(720)));
    let frames = seen["frames"].as_array().unwrap();
    assert!((16..=18).contains(&frames.len()), "{}", frames.len());
    assert!(frames.iter().all(|frame| frame["faces"][0]["character_id"] == "face_1"), "{seen:#}");
    check(&client, &clip, &seen, &done);
    let fetched = client.server.get(&client.bucket.get_url("result.mp4")).with_status(200);
    assert_eq!(fetched.body, std::fs::read(client.bucket.file("result.mp4")).unwrap());
    assert_eq!(client.bucket.names(), ["result.mp4"]);
}

#[test]
fn somebody_real_is_found_and_speaks() {
    let shared = skip_without_shared!();
    let client = Client::start();
    let clip = shared.join("media/vox_05124_256.mp4");
    let (seen, done) = client.auto(&clip, &shared.join("speech/sadtalker_RD_Radio31_000.wav"));
    check(&client, &clip, &seen, &done);
}

#[test]
fn a_client_that_would_rather_not_wait_has_a_job() {
    let client = Client::start();
    let video_url = client.files.add("video", &presenter());
    let asking = client.server.with_header("prefer", "respond-async");
    let body = json!({ "video_url": video_url, "start_time_ms": 1000, "end_time_ms": 2000 });
    let answer = asking.post("/detect-faces", &body).with_status(202);
    assert_eq!(answer.header("preference-applied"), "respond-async");
    let job = client.server.completed(&answer.text("task_id"));
    let frames = job["result"]["frames"].as_array().unwrap();
    let times: Vec<u64> = frames.iter().map(|frame| frame["timestamp_ms"].as_u64().unwrap()).collect();
    assert!(times[0] == 1000 && times.iter().all(|time| (1000..2000).contains(time)), "{times:?}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_done() {
    let server = Server::start(&["--workers", "0"]);
    let url = "https://example.com/a.mp4";
    let good = json!({ "video_url": url, "audio_url": url, "upload_url": url });
    let lipsync = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        server.post("/lipsync", &body)
    };
    for (field, value) in [
        ("upload_url", json!(null)),
        ("similarity_threshold", json!(1.5)),
        ("fidelity_weight", json!(-0.1)),
        ("temporal_smoothing", json!(2)),
        ("crossfade_frames", json!(0)),
        ("crossfade_frames", json!(31)),
        ("loop_mode", json!("backwards")),
        ("engine", json!("nobody")),
        ("padding", json!([1, 2])),
        ("faces", json!([{ "character_id": "a", "bbox": [0, 0, 0, 9] }])),
        (
            "faces",
            json!([{ "character_id": "a", "bbox": [0, 0, 9, 9], "start_time_ms": 9, "end_time_ms": 9 }]),
        ),
        ("video_url", json!("not a url")),
        ("video_url", json!("ftp://example.com/a.mp4")),
    ] {
        let answer = lipsync(field, value.clone());
        assert_eq!(answer.status, 422, "{field} {value}: {}", answer.json());
        assert_eq!(answer.json()["success"], false);
    }
    for private in [
        "https://127.0.0.1/a",
        "http://example.com/a.mp4",
        "https://169.254.169.254/latest",
        "https://localhost/a",
    ] {
        let answer = lipsync("audio_url", json!(private));
        assert_eq!(answer.status, 400, "{private}: {}", answer.json());
        assert_eq!(answer.json()["error"]["param"], "audio_url");
    }
    let wrong = lipsync("crossfade_frames", json!(31)).json();
    assert_json_snapshot!("unprocessable", redacted(&wrong));
    let detect = |body: Value| server.post("/detect-faces", &body).status;
    assert_eq!(detect(json!({})), 422);
    for fps in [json!(0), json!(-3), json!(121), json!("3")] {
        assert_eq!(detect(json!({ "video_url": url, "sample_fps": fps })), 422);
    }
    assert_eq!(detect(json!({ "video_url": url, "start_time_ms": 5, "end_time_ms": 5 })), 422);
    assert_eq!(server.get("/v1/jobs").json()["total"], 0);
}

#[test]
fn a_file_that_is_not_there_is_the_clients_error() {
    let client = Client::start();
    let video_url = client.files.add("video", &presenter());
    let gone = client.files.add("x", &presenter()).replace("/x", "/gone?secret=1");
    let refused = client.server.post("/detect-faces", &json!({ "video_url": gone })).json();
    assert_json_snapshot!("not_fetched", redacted(&refused));
    let text = client.files.add_bytes("text", b"ffconcat version 1.0\nfile /etc/passwd");
    let refused = client.server.post("/detect-faces", &json!({ "video_url": text })).with_status(400);
    assert!(!refused.json().to_string().contains("/data/"), "{}", refused.json());
    let upload_url = client.bucket.put_url("result.mp4");
    let request = json!({ "video_url": video_url, "audio_url": text, "upload_url": upload_url });
    client.server.post("/lipsync", &request).with_status(400);
    assert!(client.bucket.names().is_empty());
}
