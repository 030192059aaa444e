//! Many jobs that are asked for together, and what they would take.

use crate::harness::{Files, Receiver, Server, golden};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::Duration;
use viseme_testing::{Answer, HostileServer};

#[test]
fn one_that_fails_stops_no_other_and_the_end_of_all_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (files, receiver) = (Files::start(), Receiver::start(&[]));
    let (clip, audio) = golden(folder.path());
    let (clip, audio) = (files.add("golden.mp4", &clip), files.add("golden.wav", &audio));
    let none = files.add_bytes("none.mp4", b"no video at all");
    let hosts = [files.site(), receiver.site()];
    let server =
        Server::start(&["--allow-host", &hosts[0], "--allow-host", &hosts[1], "--gpu-price-per-hour", "3.6"]);
    let input = |video: &str| json!({ "video_url": video, "audio_url": audio });
    let request = json!({ "jobs": [input(&none), input(&clip)], "webhook_url": receiver.url("/batch") });
    let caller = server.with_header("idempotency-key", "once");
    let id = caller.post("/v1/batches", &request).with_status(201).text("id");
    assert_eq!(caller.post("/v1/batches", &request).with_status(201).text("id"), id);
    let batch = server.until(|| {
        let batch = server.get(&format!("/v1/batches/{id}")).with_status(200).json();
        (batch["status"] != "running").then_some(batch)
    });
    assert_eq!(batch["status"], "completed", "{batch:#}");
    let (failed, done) = (&batch["results"][0], &batch["results"][1]);
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("invalid_input")));
    assert_eq!((&done["status"], &done["method_used"]), (&json!("success"), &json!("native")));
    server.get(done["output_path"].as_str().unwrap()).with_status(200);
    server.get(done["video_url"].as_str().unwrap()).with_status(200);
    let summary = &batch["summary"];
    for (field, expected) in [("total", 2), ("success", 1), ("failed", 1), ("cancelled", 0), ("pending", 0)] {
        assert_eq!(summary[field], expected, "{summary}");
    }
    assert!((summary["total_duration"].as_f64().unwrap() - 1.0).abs() < 0.1, "{summary}");
    assert!(summary["total_cost_usd"].as_f64().unwrap() > 0.0, "{summary}");
    server.until(|| (!receiver.heard().is_empty()).then_some(()));
    sleep(Duration::from_secs(2));
    let words = receiver.heard();
    assert_eq!(words.len(), 1);
    let told: Value = serde_json::from_slice(&words[0].body).unwrap();
    assert_eq!((&told["job"]["id"], &told["job"]["kind"]), (&json!(id), &json!("batch")));
    assert_eq!(server.get("/v1/jobs?kind=lipsync").json()["total"], 2);
    server.get(&format!("/v1/batches/{}", done["job_id"].as_str().unwrap())).with_status(404);
}

#[test]
fn a_batch_that_is_called_off_takes_its_jobs_with_it() {
    let files = HostileServer::start();
    files.serve("/slow.mp4", &[7; 1000], &[Answer::StallFor(Duration::from_mins(5))]);
    let site = files.url("").trim_start_matches("http://").to_owned();
    let server = Server::start(&["--allow-host", &site]);
    let input = json!({ "video_url": files.url("/slow.mp4"), "audio_url": files.url("/slow.mp4") });
    let id =
        server.post("/v1/batches", &json!({ "jobs": [input, input, input] })).with_status(201).text("id");
    let batch = || server.get(&format!("/v1/batches/{id}")).with_status(200).json();
    server
        .until(|| batch()["results"].as_array()?.iter().any(|job| job["status"] == "running").then_some(()));
    server.send("POST", &format!("/v1/batches/{id}/cancel"), None).with_status(200);
    server.until(|| (batch()["summary"]["cancelled"] == 3).then_some(()));
    assert_eq!(batch()["status"], "completed");
}

