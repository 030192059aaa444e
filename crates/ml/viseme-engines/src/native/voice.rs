//! Where in the sound there is voice: in the pauses the lips close and rest.

use super::features::FRAMES_PER_SECOND;

/// A frame this many nepers of power (28 dB) below loud speech is no speech …
const QUIET_BELOW_PEAK: f32 = 6.5;
/// … nor one this near to the noise between the words, as a share of the way up to loud speech …
const ABOVE_FLOOR: f32 = 0.35;
/// … but this far below the peak (15 dB) always is.
const LOUD_BELOW_PEAK: f32 = 3.5;
/// The noise floor: this share of all frames is quieter.
const FLOOR_SHARE: f32 = 0.10;

/// Shorter silences belong to speech: the closure of a stop lasts up to 150 ms.
const SHORTEST_PAUSE_S: f64 = 0.18;
/// The lips stay as they were for so long after the voice ends, …
const HANG_OVER_S: f64 = 0.04;
/// … begin to part so long before it starts, …
const ANTICIPATION_S: f64 = 0.12;
/// … and take this long for either.
const EASE_S: f64 = 0.08;

/// How much the mouth follows the speech: 1 in speech, 0 in pauses, with eased edges.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct VoiceGate {
    /// 100 values per second.
    values: Vec<f32>,
    voiced_frames: usize,
}

impl VoiceGate {
    /// Reads the pauses off the levels of the frames, given the level of loud speech; `sorted` are the levels sorted.
    pub(super) fn new(levels: &[f32], peak: Option<f32>) -> Self {
        let Some(peak) = peak else {
            return Self { values: vec![0.0; levels.len()], voiced_frames: 0 };
        };
        let mut sorted = levels.to_vec();
        sorted.sort_by(f32::total_cmp);
        let floor = super::features::quantile(&sorted, FLOOR_SHARE);
        let threshold =
            (peak - QUIET_BELOW_PEAK).max(floor + ABOVE_FLOOR * (peak - floor)).min(peak - LOUD_BELOW_PEAK);
        let voiced: Vec<bool> = levels.iter().map(|&level| level >= threshold).collect();
        let mut values = vec![1.0_f32; levels.len()];
        let mut voiced_frames = levels.len();
        for (start, end) in pauses(&voiced) {
            voiced_frames -= end - start;
            lower(&mut values, start, end);
        }
        Self { values, voiced_frames }
    }

    /// The gate at a moment of the speech; before its start and after its end the mouth rests.
    pub(super) fn at(&self, seconds: f64) -> f32 {
        let position = seconds * FRAMES_PER_SECOND;
        if position < 0.0 {
            return 0.0;
        }
        let index = position as usize;
        let value = |i: usize| self.values.get(i).copied().unwrap_or(0.0);
        value(index) + (value(index + 1) - value(index)) * (position - index as f64) as f32
    }

    /// Seconds of voice.
    pub(super) fn voiced_s(&self) -> f64 {
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
    fn levels() -> Vec<f32> {
        let mut levels = vec![-13.0; 200];
        levels[50..150].fill(-2.0);
        levels[90..100].fill(-12.0);
        levels
    }

    #[test]
    fn the_gate_is_shut_in_pauses_and_open_through_stops() {
        let gate = VoiceGate::new(&levels(), Some(-2.0));
        assert!(gate.at(0.2).abs() < 1e-6 && gate.at(1.8).abs() < 1e-6 && gate.at(-1.0).abs() < 1e-6);
        assert!((0..100).all(|i| (gate.at(0.5 + f64::from(i) * 0.0099) - 1.0).abs() < 1e-6));
        assert!((gate.voiced_s() - 1.0).abs() < 0.011);
    }

    #[test]
    fn the_lips_part_before_the_voice_and_close_within_150_ms_of_its_end() {
        let gate = VoiceGate::new(&levels(), Some(-2.0));
        assert!(gate.at(0.46) > 0.5 && gate.at(0.35) < 0.01);
        assert!(gate.at(1.65) < 0.01);
    }

    #[test]
    fn silence_leaves_the_mouth_at_rest() {
        let gate = VoiceGate::new(&[-13.8; 30], None);
        assert!((0..40).all(|i| gate.at(f64::from(i) * 0.01) == 0.0));
    }
}
