//! Where in the sound there is voice: in the pauses the lips close and rest.

use std::ops::Range;
use viseme_audio::detect_voice;
use viseme_audio::mel::{FRAMES_PER_SECOND, MelFrame, SAMPLE_RATE_HZ};

/// Shorter silences belong to speech: the closure of a stop lasts up to 150 ms.
const SHORTEST_PAUSE_S: f64 = 0.18;
/// The lips stay as they were for so long after the voice ends, …
const HANG_OVER_S: f64 = 0.0;
/// … begin to part so long before it starts, …
const ANTICIPATION_S: f64 = 0.10;
/// … and take this long for either.
const EASE_S: f64 = 0.08;

/// Frames next to a rest that hear a part of it.
const MARGIN_FRAMES: usize = 1;

/// When nobody speaks a voice: before, between and after its lines. It is silent there and belongs to no recording: what is
/// measured over one, its noise and its range, leaves the rests out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rests {
    /// In samples at 16 kHz, ascending and apart.
    ranges: Vec<Range<u64>>,
}

impl Rests {
    /// Adds a rest, in samples at 16 kHz from the start of the voice, after all that were added before.
    pub fn add(&mut self, samples: Range<u64>) {
        match self.ranges.last_mut() {
            Some(last) if samples.start <= last.end => last.end = last.end.max(samples.end),
            _ if samples.is_empty() => {}
            _ => self.ranges.push(samples),
        }
    }

    /// What lies between the rests, of a voice of `frames` log-mel frames.
    pub(crate) fn recordings(&self, frames: usize) -> Vec<Range<usize>> {
        let frame =
            |sample: u64| (sample as f64 * FRAMES_PER_SECOND / f64::from(SAMPLE_RATE_HZ)).round() as usize;
        let mut recordings = Vec::new();
        let mut start = 0;
        for rest in &self.ranges {
            let before = frame(rest.start).saturating_sub(MARGIN_FRAMES).min(frames);
            if start < before {
                recordings.push(start..before);
            }
            start = frame(rest.end) + MARGIN_FRAMES;
        }
        if start < frames {
            recordings.push(start..frames);
        }
        recordings
    }
}

/// Gives silence of so many samples to `hear`, a part at a time.
pub fn silence(samples: u64, mut hear: impl FnMut(&[f32])) {
    const PART: [f32; 4096] = [0.0; 4096];
    let mut left = samples;
    while left > 0 {
        let part = left.min(PART.len() as u64);
        hear(&PART[..part as usize]);
        left -= part;
    }
}

/// How much the mouth follows the speech: 1 in speech, 0 in pauses, with eased edges.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VoiceGate {
    /// 100 values per second.
    values: Vec<f32>,
    voiced_frames: usize,
}

impl VoiceGate {
    /// Finds the pauses of a whole voice, in each of its recordings by itself.
    pub(crate) fn new(frames: &[MelFrame], rests: &Rests) -> Self {
        let mut voiced = vec![false; frames.len()];
        for recording in rests.recordings(frames.len()) {
            voiced[recording.clone()].copy_from_slice(&detect_voice(&frames[recording]));
        }
        Self::of_voice(&voiced)
    }

    /// Eases the lips at the ends of the pauses; `voiced` says of each frame whether there is voice in it.
    fn of_voice(voiced: &[bool]) -> Self {
        let mut values = vec![1.0_f32; voiced.len()];
        let mut voiced_frames = voiced.len();
        for (start, end) in pauses(voiced) {
            voiced_frames -= end - start;
            lower(&mut values, start, end);
        }
        Self { values, voiced_frames }
    }

    /// The gate at a moment of the speech; before its start and after its end the mouth rests.
    pub(crate) fn at(&self, seconds: f64) -> f32 {
        let position = seconds * FRAMES_PER_SECOND;
        if position < 0.0 {
            return 0.0;
        }
        let index = position as usize;
        let value = |i: usize| self.values.get(i).copied().unwrap_or(0.0);
        value(index) + (value(index + 1) - value(index)) * (position - index as f64) as f32
    }

