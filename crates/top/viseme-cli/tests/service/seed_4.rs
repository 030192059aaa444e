//! Characters are known by their pictures; the curl call of the document, with all of its fields.

use crate::harness::{
    Bucket, Files, Server, golden, length_s, portrait, presenter, shape, speech, two_people, video,
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use viseme_testing::{clips, skip_without_shared};

/// A server with the client's files and storage.
fn start() -> (Server, Files, Bucket) {
    let (files, bucket) = (Files::start(), Bucket::start());
    let server = Server::start(&["--allow-host", &files.site(), "--allow-host", &bucket.site()]);
    (server, files, bucket)
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap()
}

#[test]
fn the_call_of_the_document_works() {
    let (server, files, bucket) = start();
    let upload_url = bucket.put_url("out.mp4");
    let request = json!({
        "video_url": files.add("video.mp4", &presenter()),
        "audio_url": files.add("audio.wav", &speech()),
        "upload_url": upload_url,
        "characters": [{
            "id": "speaker",
            "name": "Main Speaker",
            "reference_image_url": files.add("face.png", &portrait()),
        }],
    });
    let done = server.post("/lipsync", &request).with_status(200).json();
    assert_json_snapshot!("lipsynced_characters", shape(&done));
    assert_eq!(done["output_url"], without_query(&upload_url));
    assert_eq!(done["processed_characters"], json!(["speaker"]));
    assert_eq!(done["output_duration_ms"], done["output"]["duration_ms"]);
    // The speech is longer than the video: by default the video is looped with a crossfade.
    let info = video(&bucket.file("out.mp4"));
    assert!((info.duration_s - length_s(&speech())).abs() < 0.1, "{}", info.duration_s);
    assert_eq!(info.audio.len(), 1);
}

#[test]
fn tracking_draws_whom_it_follows() {
    let (server, files, bucket) = start();
    let upload_url = bucket.put_url("tracked.mp4");
    let mut request = json!({
        "video_url": files.add("video.mp4", &presenter()),
        "upload_url": upload_url,
        "characters": [{ "id": "speaker", "name": "Main Speaker", "reference_image_url": files.add("face.png", &portrait()) }],
    });
    let done = server.post("/face-tracking", &request).with_status(200).json();
    assert_json_snapshot!("tracked", shape(&done));
    assert_eq!(done["output_url"], without_query(&upload_url));
    assert_eq!((&done["frame_count"], &done["fps"]), (&json!(141), &json!(25.0)));
    let colour = done["character_colors"]["speaker"].as_str().unwrap();
    assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
    assert_eq!(clips::decode(&bucket.file("tracked.mp4")).len(), 141);
    for field in ["upload_url", "characters"] {
        let kept = request[field].take();
        server.post("/face-tracking", &request).with_status(422);
        request[field] = kept;
    }
}

#[test]
fn a_picture_without_a_face_does_not_stop_the_job() {
    let (server, files, bucket) = start();
    let folder = tempfile::tempdir().unwrap();
    let wall = clips::flat(folder.path(), "wall.png", "gray", 200, 200);
    let character = |id: &str, file: &std::path::Path| json!({ "id": id, "name": id, "reference_image_url": files.add(&format!("{id}.png"), file) });
    let characters = json!([character("wall", &wall), character("speaker", &portrait())]);
    let mut request = json!({
        "video_url": files.add("video.mp4", &presenter()),
        "audio_url": files.add("audio.wav", &clips::speech(folder.path(), "a.wav", 1.0)),
        "upload_url": bucket.put_url("out.mp4"),
        "characters": characters,
        "loop_mode": "none",
    });
    let about_it = |done: &Value| {
        let warnings = done["warnings"].as_array().unwrap().iter();
        let about = warnings.filter(|warning| warning["message"].as_str().unwrap().contains("'wall'"));
        about.cloned().collect::<Vec<_>>()
    };
    let done = server.post("/lipsync", &request).with_status(200).json();
    assert_eq!(done["processed_characters"], json!(["speaker"]), "{done:#}");
    let results = done["faces"]["results"].as_array().unwrap();
    let wall = results.iter().find(|result| result["character_id"] == "wall").unwrap();
    assert_eq!((&wall["success"], wall["error_message"].is_string()), (&json!(false), true));
    assert_json_snapshot!("picture_without_face", about_it(&done));
    // With nobody else nobody speaks.
    request["characters"] = json!([characters[0]]);
    let done = server.post("/lipsync", &request).with_status(200).json();
    assert_eq!((&done["processed_characters"], &done["faces"]["processed"]), (&json!([]), &json!(0)));
    assert_eq!(about_it(&done).len(), 1);
    let seen = server.post("/detect-faces", &request).with_status(200).json();
    assert_eq!((&seen["characters_detected"], about_it(&seen).len()), (&json!([]), 1));
    request["characters"] = characters;
    let drawn = server.post("/face-tracking", &request).with_status(200).json();
    assert_eq!(about_it(&drawn).len(), 1, "{drawn:#}");
}

#[test]
fn every_option_is_honoured_or_named_in_a_warning() {
    let (server, files, bucket) = start();
    let folder = tempfile::tempdir().unwrap();
    let (clip, _) = golden(folder.path());
    let request = json!({
        "video_url": files.add("video.mp4", &clip),
        "audio_url": files.add("audio.wav", &clips::speech(folder.path(), "a.wav", 1.6)),
        "upload_url": bucket.put_url("out.mp4"),
    });
    let with = |options: Value| {
        let mut request = request.clone();
        request.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        server.post("/lipsync", &request).with_status(200).json()
    };
    for (mode, expected_ms) in
        [("none", 1000), ("repeat", 1600), ("pingpong", 1600), ("crossfade", 1600), ("smart", 1600)]
    {
        let done = with(json!({ "loop_mode": mode, "crossfade_frames": 5 }));
        let duration = done["output"]["duration_ms"].as_i64().unwrap();
        assert!((duration - expected_ms).abs() <= 60, "{mode}: {duration}");
    }
    let silent =
        with(json!({ "include_audio": false, "loop_mode": null, "characters": null, "faces": null }));
    assert_eq!(video(&bucket.file("out.mp4")).audio.len(), 0, "{silent:#}");
    let odd = with(
        json!({ "padding": [1, 2, 3, 4], "bbox_shift": 3, "wav2lip_batch_size": 8, "similarity_threshold": 0.5 }),
    );
    let codes: Vec<_> = odd["warnings"].as_array().unwrap().iter().map(|w| w["code"].clone()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "not_applied").count(), 2, "{odd:#}");
    let plain = with(json!({ "enhance_quality": false, "padding": [0, 20, 0, 0], "fidelity_weight": 0.2 }));
    assert!(!plain["warnings"].to_string().contains("model_missing"), "{plain:#}");
    let fallen = with(json!({ "engine": "wav2lip", "fallback": ["native"] }));
    assert!(fallen["method_used"] == "native" && fallen["warnings"].to_string().contains("fell_back"));
}

