//! Joins the picture that we made, the speech as it came, and what else the source had.

mod command;
mod sound;

pub use sound::{SoundEncoder, own_sound};

use crate::container::Container;
use crate::process::{Running, Wiring};
use crate::{AudioInfo, MediaInfo, OutputFile, Tools, WrittenVideo};
use command::Command;
use std::collections::BTreeMap;
use std::path::Path;
use viseme_core::{Limits, Result, Warning};

/// What goes into the finished file.
#[derive(Debug, Clone)]
pub struct MuxPlan<'a> {
    /// The picture, as [`VideoWriter`](crate::VideoWriter) made it.
    pub video: &'a WrittenVideo,
    /// The sound that the lips follow; `None` for a silent file.
    pub speech: Option<Speech<'a>>,
    /// Where the other streams, the chapters and the tags come from; `None` to keep none.
    pub source: Option<SourceStreams<'a>>,
    /// Length of the output in seconds: longer sound is cut there. The picture itself is never cut.
    pub duration_s: f64,
    /// Whether the file is to say that its picture was edited by AI. Only where it shows no frame of ours it need not.
    pub is_edited_by_ai: bool,
    /// More tags of the file: names of ffmpeg. They win over those of the source.
    pub tags: BTreeMap<String, String>,
}

/// A sound stream of a file.
#[derive(Debug, Clone, Copy)]
pub struct Speech<'a> {
    /// The file.
    pub path: &'a Path,
    /// The stream, as [`probe`](crate::probe()) describes it.
    pub audio: &'a AudioInfo,
    /// How much later than on its own clock it is heard, in seconds; below 0 earlier.
    pub delay_s: f64,
    /// Whether it is a [mix](crate::mix()) of our own: encoded as the container likes it, and not worth a warning.
    pub is_mix: bool,
}

/// The file whose picture was changed.
#[derive(Debug, Clone, Copy)]
pub struct SourceStreams<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is in it.
    pub info: &'a MediaInfo,
    /// The sound stream in whose place the speech comes, by its number; all others are kept.
    pub replaced_audio: Option<u32>,
}

/// What became of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuxReport {
    /// Streams that were encoded again or could not be kept.
    pub warnings: Vec<Warning>,
    /// Whether the speech is in the file bit for bit as it came.
    pub audio_copied: bool,
}

/// Joins the streams of `plan` in `output` and puts it in place.
///
/// Streams are copied wherever the container of the output takes them. All times stay as they are on the media's clock.
/// The file says that its picture was edited by AI with this version of Viseme, where it was.
///
/// # Errors
/// [`ErrorKind::Unsupported`](viseme_core::ErrorKind::Unsupported) for a container that we do not write, and whatever
/// keeps the file from being written; nothing is left behind then.
pub fn mux(tools: &Tools, plan: &MuxPlan, output: OutputFile, limits: &Limits) -> Result<MuxReport> {
    let container = Container::of(output.target())?;
    let mut command = Command::new(container);
    command.add_picture(&plan.video.path)?;
    let audio_copied = match &plan.speech {
        Some(speech) => command.add_speech(speech)?,
        None => true,
    };
    if let Some(source) = &plan.source {
        command.add_source(source)?;
    }
    let end_s = plan.duration_s.max(plan.video.end_s);
    let (arguments, warnings) = command.finish(&tags(plan), end_s, output.temporary_path());
    let mut child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
    child.wait(&format!("write {}", output.target().display()))?;
    output.commit()?;
    Ok(MuxReport { warnings, audio_copied })
}

/// The tags that we set: the caller's, and that the picture was edited by AI.
fn tags(plan: &MuxPlan) -> BTreeMap<String, String> {
    if !plan.is_edited_by_ai {
        return plan.tags.clone();
    }
    let version = env!("CARGO_PKG_VERSION");
    let label = format!("Edited by AI: lips synced with Viseme {version}");
    let mut tags = plan.tags.clone();
    for name in ["comment", "description"] {
        // Matroska writes the names of its tags in capitals.
        let of_source = plan.source.and_then(|source| {
            source.info.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        let text = match tags.get(name).or(of_source) {
            Some(old) if old.contains(&label) => old.clone(),
            Some(old) => format!("{label}. {old}"),
            None => label.clone(),
        };
        tags.insert(name.to_owned(), text);
    }
    tags
}
