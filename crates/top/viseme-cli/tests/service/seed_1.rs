//! `/api/lip-sync`: the examples for Python and curl of its clients, and every error that they know.

use crate::harness::{Answer, Form, Server, golden, redacted, stored, video};
use insta::assert_json_snapshot;
use std::path::Path;
use viseme_testing::clips;

/// The two files of the examples.
fn form(folder: &Path) -> Form {
    let (clip, audio) = golden(folder);
    Form::new().bytes("video", "input_video.mp4", &std::fs::read(clip).unwrap()).bytes(
        "audio",
        "translated_audio.wav",
        &std::fs::read(audio).unwrap(),
    )
}

fn generate(server: &Server, form: Form) -> Answer {
    server.post_form("/api/lip-sync/generate", form)
}

#[test]
fn files_are_sent_and_the_result_is_fetched_and_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let made = generate(&server, form(folder.path())).with_status(200);
    assert_json_snapshot!("generated", redacted(&made.json()));
    let id = made.text("job_id");
    let ask = |what: &str| server.get(&format!("/api/lip-sync/{what}/{id}"));
    let status = ask("status").with_status(200).json();
    assert_json_snapshot!("status_completed", redacted(&status));
    assert!(!status["created_at"].as_str().unwrap().ends_with('Z'), "{status}");
    assert_json_snapshot!("jobs", redacted(&server.get("/api/lip-sync/jobs").with_status(200).json()));
    let whole = ask("download").with_status(200);
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("video/mp4", "bytes"));
    video(&stored(&whole.body, folder.path()));
    let part = server.with_header("range", "bytes=4-11").get(&format!("/api/lip-sync/download/{id}"));
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[4..12]));
    assert_eq!(part.header("content-range"), format!("bytes 4-11/{}", whole.body.len()));
    let far = server.with_header("range", "bytes=999999999-").get(&format!("/api/lip-sync/download/{id}"));
    assert_eq!(far.status, 416);
    let cleaned = server.delete(&format!("/api/lip-sync/cleanup/{id}")).with_status(200);
    assert_json_snapshot!("cleaned", cleaned.json());
    for what in ["status", "download"] {
        assert_eq!(ask(what).status, 404, "{what}");
    }
    assert_eq!(server.delete(&format!("/api/lip-sync/cleanup/{id}")).status, 404);
    assert_eq!(server.get("/api/lip-sync/jobs").json()["total"], 0);
    // The worker removes its folder a moment after it has said that the job is done.
    server.until(|| server.files().is_empty().then_some(()));
}

#[test]
fn the_same_files_are_worked_on_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let id = |form| generate(&server, form).with_status(200).text("job_id");
    let first = id(form(folder.path()));
    assert_eq!(id(form(folder.path())), first);
    assert_ne!(id(form(folder.path()).field("bbox_shift", "-7")), first);
}

#[test]
fn a_shift_that_nothing_does_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--bbox-shift", "5"]);
    let id = generate(&server, form(folder.path())).with_status(200).text("job_id");
    let warnings = server.completed(&id)["warnings"].to_string();
    assert!(warnings.contains("not_applied") && warnings.contains("bbox_shift"), "{warnings}");
    let id = generate(&server, form(folder.path()).field("bbox_shift", "0")).text("job_id");
    let warnings = server.completed(&id)["warnings"].to_string();
    assert!(!warnings.contains("bbox_shift"), "{warnings}");
}

#[test]
fn it_says_how_it_is() {
    let server = Server::start(&[]);
    server.wait_until_ready();
    assert_json_snapshot!("uploads_health", server.get("/api/lip-sync/health").with_status(200).json());
}

#[test]
fn files_of_other_formats_are_refused_by_name_and_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, audio) = golden(folder.path());
    let server = Server::start(&["--workers", "0"]);
    let (video, sound) = (std::fs::read(clip).unwrap(), std::fs::read(&audio).unwrap());
    let refused = |video: (&str, &[u8]), sound: (&str, &[u8])| {
        let form = Form::new().bytes("video", video.0, video.1).bytes("audio", sound.0, sound.1);
        generate(&server, form).with_status(400).json()
    };
    let (good_video, good_sound) = (("a.mp4", video.as_slice()), ("a.wav", sound.as_slice()));
    assert_json_snapshot!("video_by_name", redacted(&refused(("a.gif", &video), good_sound)));
    assert_json_snapshot!("audio_by_name", redacted(&refused(good_video, ("a.txt", &sound))));
    assert_json_snapshot!(
        "video_by_content",
        redacted(&refused(("a.mp4", b"#EXTM3U\nfile:///etc/passwd"), good_sound))
    );
    let flac = std::fs::read(clips::speech(folder.path(), "a.flac", 1.0)).unwrap();
    assert_json_snapshot!("audio_by_content", redacted(&refused(good_video, ("a.wav", &flac))));
    let photo = std::fs::read(clips::still(folder.path(), "a.png", 64, 64)).unwrap();
    for bytes in [&photo[..], b"", b"some text", &sound, &video[..video.len() / 2]] {
        let error = refused(("a.mp4", bytes), good_sound)["error"].clone();
        assert_eq!(error, "Invalid video format. Supported: .mp4, .avi, .mov, .mkv, .webm");
    }
    assert_eq!(
        refused(good_video, ("a.mp3", &photo))["error"],
        "Invalid audio format. Supported: .mp3, .wav, .m4a, .aac, .ogg"
    );
}

#[test]
fn what_cannot_be_is_told_in_the_words_of_its_clients() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let id = "550e8400-e29b-41d4-a716-446655440000";
    for path in [format!("status/{id}"), format!("download/{id}"), "status/none".into(), "nothing".into()] {
        let unknown = server.get(&format!("/api/lip-sync/{path}")).with_status(404).json();
        assert_json_snapshot!(format!("unknown_{}", path.split('/').next().unwrap()), redacted(&unknown));
    }
    let odd = generate(&server, form(folder.path()).field("bbox_shift", "7px")).with_status(400);
    assert_json_snapshot!("odd_shift", redacted(&odd.json()));
    // No model of wav2lip is installed.
    let unavailable = generate(&server, form(folder.path()).field("method", "wav2lip")).with_status(503);
    assert_json_snapshot!("unavailable", redacted(&unavailable.json()));
    let (clip, _) = golden(folder.path());
    let missing = generate(&server, Form::new().file("video", &clip)).with_status(400);
    assert_json_snapshot!("missing_audio", redacted(&missing.json()));
}

#[test]
fn developers_alone_see_a_traceback() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, is_shown) in [(&["--development"][..], true), (&[], false)] {
        let server = Server::start(flag);
        let failed = generate(&server, form(folder.path()).field("method", "wav2lip")).json();
        assert!(failed.get("traceback").is_none(), "only a 500 has one: {failed}");
        // What the server needs is gone: that is its own fault.
        std::fs::remove_dir_all(server.data().join("work")).unwrap();
        std::fs::write(server.data().join("work"), b"in the way").unwrap();
        let failed = generate(&server, form(folder.path())).with_status(500).json();
        let error = failed["error"].as_str().unwrap();
        assert!(error.starts_with("Error during lip sync generation: "), "{error}");
        assert_eq!(failed.get("traceback").is_some(), is_shown, "{failed}");
        assert!(is_shown || !failed.to_string().contains(folder.path().to_str().unwrap()), "{failed}");
        assert!(is_shown || !failed.to_string().contains("/data/"), "{failed}");
    }
}
