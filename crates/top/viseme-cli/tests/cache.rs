//! `viseme cache`, and jobs that use it.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod common;

use common::{names, run, said, viseme};
use serde_json::Value;
use std::path::Path;
use viseme_testing::{TestClip, clips};

/// Runs the binary with a cache in `folder`.
fn cached(folder: &Path, arguments: &[&str]) -> common::Said {
    let mut command = viseme(folder);
    command.env("VISEME_CACHE_DIR", folder.join("kept")).env_remove("VISEME_CACHE_MB");
    said(&command.args(arguments).output().unwrap())
}

fn analysis_cache(said: &common::Said) -> Value {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str::<Value>(&said.stdout).unwrap()["analysis_cache"].clone()
}

#[test]
fn a_second_speech_comes_from_the_cache_until_it_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "clip.mp4");
    let _ = clips::speech(folder.path(), "one.wav", 1.0);
    let _ = clips::speech(folder.path(), "two.wav", 0.8);
    let sync = |speech: &str, option: &[&str]| {
        let mut arguments = vec!["sync", "clip.mp4", speech, "-o", "out.mp4", "--crf", "20", "--json"];
        arguments.extend(option);
        cached(folder.path(), &arguments)
    };
    assert_eq!(analysis_cache(&sync("one.wav", &["--no-cache"])), "off");
    assert_eq!(names(folder.path()), ["clip.mp4", "one.wav", "out.mp4", "two.wav"]);
    assert_eq!(analysis_cache(&sync("one.wav", &[])), "miss");
    assert_eq!(analysis_cache(&sync("two.wav", &[])), "hit");
    let info = cached(folder.path(), &["cache", "info", "--json"]);
    let info: Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!((&info["entries"], &info["most_bytes"]), (&1.into(), &2_000_000_000_u64.into()));
    let shown = cached(folder.path(), &["cache", "info"]);
    assert!(shown.stdout.contains("1 video, 1 MB, at most 2000 MB"), "{}", shown.stdout);
    let cleared = cached(folder.path(), &["cache", "clear"]);
    assert_eq!((cleared.code, cleared.stderr.as_str()), (Some(0), "removed 1 video, 1 MB\n"));
    assert_eq!(names(&folder.path().join("kept")), [] as [&str; 0]);
    assert_eq!(analysis_cache(&sync("two.wav", &[])), "miss");
}

#[test]
fn a_limit_that_is_no_number_is_an_error_and_none_turns_it_off() {
    let folder = tempfile::tempdir().unwrap();
    let output = viseme(folder.path()).args(["cache", "info"]).env("VISEME_CACHE_MB", "2 GB").output();
    let wrong = said(&output.unwrap());
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("VISEME_CACHE_MB is '2 GB'"), "{}", wrong.stderr);
    assert_eq!(run(folder.path(), &["cache", "clear"]).stderr, "the cache is turned off\n");
}
