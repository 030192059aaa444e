//! What the commands print: standard output is data, standard error is talk.

mod common;

use common::{names, run, viseme};
use serde_json::Value;
use std::time::{Duration, Instant};
use viseme_testing::{TestClip, clips};

#[test]
fn help_and_version_are_no_failure_and_mistakes_are() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("help", help.stdout);
    let sync = run(folder.path(), &["sync", "--help"]);
    insta::assert_snapshot!("help_sync", sync.stdout);
    assert_eq!(run(folder.path(), &["--version"]).code, Some(0));
    for mistake in [&["dub"][..], &["sync"], &["sync", "a", "b", "-o", "c", "--face", "0"]] {
        let said = run(folder.path(), mistake);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{mistake:?}");
    }
}

#[test]
fn probe_says_what_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let _ =
        TestClip { sound: true, rate: "30000/1001", ..TestClip::default() }.write(folder.path(), "clip.mp4");
    insta::assert_snapshot!("probe", run(folder.path(), &["probe", "clip.mp4"]).stdout);
    let json = run(folder.path(), &["probe", "clip.mp4", "--json"]);
    let info: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(info["video"]["width"], 320);
    assert_eq!(info["audio"][0]["codec"], "aac");
}

#[test]
fn doctor_finds_this_machine_well() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), &["doctor", "--json"]);
    let checks: Value = serde_json::from_str(&said.stdout).unwrap();
    let checks = checks.as_array().unwrap();
    assert!(checks.iter().all(|check| check["ok"] == true), "{}", said.stdout);
    assert_eq!(said.code, Some(0));
}

#[test]
fn doctor_says_how_to_mend_a_missing_ffmpeg() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        viseme(folder.path()).args(["doctor"]).env("VISEME_FFMPEG", "/nowhere/ffmpeg").output().unwrap();
    let said = common::said(&output);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stdout.contains("✖ ffmpeg") && said.stdout.contains("apt install ffmpeg"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_clip_without_a_face_comes_out_untouched_and_the_report_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let variable = TestClip { duration_s: 2.0, variable_rate: true, ..TestClip::default() };
    for (name, clip) in
        [("even.mp4", TestClip { duration_s: 2.0, ..TestClip::default() }), ("variable.mkv", variable)]
    {
        let source = clip.write(folder.path(), name);
        let _ = clips::speech(folder.path(), "speech.wav", 1.0);
        let said = run(folder.path(), &["sync", name, "speech.wav", "-o", "out.mp4", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        let frames = clips::decode(&source).len();
        assert_eq!(report["output"]["frames_written"], frames);
        assert_eq!(report["output"]["frames_changed"], 0);
        assert!(report["warnings"].to_string().contains("no_face"), "{report}");
        assert_eq!(
            clips::picture_digest(&folder.path().join("out.mp4")),
            clips::picture_digest(&source),
            "{name}"
        );
        std::fs::remove_file(source).unwrap();
    }
    assert_eq!(names(folder.path()), ["out.mp4", "speech.wav"]);
}

#[test]
fn a_clip_without_a_face_is_encoded_where_the_output_differs() {
    let folder = tempfile::tempdir().unwrap();
    let source = TestClip { duration_s: 1.0, ..TestClip::default() }.write(folder.path(), "clip.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 1.0);
    for (options, frames) in [(&["--crf", "30"][..], 25), (&["--end", "0.5"], 25), (&["--start", "0.6"], 25)]
    {
        let mut arguments = vec!["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--json"];
        arguments.extend(options);
        let said = run(folder.path(), &arguments);
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(report["output"]["frames_written"], frames, "{options:?}");
        let digest = clips::picture_digest(&folder.path().join("out.mp4"));
        assert_ne!(digest, clips::picture_digest(&source), "{options:?}");
    }
}

#[test]
fn faces_prints_one_line_per_frame() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "clip.mp4");
    let said = run(folder.path(), &["faces", "clip.mp4", "--quiet"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 25);
    assert_eq!(lines[24]["frame"], 24);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let clip = TestClip { width: 1280, height: 720, duration_s: 20.0, ..TestClip::default() };
    let _ = clip.write(folder.path(), "clip.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 20.0);
    let before = names(folder.path());
    #[expect(clippy::disallowed_methods, reason = "assert_cmd cannot signal a running child")]
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("viseme"))
        .args(["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--quiet", "--preset", "veryslow"])
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .env("VISEME_CACHE_MB", "0")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The job is under way once its own folder is there.
    let deadline = Instant::now() + Duration::from_mins(1);
    while names(folder.path()) == before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(folder.path()), before);
}

#[test]
fn an_enhancer_that_is_not_installed_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "clip.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 1.0);
    let sync = |options: &[&str]| {
        let mut command = common::viseme(folder.path());
        command.env("MODELS_DIR", folder.path().join("models"));
        command.args(["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--quiet"]).args(options);
        common::said(&command.output().unwrap())
    };
    for (options, expected) in [
        (&["--enhance", "gfpgan"][..], "viseme models pull gfpgan_1_4"),
        (&["--enhance", "codeformer"], "viseme models pull codeformer --accept-license"),
        (&["--enhance", "restoreformer"], "viseme models pull restoreformer_pp"),
        (&["--enhance", "gpen"], "gfpgan, codeformer, restoreformer"),
        (&["--enhance-area", "nose"], "mouth, face"),
        (&["--enhance-strength", "1.5"], "not between 0 and 1"),
        (&["--enhance", "gfpgan", "--fidelity", "0.5"], "Only codeformer"),
    ] {
        let said = sync(options);
        assert_eq!(said.code, Some(1), "{options:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{options:?}: {}", said.stderr);
    }
    assert_eq!(sync(&["--enhance", "none"]).code, Some(0));
    assert_eq!(names(folder.path()), ["clip.mp4", "out.mp4", "speech.wav"]);
}
