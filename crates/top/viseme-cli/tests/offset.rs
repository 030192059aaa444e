//! What `viseme offset` finds and mends.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use serde_json::Value;
use std::path::{Path, PathBuf};
use viseme_testing::{TestClip, clips};

/// Milliseconds of a frame of the presenter.
const FRAME_MS: f64 = 40.0;

fn presenter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo/presenter.mp4")
}

/// Runs `viseme offset --json` on a video.
fn offset(folder: &Path, video: &Path, more: &[&str]) -> Value {
    let said = common::run(folder, &[&["offset", video.to_str().unwrap(), "--json"], more].concat());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

fn offset_ms(report: &Value) -> f64 {
    report["offset_ms"].as_f64().unwrap()
}

#[test]
fn a_sound_that_was_moved_is_found_to_a_frame_and_moved_back() {
    let folder = tempfile::tempdir().unwrap();
    for frames in [-5.0, -3.0, -1.0, 1.0, 3.0, 5.0] {
        let late =
            clips::with_late_sound(&presenter(), folder.path(), "moved.mp4", frames * FRAME_MS / 1000.0);
        let mended = folder.path().join("mended.mp4");
        let report = offset(folder.path(), &late, &["-o", mended.to_str().unwrap()]);
        let wrong_by = offset_ms(&report) + frames * FRAME_MS;
        assert!(wrong_by.abs() <= FRAME_MS, "{} for {frames} frames", offset_ms(&report));
        // By our measure the presenter is a frame early: moved by a frame it is in sync, and left so.
        let moved_ms = if offset_ms(&report).abs() < 0.5 * FRAME_MS { 0.0 } else { offset_ms(&report) };
        assert_eq!(report["sound_moved_ms"].as_f64(), Some(moved_ms));
        let left = offset_ms(&offset(folder.path(), &mended, &[]));
        assert!(left.abs() < 0.5 * FRAME_MS, "{left} ms are left of {frames} frames");
        assert_eq!(clips::picture_digest(&late), clips::picture_digest(&mended));
    }
}

#[test]
fn what_cannot_be_compared_or_written_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "mute.mp4");
    let _ = TestClip { sound: true, ..TestClip::default() }.write(folder.path(), "tone.mp4");
    let presenter = presenter();
    let presenter = presenter.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["mute.mp4", "-o", "out.mp4"], "the video has no sound"),
        (&["tone.mp4", "-o", "out.mp4"], "there is no speech in the sound"),
        (&["tone.mp4", "-o", "tone.mp4"], "both input and output"),
        (&[presenter, "-o", "out.webm"], "does not take a h264 picture"),
        (&["none.mp4"], "does not exist"),
    ];
    for (arguments, message) in cases {
        let said = common::run(folder.path(), &[&["offset"], arguments].concat());
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.stderr.contains(message), "{arguments:?}: {}", said.stderr);
    }
    assert_eq!(common::names(folder.path()), ["mute.mp4", "tone.mp4"]);
}

#[test]
fn a_real_clip_that_is_known_to_be_three_frames_off_is_found_so() {
    let shared = viseme_testing::skip_without_shared!();
    let folder = tempfile::tempdir().unwrap();
    // SyncNet's own example, whose authors give an offset of 3 frames.
    let report = offset(folder.path(), &shared.join("media/syncnet_example_224.avi"), &[]);
    assert!((offset_ms(&report) - 3.0 * FRAME_MS).abs() < FRAME_MS, "{}", offset_ms(&report));
}

#[test]
fn a_job_mends_its_own_result() {
    let folder = tempfile::tempdir().unwrap();
    let speech = presenter().with_file_name("speech.wav");
    let sync = |output: &str, mode: &str| -> Value {
        let inputs = [presenter(), speech.clone()].map(|path| path.display().to_string());
        let arguments =
            ["sync", &inputs[0], &inputs[1], "-o", output, "--loop", "none", "--offset", mode, "--json"];
        let said = common::run(folder.path(), &arguments);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str::<Value>(&said.stdout).unwrap()["offset"].clone()
    };
    assert!(sync("left.mkv", "leave").is_null(), "nobody asked");
    let measured = sync("measured.mkv", "measure");
    assert_eq!(
        (measured["character_id"].as_str(), measured["sound_moved_ms"].as_f64()),
        (Some("face_1"), Some(0.0))
    );
    assert!(measured["correlation"].as_f64().unwrap() > 0.5, "{measured}");
    let mended = sync("mended.mkv", "correct");
    assert_eq!(mended["offset_ms"], measured["offset_ms"]);
    assert_eq!(
        mended["sound_moved_ms"], mended["offset_ms"],
        "the built-in engine's lips are more than half a frame early"
    );
    let path = |name: &str| folder.path().join(name);
    assert_eq!(clips::picture_digest(&path("left.mkv")), clips::picture_digest(&path("mended.mkv")));
    let [before, after] =
        ["measured.mkv", "mended.mkv"].map(|name| offset_ms(&offset(folder.path(), &path(name), &[])));
    assert!(
        (before - offset_ms(&measured)).abs() < 0.5 * FRAME_MS,
        "{before} after encoding, {measured} before"
    );
    assert!(after.abs() < 0.5 * FRAME_MS, "{after} ms are left");
}
