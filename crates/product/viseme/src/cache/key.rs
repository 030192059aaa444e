//! What an analysis depends on. Where two jobs agree in all of it, they would learn the same.

use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use viseme_core::{Limits, Result};
use viseme_face::FaceChoice;
use viseme_media::VideoInfo;
use viseme_models::Digest;

/// The version of what an entry holds and how.
const FORMAT: u32 = 1;

/// Everything that an analysis depends on. A choice that comes to change what the first pass finds, or what of it is
/// kept, belongs here.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeyParts<'a> {
    /// The video's bytes. Neither its name nor its time: both lie.
    pub(crate) content: Digest,
    /// The stream, and what it was taken for.
    pub(crate) stream: &'a VideoInfo,
    /// Whether it was taken for a picture.
    pub(crate) is_still: bool,
    /// The part of it that is used, in seconds.
    pub(crate) range_s: (Option<f64>, Option<f64>),
    /// What decoded it: ffmpeg's version.
    pub(crate) decoder: &'a str,
    /// The faces that are studied.
    pub(crate) choice: FaceChoice,
    /// How many faces are followed; and what would have been refused still is.
    pub(crate) limits: &'a Limits,
    /// The engine and what its studies depend on.
    pub(crate) engine: (&'a str, String),
}

/// The name of an entry, with all that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    digest: Digest,
    parts: serde_json::Value,
}

impl Key {
    /// The name of the entry's folder.
    pub(super) fn name(&self) -> String {
        self.digest.to_string()
    }

    /// Everything that it stands for, to be written into the entry.
    pub(super) fn parts(&self) -> &serde_json::Value {
        &self.parts
    }

    /// The key of these parts.
    pub(crate) fn of(parts: serde_json::Value) -> Self {
        Self { digest: Digest::of(parts.to_string().as_bytes()), parts }
    }
}

/// The nets that look at the video, as far as the binary does not hold them.
#[derive(Debug, Default)]
pub(crate) struct Instruments {
    /// What they are and what runs them.
    pub(crate) description: String,
    /// Their files.
    pub(crate) files: Vec<PathBuf>,
    /// The hashes of the files, when they have been needed.
    pub(crate) digests: OnceLock<Option<Vec<Digest>>>,
}

impl Instruments {
    /// The hashes of their files; `None` when one cannot be read.
    pub(crate) fn digests(&self) -> Option<&[Digest]> {
        let read = || self.files.iter().map(|path| Digest::of_file(path, &mut |_| Ok(())).ok()).collect();
        self.digests.get_or_init(read).as_deref()
    }
}

/// The key of an analysis; `None` when something that it depends on cannot be known.
pub(crate) fn key(parts: &KeyParts<'_>, instruments: &Instruments) -> Option<Key> {
    Some(Key::of(serde_json::json!({
        "format": FORMAT,
        "program": program()?,
        "nets": [instruments.description, instruments.digests()?],
        "video": parts,
    })))
}

/// This very program: another build of the same version may see otherwise. Our own nets are part of it.
pub(crate) fn program() -> Option<Digest> {
    static PROGRAM: OnceLock<Option<Digest>> = OnceLock::new();
    *PROGRAM.get_or_init(|| Digest::of_file(&std::env::current_exe().ok()?, &mut |_| Ok(())).ok())
}

/// The hash of a video, unless `step` stops it; `None` when it is no plain file, which can be read but once.
///
/// # Errors
/// What `step` says.
pub(crate) fn content(path: &Path, step: impl Fn() -> Result<()>) -> Result<Option<Digest>> {
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let read = Digest::of_file(path, &mut |_| step());
    step()?;
    Ok(read.ok())
}
