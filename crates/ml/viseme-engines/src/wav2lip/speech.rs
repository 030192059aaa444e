//! What Wav2Lip hears: the speech as it is, or with silence where nobody speaks.

use super::chunks::{CHUNK_COLUMNS, MelChunk, MelChunks};
use super::options::{Profile, Wav2LipOptions};
use crate::engine::SpeechSummary;
use crate::voice::{Rests, VoiceGate, silence};
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_audio::wav2lip_mel::{BANDS, COLUMNS_PER_SECOND};
use viseme_audio::{LogMel, MelColumn, MelFrame, Padding, Wav2LipMel};
use viseme_core::Result;

/// The value of every band of silence.
const SILENCE: f32 = -4.0;
/// The loudest that a band can be.
const LOUDEST: f32 = 4.0;

/// The net was trained on chunks that begin a frame of 25 a second before the frame they belong to (`wav2lip_train.py`,
/// `get_segmented_mels`: `i - 2` of a number that is one too large). `inference.py` lets them begin at the frame, which
/// shows every mouth 40 ms too early.
const TRAINED_LEAD_S: f64 = 0.04;

/// Collects a speech as it comes in.
#[derive(Debug)]
pub(super) struct Listener {
    mel: Wav2LipMel,
    /// 26 kB per second of speech.
    columns: Vec<MelColumn>,
    log_mel: LogMel,
    /// For the voice in it; 16 kB per second, until the end of the speech.
    frames: Vec<MelFrame>,
    samples: u64,
    rests: Rests,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self {
            mel: Wav2LipMel::new(Padding::Reflect),
            columns: Vec::new(),
            log_mel: LogMel::new(),
            frames: Vec::new(),
            samples: 0,
            rests: Rests::default(),
        }
    }

    /// Hears the next samples: mono, −1 to 1, 16 kHz.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.mel.push(samples, &mut self.columns);
        self.log_mel.push(samples, &mut self.frames);
    }

    /// Hears nothing for so many samples.
    pub(super) fn rest(&mut self, samples: u64) {
        self.rests.add(self.samples..self.samples + samples);
        silence(samples, |part| self.hear(part));
    }

    /// Ends the speech.
    ///
    /// # Errors
    /// As [`MelChunks::new`].
    pub(super) fn finish(mut self, options: Wav2LipOptions) -> Result<Speech> {
        self.mel.finish(&mut self.columns);
        self.log_mel.finish(&mut self.frames);
        let gate = VoiceGate::new(&self.frames, &self.rests);
        let summary = SpeechSummary {
            duration_s: self.samples as f64 / f64::from(SAMPLE_RATE_HZ),
            voiced_s: gate.voiced_s(),
        };
        if options.profile == Profile::Reference {
            return Ok(Speech { chunks: MelChunks::new(self.columns)?, lead_s: 0.0, summary });
        }
        quieten(&mut self.columns, &gate, options.expression);
        // The mouth is closed after the speech.
        self.columns.resize(self.columns.len() + CHUNK_COLUMNS, [SILENCE; BANDS]);
        Ok(Speech { chunks: MelChunks::new(self.columns)?, lead_s: TRAINED_LEAD_S, summary })
    }
}

/// Lowers the speech to silence where there is no voice, whatever else is to be heard there: Wav2Lip closes the lips in
/// digital silence alone, and lets them tremble in noise.
fn quieten(columns: &mut [MelColumn], gate: &VoiceGate, expression: f32) {
    for (k, column) in columns.iter_mut().enumerate() {
        let share = expression * gate.at(k as f64 / f64::from(COLUMNS_PER_SECOND));
        // What is not a number stays so, and is refused.
        let quieter = |value: f32| SILENCE * (1.0 - share) + value * share;
        for value in column.iter_mut().filter(|value| !value.is_nan()) {
            *value = quieter(*value).min(LOUDEST);
        }
    }
}

/// A whole speech.
#[derive(Debug)]
pub(super) struct Speech {
    chunks: MelChunks,
    /// How long before a moment the chunk of that moment begins.
    lead_s: f64,
    pub(super) summary: SpeechSummary,
}

impl Speech {
    /// What is heard at a moment, in seconds from the start of the speech.
    pub(super) fn at(&self, speech_s: f64) -> MelChunk {
        self.chunks.chunk(self.chunks.start_at(speech_s - self.lead_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// A second of noise, two of a vowel in syllables, a second of noise.
    fn speech(options: Wav2LipOptions) -> Speech {
        let mut state = 1_u32;
        let samples: Vec<f32> = (0..64_000)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = 0.002 * (state as f32 / u32::MAX as f32 - 0.5);
                let t = i as f32 / 16_000.0;
                let vowel: f32 = (1..20).map(|k| (TAU * 120.0 * k as f32 * t).sin() / k as f32).sum();
                let voiced = (16_000..48_000).contains(&i);
                noise + if voiced { 0.1 * vowel * (0.2 + (TAU * 2.0 * t).sin().abs()) } else { 0.0 }
            })
            .collect();
        let mut listener = Listener::new();
        samples.chunks(777).for_each(|piece| listener.hear(piece));
        listener.finish(options).unwrap()
    }

    fn is_silent(chunk: &MelChunk) -> bool {
        chunk.iter().flatten().all(|&value| value <= SILENCE)
    }

    #[test]
    fn pauses_are_silence_whatever_is_to_be_heard_in_them() {
        let speech = speech(Wav2LipOptions::default());
        assert!(is_silent(&speech.at(0.3)) && is_silent(&speech.at(3.5)), "noise is heard");
        assert!(is_silent(&speech.at(9.0)), "after the end");
        assert!(!is_silent(&speech.at(2.0)));
        assert!((speech.summary.voiced_s - 2.0).abs() < 0.3, "{}", speech.summary.voiced_s);
        assert!((speech.summary.duration_s - 4.0).abs() < 1e-9);
    }

    #[test]
    fn the_reference_hears_everything_and_begins_at_the_frame() {
        let reference = speech(Wav2LipOptions { profile: Profile::Reference, expression: 1.0 });
        let ours = speech(Wav2LipOptions::default());
        assert!(!is_silent(&reference.at(0.3)), "noise is not silence");
        assert!(reference.at(2.0) == ours.at(2.04), "not the same in the middle of the voice");
    }

    #[test]
    fn without_expression_the_lips_stay_closed() {
        let speech = speech(Wav2LipOptions { expression: 0.0, ..Wav2LipOptions::default() });
        assert!((0..40).all(|i| is_silent(&speech.at(f64::from(i) / 10.0))));
    }
}
