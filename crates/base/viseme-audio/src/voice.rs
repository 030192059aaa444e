//! Where in a sound there is voice, told from its log-mel frames: what rises above the noise for long enough and is not
//! itself shaped like noise.
//!
//! Made for letting a mouth rest in pauses: weak speech is kept rather than missed, pauses of 150 ms and more are found.
//! Music and other sounds that change as speech does count as voice.

use crate::mel::{BANDS, FRAMES_PER_SECOND, MelFrame};
use std::collections::VecDeque;
use std::ops::Range;

// The thresholds below were set on 16 recordings (3.4 minutes of many voices, quiet and noisy) against Silero VAD 5 at a
// probability of 0.5.

/// The bands whose rise above the noise counts: 100 to 5200 Hz.
const BANDS_OF_SPEECH: Range<usize> = 1..32;

/// Frames over which a band is averaged …
const SMOOTHING: usize = 5;
/// … and over which it is averaged before its least value is taken for the noise, in frames around.
const NOISE_SMOOTHING: usize = 11;
const NOISE_REACH: usize = 200;
/// The mean of noise is that much above the least of its averages, in nepers of power.
const NOISE_BIAS: f32 = 0.3;
/// Noise below this, in nepers of power, is not heard: 16-bit dither is at −13.8.
const LEAST_NOISE: f32 = -12.0;
/// A band counts at most this much, in nepers of power: one loud tone is no voice.
const BAND_CAP: f32 = 6.0;

/// Voice goes on while the mean rise over the bands is above this …
const KEEP_ABOVE: f32 = 0.9;
/// … if it was above this …
const START_ABOVE: f32 = 2.0;
/// … in so many frames …
const START_FRAMES: usize = 5;
/// … in which the low bands (165 to 1070 Hz) are not further below the high ones (3600 to 7600 Hz), in nepers of power.
/// White noise, after pre-emphasis, is at −5.7; most vowels are above −3.
const LEAST_TILT: f32 = -3.5;
const LOW_BANDS: Range<usize> = 2..14;
const HIGH_BANDS: Range<usize> = 28..40;

/// Shorter runs are clicks.
const SHORTEST_VOICE: usize = 6;
/// Shorter gaps are the closures of stops.
const SHORTEST_PAUSE: usize = 10;
/// Frames added before and after each run.
const LEAD_IN: usize = 3;
const HANG_OVER: usize = 6;

/// A stretch of voice, in seconds from the start of the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoiceSegment {
    /// Where it starts.
    pub start_s: f64,
    /// Where it ends.
    pub end_s: f64,
}

/// Whether there is voice in each frame of a whole sound.
#[must_use]
pub fn detect_voice(frames: &[MelFrame]) -> Vec<bool> {
    let rise = rise_above_noise(frames);
    let tilt = tilt(frames);
    let mut voice = vec![false; frames.len()];
    for run in runs(rise.iter().map(|&rise| rise > KEEP_ABOVE)) {
        let strong = run.clone().filter(|&k| rise[k] > START_ABOVE && tilt[k] > LEAST_TILT).count();
        if run.len() >= SHORTEST_VOICE && strong >= START_FRAMES {
            voice[run].fill(true);
        }
    }
    let gaps: Vec<_> = runs(voice.iter().map(|voice| !voice)).collect();
    for gap in gaps {
        let outer = gap.start == 0 || gap.end == voice.len();
        if gap.len() <= SHORTEST_PAUSE && !outer {
            voice[gap].fill(true);
        }
    }
    let stretches: Vec<_> = runs(voice.iter().copied()).collect();
    for run in stretches {
        let end = (run.end + HANG_OVER).min(voice.len());
        voice[run.start.saturating_sub(LEAD_IN)..end].fill(true);
    }
    voice
}

/// The stretches of voice among the frames that [`detect_voice`] answers.
#[must_use]
pub fn voice_segments(voice: &[bool]) -> Vec<VoiceSegment> {
    let seconds = |frame: usize| frame as f64 / FRAMES_PER_SECOND;
    runs(voice.iter().copied())
        .map(|run| VoiceSegment { start_s: seconds(run.start), end_s: seconds(run.end) })
        .collect()
}

/// How far each frame is above the noise around it: the mean over the bands of speech, in nepers of power.
fn rise_above_noise(frames: &[MelFrame]) -> Vec<f32> {
    let mut rise = vec![0.0; frames.len()];
    for band in BANDS_OF_SPEECH {
        let values: Vec<f32> = frames.iter().map(|frame| frame[band]).collect();
        let noise = moving_minimum(&moving_mean(&values, NOISE_SMOOTHING), NOISE_REACH);
        for ((rise, value), noise) in rise.iter_mut().zip(moving_mean(&values, SMOOTHING)).zip(noise) {
            let above = value - (noise + NOISE_BIAS).max(LEAST_NOISE);
            *rise += above.clamp(0.0, BAND_CAP) / BANDS_OF_SPEECH.len() as f32;
        }
    }
    rise
}

/// How far the low bands of each frame are above the high ones, in nepers of power.
fn tilt(frames: &[MelFrame]) -> Vec<f32> {
    let mean = |frame: &MelFrame, bands: Range<usize>| {
        let count = bands.len() as f32;
        frame[bands].iter().sum::<f32>() / count
    };
    const { assert!(HIGH_BANDS.end == BANDS) };
    frames.iter().map(|frame| mean(frame, LOW_BANDS) - mean(frame, HIGH_BANDS)).collect()
}

