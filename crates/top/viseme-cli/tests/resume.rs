//! `viseme sync --resume`: killed on its way, run again, and the result is the same to the byte.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod common;

use common::{names, run, said, viseme};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long to wait for a run that makes no progress: this machine may be busy.
const PATIENCE: Duration = Duration::from_mins(10);

/// The presenter for a second and a half, in five chunks.
fn arguments(folder: &Path) -> Vec<String> {
    let demo = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo").join(name);
    let [video, speech] = ["presenter.mp4", "speech.wav"].map(|name| demo(name).to_str().unwrap().to_owned());
    std::fs::create_dir_all(folder.join("out")).unwrap();
    let options = "-o out/out.mp4 --end 1.6 --loop none --preset ultrafast --mask out/mask.mkv --resume kept \
        --resume-every 8 --json";
    let options = options.split_whitespace().map(str::to_owned);
    ["sync".to_owned(), video, speech].into_iter().chain(options).collect()
}

/// Starts the binary and leaves it alone.
#[expect(clippy::disallowed_methods, reason = "a process is started to be killed")]
fn started(folder: &Path) -> Child {
    let assert = viseme(folder);
    let mut command = Command::new(assert.get_program());
    for (name, value) in assert.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let silent = command.args(arguments(folder)).current_dir(folder).stdout(Stdio::null());
    silent.stderr(Stdio::null()).spawn().unwrap()
}

/// The bytes of video and mask, and the frames that a run to the end did not have to make.
fn finished(folder: &Path) -> ([Vec<u8>; 2], u64) {
    let ended = said(&viseme(folder).args(arguments(folder)).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["output"]["frames_written"], 40);
    assert!(report["output"]["frames_changed"].as_u64().unwrap() > 20, "{report}");
    assert_eq!(names(&folder.join("out")), ["mask.mkv", "out.mp4"], "nothing of the killed run is left");
    assert_eq!(names(&folder.join("kept")), [] as [&str; 0]);
    let bytes = ["out.mp4", "mask.mkv"].map(|name| std::fs::read(folder.join("out").join(name)).unwrap());
    (bytes, report["frames_resumed"].as_u64().unwrap())
}

/// Chunks that are whole.
fn chunks(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder.join("kept/chunks")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().len() == 64).count()
}

/// Kills a run with signal 9 as soon as `is_time`, and some milliseconds later; says whether it was not yet done.
fn killed_when(folder: &Path, is_time: &dyn Fn() -> bool, later_ms: u64) -> bool {
    let mut child = started(folder);
    let start = Instant::now();
    while !is_time() && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "no progress");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(later_ms));
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

#[test]
fn a_killed_run_goes_on_and_its_result_is_that_of_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, resumed) = finished(folder.path());
    assert_eq!(resumed, 0);
    let has = |name: &str| folder.path().join("kept").join(name).exists();
    // When nothing is kept, in the first pass, in a chunk, between chunks, in the last one or the join.
    let moments: [(u64, &dyn Fn() -> bool); 4] = [
        (0, &|| has("temporary")),
        (0, &|| has("chunks")),
        (8, &|| chunks(folder.path()) == 2),
        (32, &|| chunks(folder.path()) == 4),
    ];
    for (number, (least, is_time)) in moments.into_iter().enumerate() {
        // Some milliseconds that differ from run to run: no moment may matter.
        let later_ms = u64::from(std::process::id()) * 7 % 40 * number as u64;
        let was_killed = killed_when(folder.path(), is_time, later_ms);
        let (bytes, resumed) = finished(folder.path());
        assert!(bytes == whole, "moment {number}, {later_ms} ms later");
        assert!(resumed >= least || !was_killed, "moment {number}: {resumed} frames were kept");
    }
}

#[test]
fn a_folder_with_files_of_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("photo.jpg"), "a photo").unwrap();
    let mut words = arguments(folder.path());
    let place = words.iter().position(|word| word == "kept").unwrap();
    words[place] = ".".to_owned();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let refused = run(folder.path(), &words);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("Name a folder that is new or empty."), "{}", refused.stderr);
    assert_eq!(names(folder.path()), ["out", "photo.jpg"]);
}
