//! Which stretch of the mel spectrogram Wav2Lip hears for a frame: `inference.py`, `main`.

use viseme_audio::MelColumn;
use viseme_audio::wav2lip_mel::{BANDS, COLUMNS_PER_SECOND};
use viseme_core::{Error, FrameIndex, Result, Timebase};

/// Columns that the net hears for a frame: 0.2 s (`mel_step_size`).
pub const CHUNK_COLUMNS: usize = 16;

/// A stretch of the spectrogram, 80 × 16: row-major, bands low to high. The input `audio` of the net without its first two axes.
pub type MelChunk = [[f32; CHUNK_COLUMNS]; BANDS];

/// A whole speech, cut into one chunk per frame.
#[derive(Debug)]
pub struct MelChunks {
    columns: Vec<MelColumn>,
}

impl MelChunks {
    /// Takes the spectrogram of a whole speech.
    ///
    /// # Errors
    /// When a value is not a number (the reference refuses it too) or the speech is shorter than a chunk.
    pub fn new(columns: Vec<MelColumn>) -> Result<Self> {
        if columns.iter().flatten().any(|value| value.is_nan()) {
            return Err(Error::invalid_input("the speech has samples that are not numbers")
                .with_hint("Convert it to 16-bit WAV."));
        }
        if columns.len() < CHUNK_COLUMNS {
            return Err(Error::invalid_input("the speech is shorter than 0.2 s")
                .with_hint("Put silence after it: Wav2Lip hears 0.2 s for every frame."));
        }
        Ok(Self { columns })
    }

    /// The column that the chunk of a frame starts at, of frames that are each as long as a tick of `frame_length`: `80 i / fps`,
    /// rounded down. From the last whole chunk on it is the start of that one.
    ///
    /// Exact, where the reference multiplies by a rounded `80 / fps`: at 24000/1001 fps it is one column early in 164 of 200,000
    /// frames.
    #[must_use]
    pub fn start(&self, frame: FrameIndex, frame_length: Timebase) -> usize {
        let ticks = u128::from(frame.0) * u128::from(frame_length.numerator());
        let column = ticks * u128::from(COLUMNS_PER_SECOND) / u128::from(frame_length.denominator());
        usize::try_from(column).unwrap_or(usize::MAX).min(self.last_start())
    }

    /// The column that the chunk of a moment of the speech, in seconds, starts at.
    #[must_use]
    pub fn start_at(&self, speech_s: f64) -> usize {
        // A moment that is a frame's to within a microsecond is that frame's.
        let column = (speech_s + 1e-6) * f64::from(COLUMNS_PER_SECOND);
        (column.max(0.0) as usize).min(self.last_start())
    }

    /// How many frames the reference makes of the speech: the last one is the first whose chunk would reach beyond the end.
    #[must_use]
    pub fn frames(&self, frame_length: Timebase) -> u64 {
        let beyond = (self.last_start() + 1) as u128 * u128::from(frame_length.denominator());
        let columns = u128::from(frame_length.numerator()) * u128::from(COLUMNS_PER_SECOND);
        u64::try_from(beyond.div_ceil(columns)).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The chunk that starts at a column, an answer of [`start`](Self::start) or [`start_at`](Self::start_at).
    #[must_use]
    pub fn chunk(&self, start: usize) -> MelChunk {
        let mut chunk = [[0.0; CHUNK_COLUMNS]; BANDS];
        for (k, column) in self.columns.iter().skip(start).take(CHUNK_COLUMNS).enumerate() {
            for (row, &value) in chunk.iter_mut().zip(column) {
                row[k] = value;
            }
        }
        chunk
    }

    fn last_start(&self) -> usize {
        self.columns.len() - CHUNK_COLUMNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_and_its_frame_hear_the_same() {
        let chunks = MelChunks::new(vec![[0.0; BANDS]; 100_000]).unwrap();
        for (numerator, denominator) in [(1, 24), (1, 25), (1, 30), (1, 60), (1001, 24_000), (1001, 30_000)] {
            let frame_length = Timebase::new(numerator, denominator).unwrap();
            for frame in 0..chunks.frames(frame_length) {
                let speech_s = frame as f64 * f64::from(numerator) / f64::from(denominator);
                let expected = chunks.start(FrameIndex(frame), frame_length);
                assert_eq!(chunks.start_at(speech_s), expected, "frame {frame} of {denominator}");
            }
        }
    }

    #[test]
    fn moments_beyond_the_speech_hear_its_ends() {
        let chunks = MelChunks::new(vec![[0.0; BANDS]; 20]).unwrap();
        assert_eq!(chunks.start_at(-1.0), 0);
        assert_eq!(chunks.start_at(1e30), 4);
        assert_eq!(chunks.start(FrameIndex(u64::MAX), Timebase::new(u32::MAX, 1).unwrap()), 4);
    }

    #[test]
    fn what_is_not_a_number_and_what_is_too_short_are_refused() {
        let mut columns = vec![[0.0; BANDS]; 40];
        columns[7][3] = f32::NAN;
        assert!(MelChunks::new(columns).is_err());
        assert!(MelChunks::new(vec![[0.0; BANDS]; 15]).is_err());
    }
}