#[test]
fn a_batch_is_checked_as_a_whole_before_anything_is_queued() {
    let server = Server::start(&["--workers", "0"]);
    let good =
        json!({ "video_url": "https://files.example/a.mp4", "audio_url": "https://files.example/a.wav" });
    let private =
        json!({ "video_url": "https://10.0.0.1/a.mp4", "audio_url": "https://files.example/a.wav" });
    let batch = |jobs: &[Value]| server.post("/v1/batches", &json!({ "jobs": jobs }));
    let refused = batch(&[good.clone(), private]).with_status(400).json();
    assert_eq!(refused["error"]["param"], "jobs[1].video_url");
    batch(&[]).with_status(422);
    batch(&vec![good.clone(); 1001]).with_status(422);
    assert_eq!(server.get("/v1/jobs").json()["total"], 0);
    let thousand = batch(&vec![good; 1000]).with_status(201).json();
    assert_eq!((&thousand["status"], &thousand["summary"]["pending"]), (&json!("running"), &json!(1000)));
    let id = thousand["id"].as_str().unwrap();
    let cancelled = server.send("POST", &format!("/v1/batches/{id}/cancel"), None).with_status(200).json();
    assert_eq!(
        (&cancelled["status"], &cancelled["summary"]["cancelled"]),
        (&json!("cancelled"), &json!(1000))
    );
}

#[test]
fn an_estimate_follows_the_size_and_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::start();
    let (clip, audio) = golden(folder.path());
    let (clip, audio) = (files.add("golden.mp4", &clip), files.add("golden.wav", &audio));
    let server = Server::start(&["--allow-host", &files.site(), "--gpu-price-per-hour", "3.6"]);
    let estimate = |request: &Value| server.post("/v1/estimate", request);
    let of = |duration_s: f64| {
        estimate(&json!({ "duration_s": duration_s, "width": 1280, "height": 720 })).with_status(200).json()
    };
    let (short, long) = (of(6.0), of(60.0));
    assert_eq!(short["basis"]["measured_jobs"], 0);
    let seconds = |estimate: &Value| estimate["processing_s"].as_f64().unwrap();
    assert!((seconds(&long) - 10.0 * seconds(&short)).abs() < 0.01, "{short} {long}");
    // 3.6 dollars an hour are a tenth of a cent a second.
    assert!((long["cost_usd"].as_f64().unwrap() - 0.001 * seconds(&long)).abs() < 1e-6, "{long}");
    for (wrong, param) in [
        (json!({}), "duration_s"),
        (json!({ "duration_s": -1, "width": 640, "height": 360 }), "duration_s"),
        (json!({ "duration_s": 1, "width": 0, "height": 360 }), "width"),
        (json!({ "duration_s": 1, "width": 640, "height": 360, "engine": "abacus" }), "engine"),
    ] {
        assert_eq!(estimate(&wrong).with_status(422).json()["error"]["param"], param, "{wrong}");
    }
    let input = json!({ "video_url": clip, "audio_url": audio });
    let found = estimate(&input).with_status(200).json();
    assert!((found["output"]["duration_s"].as_f64().unwrap() - 1.0).abs() < 0.1, "{found}");
    let id =
        server.post("/v1/jobs", &json!({ "kind": "lipsync", "input": input })).with_status(201).text("id");
    server.completed(&id);
    assert_eq!(estimate(&input).with_status(200).json()["basis"]["measured_jobs"], 1);
    let leftover: Vec<String> = server.files().into_iter().filter(|name| name.contains("incoming")).collect();
    assert_eq!(leftover, Vec::<String>::new());
}

#[test]
fn engines_and_models_say_what_is_ready_and_under_which_licence() {
    let server = Server::start(&["--workers", "0"]);
    let engines = server.get("/v1/engines").with_status(200).json();
    let (native, wav2lip) = (&engines["engines"][0], &engines["engines"][1]);
    assert_eq!((&native["name"], &native["ready"]), (&json!("native"), &json!(true)));
    assert_eq!((&native["licence"], &native["commercial_use"]), (&json!("MIT OR Apache-2.0"), &json!("yes")));
    assert_eq!((&wav2lip["name"], &wav2lip["ready"]), (&json!("wav2lip"), &json!(false)));
    assert!(wav2lip["reason"].as_str().unwrap().contains("viseme models"), "{wav2lip}");
    assert_eq!(wav2lip["options"][0]["name"], "profile");
    let models = server.get("/v1/models").with_status(200).json();
    let models = models["models"].as_array().unwrap();
    assert!(models.len() > 10);
    for model in models {
        assert_eq!((&model["ready"], &model["state"]), (&json!(false), &json!("missing")), "{model}");
        assert!(model["remedy"].as_str().unwrap().starts_with("Run: viseme models"), "{model}");
    }
}