#[test]
fn it_says_how_it_is_and_what_it_has() {
    let (server, ..) = start();
    server.wait_until_ready();
    let mut health = server.get("/health").with_status(200).json();
    // Those of this machine.
    for field in ["gpu_available", "gpu_name", "gpu_memory_gb"] {
        assert!(health.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    health["version"] = json!("[version]");
    assert_json_snapshot!("health", health);
    let home = server.get("/").with_status(200).json();
    assert!(home["endpoints"].as_array().unwrap().contains(&json!("POST /lipsync")), "{home}");
    assert_eq!(
        (&home["name"], &home["docs"], &home["health"]),
        (&json!("viseme"), &json!("/docs"), &json!("/health"))
    );
    let page = server.with_header("accept", "text/html,*/*;q=0.8").get("/").with_status(200);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[test]
fn people_of_a_real_clip_are_told_apart() {
    let shared = skip_without_shared!();
    let (server, files, bucket) = start();
    let folder = tempfile::tempdir().unwrap();
    let (clip, people) = two_people(&shared, folder.path());
    let character = |(id, picture): (&str, &std::path::PathBuf)| json!({ "id": id, "name": id, "reference_image_url": files.add(&format!("{id}.png"), picture) });
    let characters: Vec<Value> = ["left", "right"].into_iter().zip(&people).map(character).collect();
    let request = json!({
        "video_url": files.add("two.mkv", &clip),
        "audio_url": files.add("a.wav", &shared.join("speech/sadtalker_RD_Radio31_000.wav")),
        "upload_url": bucket.put_url("out.mp4"),
        "characters": [characters[1]],
        "loop_mode": "none",
    });
    let done = server.post("/lipsync", &request).with_status(200).json();
    assert_eq!(done["processed_characters"], json!(["right"]), "{done:#}");
    let right = &done["faces"]["results"][0]["segments"][0]["avg_bbox"];
    assert!(right[0].as_f64().unwrap() > 380.0, "{right}");
    assert_eq!(done["faces"]["unknown"], 1);
    let mut request = request;
    request["characters"] = json!(characters);
    let drawn = server.post("/face-tracking", &request).with_status(200).json();
    assert_eq!(drawn["character_colors"].as_object().unwrap().len(), 2, "{drawn:#}");
}
