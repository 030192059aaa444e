//! Picture and sound 25 times a second, as nets that compare the two see and hear them.

use crate::times::FrameTimes;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::Result;
use viseme_media::AudioReader;

/// Ticks per second: what such nets were trained at.
const TICKS_PER_SECOND: f64 = 25.0;

/// The ticks that a video is seen at.
#[derive(Debug)]
pub(crate) struct Ticks<'a> {
    times: &'a FrameTimes,
}

impl<'a> Ticks<'a> {
    /// Those of a video whose frames have these times.
    pub(crate) fn new(times: &'a FrameTimes) -> Self {
        Self { times }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        (self.times.seconds(self.times.end()) * TICKS_PER_SECOND).round() as u64
    }

    /// The source frame that is shown at one of them: the last whose time, rounded to a 25th, is not later. So does
    /// ffmpeg's `fps` filter.
    pub(crate) fn source(&self, tick: u64) -> u64 {
        let is_later = |frame: usize| self.position(frame) + 0.5 >= tick as f64 + 1.0;
        let (mut low, mut high) = (0, self.times.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_later(middle) { high = middle } else { low = middle + 1 }
        }
        low.saturating_sub(1) as u64
    }

    /// The tick during which a source frame is first shown.
    pub(crate) fn of_source(&self, frame: u64) -> u64 {
        self.position(frame as usize) as u64
    }

    fn position(&self, frame: usize) -> f64 {
        self.times.seconds(self.times.start(frame)) * TICKS_PER_SECOND
    }
}

/// Samples in pieces of any size.
pub(crate) struct Samples {
    reader: AudioReader,
    pending: Vec<f32>,
}

impl Samples {
    /// Goes to the moment `lead_s` of a sound of 16 kHz; before its start it is silent.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub(crate) fn open(reader: AudioReader, lead_s: f64) -> Result<Self> {
        let lead = (lead_s * f64::from(SAMPLE_RATE_HZ)).round();
        let mut samples = Self { reader, pending: vec![0.0; (-lead).max(0.0) as usize] };
        let mut left = lead.max(0.0) as usize;
        while left > 0 {
            let skipped = samples.take(left.min(SAMPLE_RATE_HZ as usize))?.len();
            if skipped == 0 {
                break;
            }
            left -= skipped;
        }
        Ok(samples)
    }

    /// The next `count` samples; fewer at the end.
    ///
    /// # Errors
    /// When they cannot be decoded.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<f32>> {
        while self.pending.len() < count {
            let Some(chunk) = self.reader.next_chunk()? else { break };
            self.pending.extend(chunk);
        }
        Ok(self.pending.drain(..count.min(self.pending.len())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::{Pts, Timebase};

    #[test]
    fn ticks_find_the_frame_that_is_shown() {
        let mut times = FrameTimes::new(Timebase::new(1, 50).unwrap());
        (10..20).for_each(|tick| times.push(Pts(tick)));
        let ticks = Ticks::new(&times);
        assert_eq!(ticks.len(), 5);
        for tick in 0..ticks.len() {
            assert!(ticks.of_source(ticks.source(tick)).abs_diff(tick) <= 1);
        }
        assert_eq!((ticks.of_source(0), ticks.of_source(9)), (0, 4));
    }
}
