//! When each source frame is shown.

use serde::{Deserialize, Serialize};
use viseme_core::{Pts, Timebase};

/// The length that the frame of a picture, or of a video with one frame and no duration, is shown for: 1/25 s.
const LONE_FRAME_S: f64 = 0.04;

/// The presentation times of the frames of a clip, counted from its first frame. Times never run backwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameTimes {
    timebase: Timebase,
    /// Start of each frame in ticks from the start of the first.
    starts: Vec<i64>,
    /// Time of the first frame in its stream.
    origin: Pts,
    /// How long the last frame is shown, in ticks, when the stream says.
    last_duration: Option<i64>,
}

impl FrameTimes {
    /// A clip without frames.
    #[must_use]
    pub fn new(timebase: Timebase) -> Self {
        Self { timebase, starts: Vec::new(), origin: Pts(0), last_duration: None }
    }

    /// Adds the time of the next frame.
    ///
    /// A damaged stream may repeat a time or jump back; such a frame is shown one tick after the one before it.
    pub fn push(&mut self, pts: Pts) {
        match self.starts.last() {
            None => {
                self.origin = pts;
                self.starts.push(0);
            }
            Some(&last) => self.starts.push((pts.0 - self.origin.0).max(last + 1)),
        }
    }

    /// Says how long the last frame is shown, in ticks. Without it, it is shown as long as the frame before it.
    pub fn set_last_duration(&mut self, ticks: i64) {
        self.last_duration = (ticks > 0).then_some(ticks);
    }

    /// The ticks of all times.
    #[must_use]
    pub fn timebase(&self) -> Timebase {
        self.timebase
    }

    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Time of the first frame in its stream.
    #[must_use]
    pub fn origin(&self) -> Pts {
        self.origin
    }

    /// Start of frame `index` in ticks from the first frame; from the end of the clip on, its end.
    #[must_use]
    pub fn start(&self, index: usize) -> i64 {
        self.starts.get(index).copied().unwrap_or_else(|| self.end())
    }

    /// End of the last frame in ticks from the first frame; 0 without frames.
    #[must_use]
    pub fn end(&self) -> i64 {
        let Some(&last) = self.starts.last() else { return 0 };
        let before = self.starts.len().checked_sub(2).map(|index| last - self.starts[index]);
        last + self.last_duration.or(before).unwrap_or_else(|| self.timebase.nearest(LONE_FRAME_S).0.max(1))
    }

    /// Length of the clip in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.seconds(self.end())
    }

    /// The frame that is shown at a moment, in ticks from the first frame; the last one from the end of the clip on.
    #[must_use]
    pub fn frame_at(&self, ticks: i64) -> usize {
        self.starts.partition_point(|&start| start <= ticks).clamp(1, self.len().max(1)) - 1
    }

    /// How long `frames` frames of mean length are shown, in ticks, rounded to nearest; 0 of a clip without frames.
    #[must_use]
    pub fn mean_ticks(&self, frames: usize) -> i64 {
        let count = self.len().max(1) as i128;
        ((2 * frames as i128 * i128::from(self.end()) + count) / (2 * count)) as i64
    }

    /// Ticks to seconds.
    #[must_use]
    pub fn seconds(&self, ticks: i64) -> f64 {
        self.timebase.seconds(Pts(ticks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_start_at_zero_and_never_run_backwards() {
        let mut times = FrameTimes::new(Timebase::new(1, 1000).unwrap());
        for pts in [500, 540, 540, 530, 620] {
            times.push(Pts(pts));
        }
        let starts: Vec<i64> = (0..6).map(|index| times.start(index)).collect();
        assert_eq!(starts, [0, 40, 41, 42, 120, 198]);
        times.set_last_duration(10);
        assert_eq!(times.end(), 130);
    }

    #[test]
    fn frames_are_found_by_their_times() {
        let mut times = FrameTimes::new(Timebase::new(1, 1000).unwrap());
        for pts in [0, 33, 67, 100] {
            times.push(Pts(pts));
        }
        let found: Vec<_> =
            [-5, 0, 32, 33, 99, 100, 900].into_iter().map(|ticks| times.frame_at(ticks)).collect();
        assert_eq!(found, [0, 0, 0, 1, 2, 3, 3]);
        let means: Vec<_> = [0, 1, 2, 4, 8].into_iter().map(|frames| times.mean_ticks(frames)).collect();
        assert_eq!(means, [0, 33, 67, 133, 266]);
    }

    #[test]
    fn a_lone_frame_has_a_length() {
        let mut times = FrameTimes::new(Timebase::new(1, 25).unwrap());
        assert_eq!(times.end(), 0);
        times.push(Pts(7));
        assert_eq!(times.end(), 1);
    }
}
