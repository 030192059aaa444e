//! What is heard in the output.

use crate::inputs::Inputs;
use crate::spec::JobSpec;
use std::path::{Path, PathBuf};
use viseme_core::{Error, Limits, Result};
use viseme_media::{AudioInfo, MixPart, Tools, mix, probe};

/// The sound of an output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutputSound {
    /// The file, which begins with the output.
    pub(crate) path: PathBuf,
    /// Its stream.
    pub(crate) audio: AudioInfo,
    /// Whether we made it.
    pub(crate) is_mix: bool,
}

/// The sound of the output: the finished mix of the job, where there is one, or else the speech of the job and the sounds of
/// all lines. A single sound that begins with the output is taken as it is; others are mixed in `work_dir`.
///
/// # Errors
/// When they cannot be mixed.
pub(crate) fn output_sound(
    tools: &Tools,
    spec: &JobSpec,
    inputs: &Inputs,
    work_dir: &Path,
) -> Result<OutputSound> {
    let parts = parts(spec, inputs)?;
    if let [MixPart { path, audio, start_s, end_s: None }] = parts[..]
        && start_s <= 0.0
    {
        return Ok(OutputSound { path: path.to_owned(), audio: audio.clone(), is_mix: false });
    }
    let path = work_dir.join("mix.flac");
    mix(tools, &parts, &path, &spec.limits)?;
    // It is our own: it may be longer than an input may be.
    let limits = Limits { duration_s: f64::INFINITY, ..spec.limits.clone() };
    let audio = probe(tools, &path, &limits)?.default_audio().cloned();
    let audio = audio.ok_or_else(|| Error::internal("the mix has no sound"))?;
    Ok(OutputSound { path, audio, is_mix: true })
}

/// What is heard, and when.
fn parts<'a>(spec: &'a JobSpec, inputs: &'a Inputs) -> Result<Vec<MixPart<'a>>> {
    let part = |path: &'a PathBuf, start_s: f64, end_s: Option<f64>| {
        Ok(MixPart { path, audio: inputs.sound(path)?, start_s, end_s })
    };
    if let Some(finished) = &spec.sound {
        return Ok(vec![part(finished, 0.0, None)?]);
    }
    let speech = spec.audio.iter().map(|path| part(path, 0.0, None));
    let lines =
        spec.say.iter().filter_map(|line| Some(part(line.audio.as_ref()?, line.begin_s(), line.end_s)));
    speech.chain(lines).collect()
}
