//! What a speech asks of a mouth, heard for the report whatever the engine hears.

use std::path::Path;
use viseme_audio::LogMel;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::{Error, Limits, Observer, Result};
use viseme_engines::ExpectedMouth;
use viseme_media::{AudioInfo, AudioReader, Tools};
use viseme_models::RtenRuntime;

/// Hears the sound `audio` of the file `path` with the built-in speech net.
///
/// # Errors
/// When it cannot be decoded; `Cancelled`.
pub(crate) fn expected_mouth(
    tools: &Tools,
    path: &Path,
    audio: &AudioInfo,
    limits: &Limits,
    observer: &dyn Observer,
) -> Result<ExpectedMouth> {
    let mut reader = AudioReader::open_stream(tools, path, audio, SAMPLE_RATE_HZ, limits)?;
    let (mut log_mel, mut frames) = (LogMel::new(), Vec::new());
    while let Some(chunk) = reader.next_chunk()? {
        if observer.is_cancelled() {
            return Err(Error::cancelled());
        }
        log_mel.push(&chunk, &mut frames);
    }
    log_mel.finish(&mut frames);
    ExpectedMouth::of_speech(&frames, &RtenRuntime::default())
}
