//! Whatever is wrong with what the user gives: one clear error, the right exit code, no panic, nothing left behind.

mod common;

use common::{Said, names, run, said};
use std::path::Path;
use viseme_testing::{TestClip, clips};

/// A folder with a good clip and good speech in it.
#[expect(clippy::unwrap_used, reason = "a panic here is a failed test")]
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let _ = TestClip::default().write(folder.path(), "clip.mp4");
    let _ = clips::speech(folder.path(), "speech.wav", 1.0);
    folder
}

/// Runs `sync` and checks what holds for every failure.
fn fails(folder: &Path, arguments: &[&str], code: i32) -> String {
    let before = names(folder);
    let Said { code: actual, stdout, stderr } = run(folder, arguments);
    assert_eq!(actual, Some(code), "{arguments:?}: {stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    assert_eq!(names(folder), before, "{arguments:?} left something behind");
    stderr
}

#[test]
fn inputs_that_are_missing_empty_or_no_media_are_the_users_fault() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("empty.mp4"), b"").unwrap();
    std::fs::write(path.join("empty.wav"), b"").unwrap();
    std::fs::write(path.join("text.mp4"), b"Dear diary, this is no video at all.\n").unwrap();
    let whole = std::fs::read(path.join("clip.mp4")).unwrap();
    std::fs::write(path.join("cut.mp4"), &whole[..whole.len() / 2]).unwrap();
    for (video, audio, expected) in [
        ("missing.mp4", "speech.wav", "missing.mp4 does not exist"),
        ("clip.mp4", "missing.wav", "missing.wav does not exist"),
        ("empty.mp4", "speech.wav", "empty.mp4 is empty"),
        ("clip.mp4", "empty.wav", "empty.wav is empty"),
        ("text.mp4", "speech.wav", "text.mp4"),
        ("cut.mp4", "speech.wav", "cut.mp4"),
        ("clip.mp4", "clip.mp4", "no sound"),
        ("speech.wav", "speech.wav", "no picture"),
    ] {
        let stderr = fails(path, &["sync", video, audio, "-o", "out.mp4"], 1);
        assert!(stderr.contains(expected), "{video} ← {audio}: {stderr}");
    }
}

#[test]
fn lines_that_cannot_be_spoken_are_the_users_fault() {
    let folder = folder();
    for (options, expected) in [
        (&[][..], "<AUDIO>"),
        (&["--say", "bob=speech.wav"], "there is no character 'bob'"),
        (&["--say", "face_1@2s"], "the line of 'face_1' at 2 s says nothing"),
        (&["--say", "face_1@7s-3s=speech.wav"], "the line of 'face_1' at 7 s: the range ends at 3 s"),
        (&["--say", "face_1@soon=speech.wav"], "'soon' is not a time"),
        (&["--say", "=speech.wav"], "write bob@3.2s-7s=bob.mp3"),
        (&["--say", "face_1=gone.wav"], "the line of 'face_1': gone.wav does not exist"),
        (&["--say", "face_1=clip.mp4"], "clip.mp4 has no sound"),
        (&["--say", "face_1@1-3=speech.wav", "--say", "face_1@2=speech.wav"], "overlap"),
        (&["--say", "face_1=speech.wav", "--sound", "gone.wav"], "gone.wav does not exist"),
    ] {
        let mut arguments = vec!["sync", "clip.mp4", "-o", "out.mp4"];
        arguments.extend(options);
        let stderr = fails(folder.path(), &arguments, 1);
        assert!(stderr.contains(expected), "{options:?}: {stderr}");
    }
}

#[test]
fn an_engine_without_its_model_says_the_command_that_gets_it() {
    let folder = folder();
    let models = folder.path().join("models");
    for (options, command) in [
        (&[][..], "viseme models pull wav2lip_gan --accept-license"),
        (&["--engine-option", "profile=reference"], "viseme models pull wav2lip_gan --accept-license"),
        (&["--engine-option", "model=wav2lip"], "viseme models pull wav2lip --accept-license"),
        (&["--engine-option", "profile=fast"], "viseme, reference"),
        (&["--engine-option", "quality=high"], "profile, model"),
        (&["--engine-option", "quality"], "NAME=VALUE"),
        (&["--animate"], "cannot animate"),
    ] {
        let mut arguments = vec!["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--engine", "wav2lip"];
        arguments.extend(options);
        let output =
            common::viseme(folder.path()).args(&arguments).env("MODELS_DIR", &models).output().unwrap();
        let said = said(&output);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{options:?}: {}", said.stderr);
        assert!(said.stderr.contains(command), "{options:?}: {}", said.stderr);
    }
    assert_eq!(names(folder.path()), ["clip.mp4", "speech.wav"]);
}

