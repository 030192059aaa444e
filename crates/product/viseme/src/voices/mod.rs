//! Which voices a job has: the speech that all of it is about, and one for everybody who has lines of their own.

mod ear;
mod faces;
mod report;
mod role;
mod sound;
mod whom;

pub(crate) use ear::{Ear, Heard, Said};
pub(crate) use faces::speaking_faces;
pub use report::LineReport;
pub(crate) use report::line_reports;
pub(crate) use role::{Role, roles};
pub(crate) use sound::OutputSound;

use crate::spec::JobSpec;
use std::path::Path;
use viseme_engines::VoiceId;

/// A voice: stretches of sounds, laid on the clock of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Voice<'a> {
    pub(crate) id: VoiceId,
    /// In order of time.
    pub(crate) pieces: Vec<Piece<'a>>,
}

/// A stretch of a sound. Times are in seconds of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece<'a> {
    /// The file.
    pub(crate) path: &'a Path,
    /// The line that it is, by its number in the job; none for the whole speech of the job.
    pub(crate) line: Option<usize>,
    /// When it begins.
    pub(crate) start_s: f64,
    /// How much of the sound has passed by then.
    pub(crate) from_s: f64,
    /// When it ends at the latest. None is the end of the sound.
    pub(crate) end_s: Option<f64>,
}

/// The voices of a job: its speech, and those of the people who have lines with sounds.
pub(crate) fn voices<'a>(spec: &'a JobSpec, roles: &[Role]) -> Vec<Voice<'a>> {
    let whole = |path: &'a Path| Piece { path, line: None, start_s: 0.0, from_s: 0.0, end_s: None };
    let main = spec.audio.iter().map(|path| Voice { id: VoiceId::MAIN, pieces: vec![whole(path)] });
    main.chain(roles.iter().filter_map(|role| role.own_voice(spec))).collect()
}

/// What a voice says, for people: the file of the speech, or whose lines it speaks.
pub(crate) fn said_by(spec: &JobSpec, roles: &[Role], voice: VoiceId) -> String {
    match roles.iter().find(|role| role.voice == voice && voice != VoiceId::MAIN) {
        Some(role) => role.lines.first().map(|&line| spec.say[line].label()).unwrap_or_default(),
        None => spec.audio.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
    }
}
