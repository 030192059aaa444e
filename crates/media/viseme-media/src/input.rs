//! An input file as arguments that let ffmpeg read exactly that file, in exactly its format.

use crate::sniff;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use viseme_core::Result;

/// A file whose container we have recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    path: PathBuf,
    demuxer: &'static str,
}

impl Input {
    /// Looks at the first bytes of `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), demuxer: sniff::demuxer_of(path)? })
    }

    /// The name of ffmpeg's demuxer for it.
    pub(crate) fn demuxer(&self) -> &'static str {
        self.demuxer
    }

    /// Whether it is a picture, not a recording.
    pub(crate) fn is_still(&self) -> bool {
        self.demuxer.ends_with("_pipe")
    }

    /// The path for people.
    pub(crate) fn display(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// The arguments that open it, `-i` last. Options of the input go in front of them.
    ///
    /// Forcing the demuxer keeps out playlists, and the two white lists whatever a file could name inside.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = strings(&["-protocol_whitelist", "file,pipe", "-format_whitelist", self.demuxer]);
        arguments.extend(strings(&["-f", self.demuxer, "-i"]));
        arguments.push(file_url(&self.path));
        arguments
    }
}

/// The path as ffmpeg takes it literally: `file:` keeps a leading dash, a colon or a percent sign from having a meaning.
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// Arguments of a command line from text.
pub(crate) fn strings<S: AsRef<str>>(arguments: &[S]) -> Vec<OsString> {
    arguments.iter().map(|argument| OsString::from(argument.as_ref())).collect()
}

/// What every ffmpeg command starts with: no banner, no keyboard, only messages of `level`, each with its level.
pub(crate) fn preamble(level: &str) -> Vec<OsString> {
    strings(&["-hide_banner", "-nostdin", "-nostats", "-loglevel", &format!("level+{level}")])
}
