//! `viseme batch`: lists, failures, interrupts.

mod common;

use common::{names, run};
use serde_json::Value;
use std::path::Path;
use viseme_testing::{TestClip, clips};

fn media(folder: &Path) {
    let _ = TestClip::default().write(folder, "clip.mp4");
    let _ = clips::speech(folder, "speech.wav", 0.5);
}

#[test]
fn the_help_says_what_a_list_is() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("help_batch", run(folder.path(), &["batch", "--help"]).stdout);
}

#[test]
fn a_list_is_done_and_a_failure_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("lists");
    std::fs::create_dir(&lists).unwrap();
    media(&lists);
    let csv = "video,audio,output,encode.crf\nclip.mp4,speech.wav,a.mp4,30\nclip.mp4,missing.wav,b.mp4,\n\
               clip.mp4,speech.wav,c.mkv,\n";
    std::fs::write(lists.join("list.csv"), csv).unwrap();
    let said = run(folder.path(), &["batch", "lists/list.csv", "--jobs", "2", "--json", "--loop", "none"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("✖ lists/b.mp4: lists/missing.wav does not exist"), "{}", said.stderr);
    assert!(said.stderr.contains("2 of 3 jobs done, 1.0 s of video, 1 failed"), "{}", said.stderr);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["status"], "completed");
    let expected = serde_json::json!({
        "total": 3, "success": 2, "failed": 1, "total_duration": report["summary"]["total_duration"],
        "total_cost_usd": 0.0,
    });
    assert_eq!(report["summary"], expected);
    let results = report["results"].as_array().unwrap();
    let statuses: Vec<&Value> = results.iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, ["success", "failed", "success"]);
    assert_eq!((&results[0]["method_used"], &results[0]["cost_usd"]), (&"native".into(), &0.0.into()));
    assert_eq!(results[2]["output_path"], "lists/c.mkv");
    assert_eq!(results[1]["error"]["kind"], "not_found");
    assert_eq!(names(&lists), ["a.mp4", "c.mkv", "clip.mp4", "list.csv", "speech.wav"]);
}

#[test]
fn a_list_that_is_wrong_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    media(folder.path());
    let before = names(folder.path());
    let job =
        |output: &str| format!(r#"{{"video": "clip.mp4", "audio": "speech.wav", "output": "{output}"}}"#);
    for (list, expected) in [
        (format!("[{},\n{}]", job("a.mp4"), job("./a.mp4")), "jobs 1 and 2 both write"),
        (format!("[{},\n{}]", job("a.mp4"), job("clip.mp4")), "jobs 2 and 1 write and read"),
        (format!("[{},\n{{}}]", job("a.mp4")), "line 2: the job has no video"),
        ("video,audio\na,b\n".to_owned(), "line 1: there is no column 'output'"),
        ("[".repeat(1 << 20), "is no list of jobs"),
    ] {
        std::fs::write(folder.path().join("list"), list).unwrap();
        let said = run(folder.path(), &["batch", "list"]);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
        assert!(said.stderr.contains(expected), "{}", said.stderr);
        std::fs::remove_file(folder.path().join("list")).unwrap();
        assert_eq!(names(folder.path()), before);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_batch_and_says_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    media(folder.path());
    let clip = TestClip { width: 1280, height: 720, duration_s: 20.0, ..TestClip::default() };
    let _ = clip.write(folder.path(), "long.mp4");
    let csv = "video,audio,output\nclip.mp4,speech.wav,a.mkv\nlong.mp4,speech.wav,b.mkv\n\
               clip.mp4,speech.wav,c.mkv\n";
    std::fs::write(folder.path().join("list.csv"), csv).unwrap();
    #[expect(clippy::disallowed_methods, reason = "assert_cmd cannot signal a running child")]
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("viseme"))
        .args(["batch", "list.csv", "--preset", "veryslow", "--json"])
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .env("VISEME_CACHE_MB", "0")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The second job is under way once the first has its result.
    while !folder.path().join("a.mkv").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let said = common::said(&child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(130), "{}", said.stderr);
    assert!(
        said.stderr.contains("1 of 3 jobs done, 1.0 s of video, 2 interrupted or not begun"),
        "{}",
        said.stderr
    );
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&report["status"], &report["summary"]["failed"]), (&"cancelled".into(), &2.into()));
    assert_eq!(names(folder.path()), ["a.mkv", "clip.mp4", "list.csv", "long.mp4", "speech.wav"]);
}
