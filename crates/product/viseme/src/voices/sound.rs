//! What is heard in the output.

use crate::inputs::Inputs;
use crate::spec::JobSpec;
use std::path::{Path, PathBuf};
use viseme_core::{Limits, Result, Warning};
use viseme_media::{AudioInfo, MixPart, SoundEncoder, Speech, Tools, mix, own_sound};

/// The sound of an output. It begins with it.
#[derive(Debug)]
pub(crate) struct OutputSound {
    path: PathBuf,
    audio: AudioInfo,
    /// Whether we made it.
    is_mix: bool,
    /// Makes it what the file is to hold, where that is something else.
    encoder: Option<SoundEncoder>,
}

impl OutputSound {
    /// The finished mix of the job, where there is one, or else the speech of the job and the sounds of all lines. A single
    /// sound that begins with the output is taken as it is; others are mixed in `work_dir`.
    ///
    /// # Errors
    /// When they cannot be mixed.
    pub(crate) fn new(tools: &Tools, spec: &JobSpec, inputs: &Inputs, work_dir: &Path) -> Result<Self> {
        let parts = parts(spec, inputs)?;
        if let [MixPart { path, audio, start_s, end_s: None }] = parts[..]
            && start_s <= 0.0
        {
            let (path, audio) = (path.to_owned(), audio.clone());
            return Ok(Self { path, audio, is_mix: false, encoder: None });
        }
        let path = work_dir.join("mix.flac");
        mix(tools, &parts, &path, &spec.limits)?;
        let audio = own_sound(tools, &path, &spec.limits)?;
        Ok(Self { path, audio, is_mix: true, encoder: None })
    }

    /// Starts to encode the first `duration_s` seconds, where the container of `output` wants another codec.
    ///
    /// # Errors
    /// When ffmpeg cannot be started.
    pub(crate) fn encode(
        &mut self,
        tools: &Tools,
        (duration_s, limits): (f64, &Limits),
        (output, work_dir): (&Path, &Path),
    ) -> Result<()> {
        let target = work_dir.join("sound").with_extension(output.extension().unwrap_or_default());
        self.encoder = SoundEncoder::start(tools, &self.speech(0.0), duration_s, target, limits)?;
        Ok(())
    }

    /// Waits until it is encoded, and says what became of it.
    ///
    /// # Errors
    /// When it could not be.
    pub(crate) fn finish(&mut self, tools: &Tools, limits: &Limits) -> Result<Vec<Warning>> {
        let Some(encoder) = self.encoder.take() else { return Ok(Vec::new()) };
        let (path, audio, warnings) = encoder.finish(tools, limits)?;
        (self.path, self.audio, self.is_mix) = (path, audio, false);
        Ok(warnings)
    }

    /// The sound, heard so much later than it begins.
    pub(crate) fn speech(&self, delay_s: f64) -> Speech<'_> {
        Speech { path: &self.path, audio: &self.audio, delay_s, is_mix: self.is_mix }
    }
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