/// Means over `length` (odd) values around each, the ends repeated.
fn moving_mean(values: &[f32], length: usize) -> Vec<f32> {
    let (Some(last), half) = (values.len().checked_sub(1), length / 2) else { return Vec::new() };
    (0..values.len())
        .map(|k| {
            let around = (k..k + length).map(|i| values[i.saturating_sub(half).min(last)]);
            around.sum::<f32>() / length as f32
        })
        .collect()
}

/// The least value within `reach` of each.
fn moving_minimum(values: &[f32], reach: usize) -> Vec<f32> {
    // Indices of values that are less than all after them, oldest first.
    let mut rising: VecDeque<usize> = VecDeque::new();
    let mut entered = 0;
    (0..values.len())
        .map(|k| {
            while entered < (k + reach + 1).min(values.len()) {
                while rising.back().is_some_and(|&i| values[i] >= values[entered]) {
                    rising.pop_back();
                }
                rising.push_back(entered);
                entered += 1;
            }
            while rising.front().is_some_and(|&i| i + reach < k) {
                rising.pop_front();
            }
            rising.front().map_or(values[k], |&i| values[i])
        })
        .collect()
}

/// The maximal runs of `true`.
fn runs(flags: impl Iterator<Item = bool>) -> impl Iterator<Item = Range<usize>> {
    let mut start = None;
    flags.chain(std::iter::once(false)).enumerate().filter_map(move |(k, flag)| {
        if flag {
            start.get_or_insert(k);
            return None;
        }
        start.take().map(|first| first..k)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mel::LogMel;
    use std::f32::consts::TAU;

    const RATE: usize = 16_000;

    fn voice_of(samples: &[f32]) -> Vec<bool> {
        let (mut mel, mut frames) = (LogMel::new(), Vec::new());
        mel.push(samples, &mut frames);
        mel.finish(&mut frames);
        detect_voice(&frames)
    }

    fn noise(seconds: f32, amplitude: f32) -> Vec<f32> {
        let mut state = 1_u32;
        (0..(seconds * RATE as f32) as usize)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32 * amplitude
            })
            .collect()
    }

    fn hum(seconds: f32) -> Vec<f32> {
        (0..(seconds * RATE as f32) as usize)
            .map(|i| {
                let t = i as f32 / RATE as f32;
                [1.0, 2.0, 3.0, 5.0, 7.0].iter().map(|k| 0.05 / k * (TAU * 50.0 * k * t).sin()).sum()
            })
            .collect()
    }

    /// A vowel of 120 Hz whose loudness goes up and down four times a second, as syllables do.
    fn babble(seconds: f32, amplitude: f32) -> Vec<f32> {
        (0..(seconds * RATE as f32) as usize)
            .map(|i| {
                let t = i as f32 / RATE as f32;
                let tone: f32 = (1..30)
                    .map(|k| {
                        let hz = 120.0 * k as f32;
                        let formants = (-((hz - 600.0) / 250.0).powi(2)).exp()
                            + 0.4 * (-((hz - 1800.0) / 400.0).powi(2)).exp();
                        formants * (TAU * hz * t).sin()
                    })
                    .sum();
                amplitude * tone * (0.1 + (TAU * 2.0 * t).sin().abs())
            })
            .collect()
    }

    #[test]
    fn silence_noise_and_hum_have_no_voice() {
        let silence = vec![0.0; RATE * 3];
        let burst = [silence.clone(), noise(1.0, 0.2), silence.clone()].concat();
        let hum_and_noise: Vec<f32> = hum(4.0).iter().zip(noise(4.0, 0.01)).map(|(a, b)| a + b).collect();
        for sound in [silence, noise(4.0, 0.5), noise(4.0, 0.002), hum(4.0), hum_and_noise, burst, Vec::new()]
        {
            assert!(!voice_of(&sound).contains(&true), "{} samples", sound.len());
        }
    }

    #[test]
    fn speech_is_found_between_pauses_even_in_noise() {
        for level in [0.0, 0.003] {
            let mut sound = vec![0.0; RATE];
            sound.extend(babble(1.5, 0.1));
            sound.extend(vec![0.0; RATE / 4]);
            sound.extend(babble(1.5, 0.03));
            sound.extend(vec![0.0; RATE]);
            for (sample, noise) in sound.iter_mut().zip(noise(6.0, level)) {
                *sample += noise;
            }
            let segments = voice_segments(&voice_of(&sound));
            assert_eq!(segments.len(), 2, "{segments:?}");
            for (segment, (start_s, end_s)) in segments.iter().zip([(1.0, 2.5), (2.75, 4.25)]) {
                assert!((segment.start_s - start_s).abs() < 0.12, "{segment:?}");
                assert!((segment.end_s - end_s).abs() < 0.17, "{segment:?}");
            }
        }
    }

    #[test]
    fn the_moving_minimum_is_that_of_the_definition() {
        let values = noise(0.02, 1.0);
        for reach in [0, 1, 7, 400] {
            let expected: Vec<f32> = (0..values.len())
                .map(|k| {
                    let around = &values[k.saturating_sub(reach)..(k + reach + 1).min(values.len())];
                    around.iter().copied().fold(f32::INFINITY, f32::min)
                })
                .collect();
            assert_eq!(moving_minimum(&values, reach), expected);
        }
    }
}
