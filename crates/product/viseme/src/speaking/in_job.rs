//! Who speaks when in a job.

use super::{HeardFrom, Speaking, Talk, hear, talk_together};
use crate::clip::TimeRange;
use crate::inputs::Inputs;
use crate::job::Seen;
use crate::runner::Runner;
use crate::speakers::Speakers;
use crate::spec::JobSpec;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::{Observer, Result};
use viseme_media::AudioReader;

impl Speaking {
    /// Says who speaks when, where the faces of a job speak in turns; none where they do not.
    ///
    /// # Errors
    /// When the video or its sound cannot be decoded, or a net fails or is not installed; `Cancelled`.
    pub(crate) fn in_job(
        runner: &Runner,
        spec: &JobSpec,
        inputs: &Inputs,
        seen: &Seen<'_>,
        observer: &dyn Observer,
    ) -> Result<Option<Self>> {
        let Seen { clip, analysis, people } = *seen;
        let in_turns = match spec.face {
            Speakers::Speaking => true,
            Speakers::Auto => spec.characters.is_empty() && spec.say.is_empty() && talk_together(analysis),
            _ => false,
        };
        if !in_turns || spec.audio.is_none() || clip.is_still() || analysis.tracks.tracks().is_empty() {
            return Ok(None);
        }
        let times = &analysis.times;
        // A sound of its own runs on the clock of the video, a new speech starts with the output.
        let (path, audio, from, lead_s) = match (inputs.source.default_audio(), &spec.audio) {
            (Some(audio), _) => (&spec.video, audio, HeardFrom::Original, times.seconds(times.origin().0)),
            (None, Some(path)) => (path, inputs.sound(path)?, HeardFrom::Speech, 0.0),
            (None, None) => return Ok(None),
        };
        let reader = AudioReader::open_stream(&runner.tools, path, audio, SAMPLE_RATE_HZ, &spec.limits)?;
        let heard = hear(reader, from, (lead_s, times.length_s()), observer)?;
        let sense = runner.senses.open(spec.speaker_sense, from)?;
        let range = TimeRange { start_s: spec.start_s, end_s: spec.end_s };
        Talk { clip, range, analysis, people, observer }.listen(sense.as_ref(), &heard).map(Some)
    }
}
