//! Golden media made by ffmpeg's own generators, and what ffprobe says of a file.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use viseme_core::{Limits, Result};
use viseme_imaging::Frame;
use viseme_media::{FrameSource, MediaInfo, ReadOptions, Tools, VideoReader, probe};

/// A folder for the files of one test, and the tools.
pub(crate) struct Bench {
    pub(crate) tools: Tools,
    pub(crate) limits: Limits,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { tools: Tools::locate().unwrap(), limits: Limits::default(), folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the file `name` with ffmpeg; `arguments` stand between the program and the output.
    pub(crate) fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let words = split(arguments);
        let output = run(&self.tools.ffmpeg, &words, &path);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn probe(&self, path: &Path) -> Result<MediaInfo> {
        probe(&self.tools, path, &self.limits)
    }

    pub(crate) fn reader(&self, path: &Path, options: ReadOptions) -> VideoReader {
        let video = self.probe(path).unwrap().video.unwrap();
        VideoReader::open(&self.tools, path, &video, options, &self.limits).unwrap()
    }

    pub(crate) fn frames(&self, path: &Path) -> Vec<Frame> {
        all(&mut self.reader(path, ReadOptions::default()))
    }

    /// The times of all frames as ffprobe decodes them, in ticks of the stream's time base; `None` where it has none.
    pub(crate) fn ffprobe_times(&self, path: &Path) -> Vec<Option<i64>> {
        let words =
            split("-v error -select_streams V:0 -show_entries frame=best_effort_timestamp -of csv=p=0");
        let output = run(&self.tools.ffprobe, &words, path);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.trim_end_matches(',').parse().ok())
            .collect()
    }

    /// One line of ffprobe for `entries`.
    pub(crate) fn ffprobe(&self, path: &Path, arguments: &str) -> String {
        let output = run(&self.tools.ffprobe, &split(&format!("-v error {arguments} -of csv=p=0")), path);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// All frames that are left.
pub(crate) fn all(reader: &mut VideoReader) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        frames.push(frame);
    }
    frames
}

pub(crate) fn times(frames: &[Frame]) -> Vec<i64> {
    frames.iter().map(|frame| frame.pts.0).collect()
}

/// The folder of shared test media; says so when it is not there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn shared_media() -> Option<PathBuf> {
    let shared = std::env::var_os("VISEME_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from);
    let media = shared.join("media");
    if media.is_dir() {
        return Some(media);
    }
    println!("skipped: no shared media at {}", media.display());
    None
}

fn split(arguments: &str) -> Vec<String> {
    arguments.split_whitespace().map(str::to_owned).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test makes and judges media with the tools themselves")]
fn run(program: &Path, words: &[String], path: &Path) -> Output {
    let mut command = Command::new(program);
    if program.ends_with("ffmpeg") {
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]);
    }
    command.args(words).arg(path).output().unwrap()
}