    /// Seconds of voice.
    pub(crate) fn voiced_s(&self) -> f64 {
        self.voiced_frames as f64 / FRAMES_PER_SECOND
    }
}

/// Runs of silence that are long enough, as (first, one after last).
fn pauses(voiced: &[bool]) -> Vec<(usize, usize)> {
    let shortest = (SHORTEST_PAUSE_S * FRAMES_PER_SECOND) as usize;
    let mut runs = Vec::new();
    let mut start = None;
    for (i, &voice) in voiced.iter().chain(std::iter::once(&true)).enumerate() {
        match (voice, start) {
            (false, None) => start = Some(i),
            (true, Some(first)) => {
                if i - first >= shortest || first == 0 || i == voiced.len() {
                    runs.push((first, i));
                }
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// Lowers the gate in one pause, eased by half a cosine at the ends that border on speech.
fn lower(values: &mut [f32], start: usize, end: usize) {
    let last = values.len();
    let seconds = |frames: usize| frames as f64 / FRAMES_PER_SECOND;
    let eased = |x: f64| 0.5 - 0.5 * (std::f64::consts::PI * x.clamp(0.0, 1.0)).cos();
    for (i, value) in values.iter_mut().enumerate().take(end).skip(start) {
        let falling = if start == 0 { 1.0 } else { eased((seconds(i - start) - HANG_OVER_S) / EASE_S) };
        let until = seconds(end - i);
        let rising = if end == last { 1.0 } else { eased((until - (ANTICIPATION_S - EASE_S)) / EASE_S) };
        *value = (1.0 - falling.min(rising)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of silence, one of speech with a stop of 100 ms in it, half a second of silence.
    fn voiced() -> Vec<bool> {
        (0..200).map(|i| (50..150).contains(&i) && !(90..100).contains(&i)).collect()
    }

    #[test]
    fn the_gate_is_shut_in_pauses_and_open_through_stops() {
        let gate = VoiceGate::of_voice(&voiced());
        assert!(gate.at(0.2).abs() < 1e-6 && gate.at(1.8).abs() < 1e-6 && gate.at(-1.0).abs() < 1e-6);
        assert!((0..100).all(|i| (gate.at(0.5 + f64::from(i) * 0.0099) - 1.0).abs() < 1e-6));
        assert!((gate.voiced_s() - 1.0).abs() < 0.011);
    }

    #[test]
    fn the_lips_part_before_the_voice_and_close_within_150_ms_of_its_end() {
        let gate = VoiceGate::of_voice(&voiced());
        assert!(gate.at(0.46) > 0.5 && gate.at(0.35) < 0.01);
        assert!(gate.at(1.65) < 0.01);
    }

    #[test]
    fn recordings_are_what_lies_between_rests() {
        // As (start, end).
        let recordings = |rests: &[(u64, u64)]| -> Vec<(usize, usize)> {
            let mut all = Rests::default();
            for &(start, end) in rests {
                all.add(start..end);
            }
            all.recordings(1000).into_iter().map(|recording| (recording.start, recording.end)).collect()
        };
        assert_eq!(recordings(&[]), [(0, 1000)]);
        assert_eq!(recordings(&[(0, 16_000), (32_000, 40_000), (40_000, 48_000)]), [(101, 199), (301, 1000)]);
        assert_eq!(recordings(&[(0, 8000), (8000, 8000), (100_000, 999_999_999)]), [(51, 624)]);
        assert!(recordings(&[(0, 200_000)]).is_empty());
    }

    #[test]
    fn silence_leaves_the_mouth_at_rest() {
        let gate = VoiceGate::of_voice(&[false; 30]);
        assert!((0..40).all(|i| gate.at(f64::from(i) * 0.01) == 0.0));
    }
}
