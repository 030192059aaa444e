//! Which stretch of Whisper's hidden states MuseTalk hears for a frame: `audio_processor.py`, `get_whisper_chunk`.

use viseme_core::{FrameIndex, Timebase};

/// Rows of hidden states per second of speech.
pub const ROWS_PER_SECOND: u64 = 50;

/// Rows that a frame hears: two times the frame itself and two on either side.
pub const WINDOW_ROWS: usize = 10;

/// Hidden states of a row: after the convolutions, after layers 1 to 3, and the last one after its norm.
pub const STATES: usize = 5;

/// Frames of padding before the speech (`audio_padding_length_left`).
const PADDING_FRAMES: u64 = 2;

const SAMPLE_RATE_HZ: u64 = 16_000;

/// A whole speech, cut into one window of rows per frame.
#[derive(Debug, Clone, Copy)]
pub struct AudioWindows {
    samples: u64,
    frame_length: Timebase,
}

impl AudioWindows {
    /// The windows of a speech of `samples` at 16 kHz, for frames that are each as long as a tick of `frame_length`.
    #[must_use]
    pub fn new(samples: u64, frame_length: Timebase) -> Self {
        Self { samples, frame_length }
    }

    /// As [`new`](Self::new), at the frame rate of the reference, which drops what is after the point: 29.97 frames a second
    /// become 29, and the lips run behind by 3.3 %. For comparison only; `None` below one frame a second.
    #[must_use]
    pub fn at_truncated_rate(samples: u64, frame_length: Timebase) -> Option<Self> {
        let truncated = Timebase::new(1, frame_length.denominator() / frame_length.numerator())?;
        Some(Self::new(samples, truncated))
    }

    /// Whole frames of the speech.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let ticks = u128::from(self.samples) * u128::from(self.frame_length.denominator());
        (ticks / (u128::from(SAMPLE_RATE_HZ) * u128::from(self.frame_length.numerator()))) as u64
    }

    /// Rows of hidden states that belong to the speech. Those after it heard the silence that fills up the last 30 s and count as
    /// zero.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.samples * ROWS_PER_SECOND / SAMPLE_RATE_HZ
    }

    /// The first of the ten rows that a frame hears. Rows below 0 and from [`rows`](Self::rows) on are zero.
    #[must_use]
    pub fn first_row(&self, frame: FrameIndex) -> i64 {
        let (numerator, denominator) =
            (u128::from(self.frame_length.numerator()), u128::from(self.frame_length.denominator()));
        let per_second = u128::from(ROWS_PER_SECOND);
        let padding = (per_second * numerator).div_ceil(denominator) * u128::from(PADDING_FRAMES);
        let padded = u128::from(frame.0) * per_second * numerator / denominator;
        padded as i64 - padding as i64
    }

    /// Appends the tokens that a frame hears: 10 rows × 5 states × `width` values, the first row first.
    ///
    /// `row` answers the 5 × `width` values of a row below [`rows`](Self::rows), state 0 first.
    pub fn append<'a>(
        &self,
        frame: FrameIndex,
        width: usize,
        row: impl Fn(u64) -> &'a [f32],
        tokens: &mut Vec<f32>,
    ) {
        let first = self.first_row(frame);
        for index in first..first + WINDOW_ROWS as i64 {
            match u64::try_from(index) {
                Ok(index) if index < self.rows() => tokens.extend_from_slice(row(index)),
                _ => tokens.resize(tokens.len() + STATES * width, 0.0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_rate_does_not_drift() {
        let ntsc = Timebase::new(1001, 30_000).unwrap();
        let hour = 3600 * SAMPLE_RATE_HZ;
        let (exact, truncated) =
            (AudioWindows::new(hour, ntsc), AudioWindows::at_truncated_rate(hour, ntsc).unwrap());
        assert_eq!((exact.frames(), truncated.frames()), (107_892, 104_400));
        let last = FrameIndex(exact.frames() - 1);
        assert!(exact.rows().abs_diff(exact.first_row(last) as u64) < 10);
        assert!(AudioWindows::at_truncated_rate(hour, Timebase::new(2, 1).unwrap()).is_none());
    }

    #[test]
    fn the_longest_speech_does_not_overflow() {
        let windows = AudioWindows::new(u64::MAX / 50, Timebase::new(1, u32::MAX).unwrap());
        assert!(windows.frames() > 0 && windows.first_row(FrameIndex(u64::MAX)) > 0);
    }
}