#[test]
fn playlists_reach_neither_files_nor_the_network() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("secret.txt"), "secret").unwrap();
    let secret = path.join("secret.txt").display().to_string();
    for (name, text) in [
        ("list.m3u8", format!("#EXTM3U\n#EXTINF:10,\nfile://{secret}\n#EXT-X-ENDLIST\n")),
        ("disguised.mp4", format!("#EXTM3U\n#EXTINF:10,\n{secret}\n")),
        ("remote.mp4", "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n".to_owned()),
        ("concat.mp4", format!("ffconcat version 1.0\nfile '{secret}'\n")),
        ("session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n".to_owned()),
    ] {
        std::fs::write(path.join(name), text).unwrap();
        fails(path, &["sync", name, "speech.wav", "-o", "out.mp4"], 1);
        fails(path, &["sync", "clip.mp4", name, "-o", "out.mp4"], 1);
    }
}

#[test]
fn a_url_is_no_file() {
    let folder = folder();
    fails(folder.path(), &["sync", "http://127.0.0.1:9/talk.mp4", "speech.wav", "-o", "out.mp4"], 1);
}

#[test]
fn limits_are_named_with_the_flag_that_raises_them() {
    let folder = folder();
    let path = folder.path();
    let long = fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--max-duration", "0.5"], 1);
    assert!(long.contains("--max-duration"), "{long}");
    let large = fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "out.mp4", "--max-pixels", "1000"], 1);
    assert!(large.contains("--max-pixels"), "{large}");
    let _ = clips::still(path, "8k.png", 7680, 4320);
    let picture = fails(path, &["sync", "8k.png", "speech.wav", "-o", "out.mp4"], 1);
    assert!(picture.contains("--max-pixels"), "{picture}");
}

#[test]
fn outputs_that_cannot_be_written_fail_before_the_work() {
    let folder = folder();
    let path = folder.path();
    fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "nowhere/out.mp4"], 1);
    fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "clip.mp4"], 1);
    fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "/proc/out.mp4"], 1);
    let format = fails(path, &["sync", "clip.mp4", "speech.wav", "-o", "out.docx"], 1);
    assert!(format.contains(".mp4"), "says what is known: {format}");
}

#[test]
fn a_full_disk_is_said_and_nothing_is_left() {
    let folder = folder();
    let path = folder.path();
    let _ = TestClip { width: 1280, height: 720, ..TestClip::default() }.write(path, "large.mp4");
    let before = names(path);
    // A file system of 300 kB of its own, which only this run sees.
    let mounted = path.join("small");
    std::fs::create_dir(&mounted).unwrap();
    let script = "mount -t tmpfs -o size=300k tmpfs small || exit 77; TMPDIR=$PWD/small \"$0\" \
        sync large.mp4 speech.wav -o small/out.mp4 --lossless; code=$?; echo left: $(ls -A small) >&2; exit $code";
    let binary = assert_cmd::cargo::cargo_bin!("viseme");
    let output = assert_cmd::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(binary)
        .current_dir(path)
        .output();
    let said = match output {
        Ok(output) => said(&output),
        Err(error) => return viseme_testing::skipped(&format!("a full disk: unshare does not run: {error}")),
    };
    if said.code != Some(2) && (said.stderr.contains("unshare") || said.code == Some(77)) {
        return viseme_testing::skipped(&format!("a full disk: cannot mount here: {}", said.stderr.trim()));
    }
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("the disk is full"), "{}", said.stderr);
    assert!(said.stderr.lines().any(|line| line == "left:"), "{}", said.stderr);
    assert_eq!(names(path).len(), before.len() + 1);
}
