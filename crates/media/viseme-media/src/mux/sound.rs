//! Sound that the container does not take as it is, encoded before the picture is there.

use super::Speech;
use super::command::{Command, is_copied};
use crate::container::Container;
use crate::process::{Running, Wiring};
use crate::{AudioInfo, Tools, probe};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Limits, Result, Warning};

/// A speech on its way into the codec of the output, in a process of its own: it takes as long as a sixth of a small
/// picture, on one core. Dropping it ends the process.
#[derive(Debug)]
pub struct SoundEncoder {
    child: Running,
    target: PathBuf,
    warnings: Vec<Warning>,
}

impl SoundEncoder {
    /// Starts to encode the first `duration_s` seconds of `speech` to `target`, whose extension is that of the output.
    /// `None` where [`mux`](crate::mux()) copies that speech.
    ///
    /// # Errors
    /// When `target` has no extension that we write, or ffmpeg cannot be started.
    pub fn start(
        tools: &Tools,
        speech: &Speech<'_>,
        duration_s: f64,
        target: PathBuf,
        limits: &Limits,
    ) -> Result<Option<Self>> {
        let container = Container::of(&target)?;
        if is_copied(container, speech.audio, speech.is_mix) {
            return Ok(None);
        }
        let mut command = Command::new(container);
        command.add_speech(speech)?;
        let (arguments, warnings) = command.finish(&BTreeMap::new(), duration_s, &target);
        let child = Running::spawn(&tools.ffmpeg, &arguments, Wiring::Closed, limits)?;
        Ok(Some(Self { child, target, warnings }))
    }

    /// Waits for the end, and gives the file, its stream, which [`mux`](crate::mux()) copies into the output, and what became
    /// of the sound.
    ///
    /// # Errors
    /// When it could not be encoded: ffmpeg's reason.
    pub fn finish(mut self, tools: &Tools, limits: &Limits) -> Result<(PathBuf, AudioInfo, Vec<Warning>)> {
        self.child.wait("encode the sound")?;
        let audio = own_sound(tools, &self.target, limits)?;
        Ok((self.target, audio, self.warnings))
    }
}

/// The sound of a file of our own, which may be longer than an input may be.
///
/// # Errors
/// When it has none.
pub fn own_sound(tools: &Tools, path: &Path, limits: &Limits) -> Result<AudioInfo> {
    let limits = Limits { duration_s: f64::INFINITY, ..limits.clone() };
    let audio = probe(tools, path, &limits)?.default_audio().cloned();
    audio.ok_or_else(|| Error::internal(format!("no sound in {}", path.display())))
}
