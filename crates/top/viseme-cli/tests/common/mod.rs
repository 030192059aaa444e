//! Runs the real binary.

#![expect(clippy::expect_used, reason = "a panic here is a failed test")]

use assert_cmd::Command;
use std::path::Path;
use std::process::Output;

/// What a run of the binary said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, without colours, with its temporary files in `folder`, no models but those in its `models`, and no cache.
pub(crate) fn viseme(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("viseme").expect("the binary under test");
    command.current_dir(folder).env("TMPDIR", folder).env("NO_COLOR", "1");
    command.env("VISEME_CACHE_MB", "0");
    command.env("MODELS_DIR", folder.join("models"));
    command
}

/// Runs the binary in `folder` with these arguments.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Said {
    said(&viseme(folder).args(arguments).output().expect("a run"))
}

/// What `output` says.
pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
