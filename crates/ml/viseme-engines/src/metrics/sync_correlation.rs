//! Our own measure of sync: how well the lips that are seen follow the lips that are heard, and how late they are.
//!
//! The opening of the mouth, from the landmarks, is correlated with the opening that the built-in speech net hears in the
//! speech, at every lag up to 0.6 s.

use crate::ExpectedMouth;
use serde::Serialize;

/// The step of the lags: a frame of 25 a second, as SyncNet's.
const STEP_S: f64 = 0.04;
/// Steps that are tried each way.
const MAX_STEPS: i32 = 15;
/// Lags that people do not notice (ITU-R BT.1359 finds 45 ms early and 125 ms late detectable): two steps.
const UNNOTICED_STEPS: i32 = 2;
/// How late people who are in sync are by this measure, for the net hears openings early: the mean over three sources
/// whose truth is known (seven clips of GRID, recorded in sync: 47 ms; `SyncNet`'s own example: 61 ms over its published
/// three frames; the rendered presenter of `demo/`: 3 ms).
const IN_SYNC_S: f64 = 0.037;
/// Fewer frames than this, one second of film, say nothing.
const LEAST_FRAMES: usize = 25;
/// Less voice than this, in seconds, says nothing.
const LEAST_VOICE_S: f64 = 0.5;
/// A mouth whose opening deviates less than this, in canonical units, does not move.
const LEAST_MOTION: f64 = 1e-3;

/// A mouth in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenMouth {
    /// The time of the frame in the speech, in seconds.
    pub time_s: f64,
    /// Its opening, in canonical units.
    pub opening: f32,
}

/// How well a mouth follows the speech.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SyncCorrelation {
    /// Correlation of the opening that is seen with the one that is heard, −1 to 1, as they lie. 0 for a mouth that
    /// does not move.
    pub correlation: f64,
    /// The greatest correlation at a lag that people do not notice, up to 80 ms.
    pub correlation_near: f64,
    /// The greatest correlation at any lag up to 600 ms.
    pub correlation_best: f64,
    /// How late the mouth is by that lag, below 0 early: the lag less that of people in sync, 37 ms. In milliseconds, between
    /// the 40 ms steps by a parabola.
    pub lag_ms: f64,
}

/// Correlates a mouth with a speech. None when there is less than a second of the mouth or half a second of voice.
#[must_use]
pub fn sync_correlation(mouth: &[SeenMouth], speech: &ExpectedMouth) -> Option<SyncCorrelation> {
    if speech.voiced_s() < LEAST_VOICE_S {
        return None;
    }
    let at = |steps: i32| correlation_at(mouth, speech, f64::from(steps) * STEP_S);
    let at_zero = at(0)?;
    let all: Vec<f64> = (-MAX_STEPS..=MAX_STEPS).map(|steps| at(steps).unwrap_or(-1.0)).collect();
    let middle = MAX_STEPS as usize;
    let near = all[middle - UNNOTICED_STEPS as usize..=middle + UNNOTICED_STEPS as usize].iter();
    // Of equal ones the lag nearest to none.
    let distance = |i: usize| i.abs_diff(middle);
    let best = (0..all.len()).fold(middle, |best, i| {
        if all[i] > all[best] || (all[i] >= all[best] && distance(i) < distance(best)) { i } else { best }
    });
    let lag_s = (best as f64 - f64::from(MAX_STEPS) + peak_between(&all, best)) * STEP_S;
    Some(SyncCorrelation {
        correlation: at_zero,
        correlation_near: near.copied().fold(-1.0, f64::max),
        correlation_best: all[best],
        lag_ms: (lag_s - IN_SYNC_S) * 1000.0,
    })
}

/// Correlation with the speech as it is heard `lag_s` later: above 0 undoes a late mouth.
fn correlation_at(mouth: &[SeenMouth], speech: &ExpectedMouth, lag_s: f64) -> Option<f64> {
    let (mut count, mut sums) = (0_usize, [0.0_f64; 5]);
    for seen in mouth {
        let Some(heard) = speech.opening(seen.time_s - lag_s) else { continue };
        let (a, b) = (f64::from(seen.opening), f64::from(heard));
        for (sum, value) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
            *sum += value;
        }
        count += 1;
    }
    let [a, b, aa, bb, ab] = sums.map(|sum| sum / count as f64);
    let (var_a, var_b) = (aa - a * a, bb - b * b);
    match count {
        0..LEAST_FRAMES => None,
        _ if var_a < LEAST_MOTION * LEAST_MOTION || var_b <= f64::EPSILON => Some(0.0),
        _ => Some(((ab - a * b) / (var_a * var_b).sqrt()).clamp(-1.0, 1.0)),
    }
}

/// How far the top of the parabola through a peak and its neighbours is from the peak, −0.5 to 0.5 steps.
fn peak_between(values: &[f64], peak: usize) -> f64 {
    let (Some(before), Some(after)) = (peak.checked_sub(1).map(|i| values[i]), values.get(peak + 1)) else {
        return 0.0;
    };
    let bend = before - 2.0 * values[peak] + after;
    if bend < -1e-9 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A speech of four seconds whose openings do not repeat.
    fn speech() -> ExpectedMouth {
        let at = |i: usize| (i as f32 * 0.11).sin() + (i as f32 * 0.047).sin() + 2.0;
        ExpectedMouth::new((0..400).map(at).collect(), 4.0)
    }

    /// A mouth that opens `late_s` after the speech asks for it, 25 frames a second.
    fn mouth(late_s: f64) -> Vec<SeenMouth> {
        let speech = speech();
        let seen = |i: u32| {
            let time_s = f64::from(i) * 0.04;
            let opening = 0.1 + 0.05 * speech.opening(time_s - late_s)?;
            Some(SeenMouth { time_s, opening })
        };
        (0..100).filter_map(seen).collect()
    }

    #[test]
    fn the_lag_of_the_mouth_is_found_with_its_sign() {
        for late_ms in [-400.0, -200.0, -50.0, 0.0, 30.0, 200.0, 400.0] {
            let found = sync_correlation(&mouth(IN_SYNC_S + late_ms / 1000.0), &speech()).unwrap();
            assert!((found.lag_ms - late_ms).abs() < 8.0, "{} instead of {late_ms}", found.lag_ms);
            assert!(found.correlation_best > 0.98 && found.correlation <= found.correlation_near);
        }
        let near = sync_correlation(&mouth(0.06), &speech()).unwrap();
        let far = sync_correlation(&mouth(0.3), &speech()).unwrap();
        assert!(near.correlation_near > 0.97 && far.correlation_near < 0.8);
    }

    #[test]
    fn what_says_nothing_is_not_measured() {
        assert_eq!(sync_correlation(&mouth(0.0)[..20], &speech()), None);
        assert_eq!(sync_correlation(&mouth(0.0), &ExpectedMouth::new(vec![0.0; 400], 0.0)), None);
        assert_eq!(sync_correlation(&[], &speech()), None);
    }

    #[test]
    fn a_mouth_that_does_not_move_does_not_follow() {
        let still: Vec<SeenMouth> = mouth(0.0).iter().map(|m| SeenMouth { opening: 0.02, ..*m }).collect();
        let found = sync_correlation(&still, &speech()).unwrap();
        assert!(found.correlation.abs() < 1e-12 && (found.lag_ms + IN_SYNC_S * 1000.0).abs() < 1e-9);
    }
}
