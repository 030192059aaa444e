//! How the motion of a mouth goes with a sound, moment by moment. Pure functions of values 25 times a second.

/// How far a window reaches to both sides, in ticks: over a second, so that it holds a few syllables.
const REACH: usize = 30;
/// Lips are up to 40 ms before the sound and up to 120 ms after it: speech has both, and so do films.
const LAGS: std::ops::RangeInclusive<i32> = -1..=3;
/// What is added to the variance of a mouth's opening, in canonical units, so that the trembling of landmarks on a mouth at
/// rest goes with nothing: its deviation is about 0.02.
const MOUTH_NOISE: f32 = 4e-4;
/// The same for the opening that the sound asks for.
const SOUND_NOISE: f32 = 1e-3;

/// How far the windows reach in which the motion of mouths is compared.
const MOTION_REACH: usize = 12;
/// What is added to the motion of a mouth, in canonical units a tick.
const LEAST_MOTION: f32 = 1.5e-3;

/// The opening of a mouth without most of the trembling of its landmarks.
pub(super) fn steady(openings: &[f32]) -> Vec<f32> {
    let weights = window(2);
    (0..openings.len()).map(|tick| mean(openings, tick, &weights)).collect()
}

/// How well openings that are seen go with those that a sound asks for, at each tick: their correlation in a window around it,
/// at the best lag; near 0 for a mouth at rest and for silence. `asked` gives the opening at a tick, also before the first.
pub(super) fn agreement(seen: &[f32], asked: &dyn Fn(i64) -> f32) -> Vec<f32> {
    let weights = window(REACH);
    let mut best = vec![-1.0_f32; seen.len()];
    for lag in LAGS {
        let heard: Vec<f32> = (0..seen.len() as i64).map(|tick| asked(tick - i64::from(lag))).collect();
        for (tick, best) in best.iter_mut().enumerate() {
            *best = best.max(correlation(seen, &heard, tick, &weights));
        }
    }
    best
}

/// How much a mouth moves around each tick, in canonical units a tick.
pub(super) fn motion(openings: &[f32]) -> Vec<f32> {
    let at = |tick: usize| openings[tick.min(openings.len() - 1)];
    let steps: Vec<f32> =
        (0..openings.len()).map(|tick| (at(tick + 1) - at(tick.saturating_sub(1))).abs() / 2.0).collect();
    let weights = window(MOTION_REACH);
    (0..steps.len()).map(|tick| mean(&steps, tick, &weights) + LEAST_MOTION).collect()
}

/// Half a window, from its middle to its end: a Hann window that ends beyond `reach`.
fn window(reach: usize) -> Vec<f32> {
    let at = |distance: usize| {
        let share = distance as f32 / (reach + 1) as f32;
        0.5 + 0.5 * (std::f32::consts::PI * share).cos()
    };
    (0..=reach).map(at).collect()
}

/// The values around a tick with their weights.
fn around<'a>(
    values: &'a [f32],
    tick: usize,
    weights: &'a [f32],
) -> impl Iterator<Item = (usize, f32, f32)> + 'a {
    let from = tick.saturating_sub(weights.len() - 1);
    let to = (tick + weights.len()).min(values.len());
    (from..to).map(move |other| (other, values[other], weights[tick.abs_diff(other)]))
}

fn mean(values: &[f32], tick: usize, weights: &[f32]) -> f32 {
    let (mut sum, mut all) = (0.0, 0.0);
    for (_, value, weight) in around(values, tick, weights) {
        sum += weight * value;
        all += weight;
    }
    sum / all
}

fn correlation(a: &[f32], b: &[f32], tick: usize, weights: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 6];
    for (other, a, weight) in around(a, tick, weights) {
        let b = b[other];
        for (sum, value) in sums.iter_mut().zip([1.0, a, b, a * a, b * b, a * b]) {
            *sum += weight * value;
        }
    }
    let [all, a, b, aa, bb, ab] = sums;
    let [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map(|sum| sum / all);
    let (var_a, var_b) = ((aa - a * a).max(0.0), (bb - b * b).max(0.0));
    ((ab - a * b) / ((var_a + MOUTH_NOISE) * (var_b + SOUND_NOISE)).sqrt()).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Openings that do not repeat within the reach of a window.
    fn asked(tick: i64) -> f32 {
        let t = tick as f32;
        0.5 + 0.3 * (t * 0.71).sin() + 0.2 * (t * 1.37).sin()
    }

    #[test]
    fn a_mouth_that_speaks_agrees_and_others_do_not() {
        let mouth = |late: i64| -> Vec<f32> { (0..150).map(|tick| 0.2 * asked(tick - late)).collect() };
        for late in [0, 2] {
            assert!(agreement(&mouth(late), &asked).iter().all(|&value| value > 0.9), "{late}");
        }
        let still: Vec<f32> = (0..150).map(|tick| 0.03 + 0.002 * (tick as f32 * 0.9).sin()).collect();
        assert!(agreement(&still, &asked).iter().all(|&value| value.abs() < 0.1));
        let other: Vec<f32> = (0..150).map(|tick| 0.2 * (0.5 + 0.5 * (tick as f32 * 0.53).cos())).collect();
        let mean = agreement(&other, &asked).iter().sum::<f32>() / 150.0;
        assert!(mean < 0.6, "{mean}");
        assert!(agreement(&mouth(0), &|_| 0.0).iter().all(|&value| value.abs() < 1e-3), "silence");
        assert!(agreement(&[], &asked).is_empty());
    }

    #[test]
    fn motion_is_what_the_mouth_does_around_a_tick() {
        let openings: Vec<f32> =
            (0..100).map(|tick| if tick < 50 { 0.1 } else { 0.1 * asked(tick) }).collect();
        let motion = motion(&openings);
        assert!((motion[10] - LEAST_MOTION).abs() < 1e-6 && motion[80] > 4.0 * motion[10]);
        assert!(super::motion(&[]).is_empty() && super::motion(&[0.3]).len() == 1);
    }

    #[test]
    fn a_steady_opening_keeps_its_level() {
        assert!(steady(&[0.25; 9]).iter().all(|value| (value - 0.25).abs() < 1e-6));
    }
}
