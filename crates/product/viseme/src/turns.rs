//! When a face speaks: its turns in the output, and how the effect comes and goes at their ends.

use std::ops::Range;
use viseme_face::segments::fade;

/// A time is that of a frame within this, in seconds: reports and services round to the millisecond.
const TOLERANCE_S: f64 = 1e-3;

/// The whole output, as a stretch of time in seconds.
pub(crate) const WHOLE: Range<f64> = 0.0..f64::INFINITY;

/// Output frames in which a face speaks without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    frames: Range<u64>,
    /// Whether the face is seen just before, so that the effect has to come gently.
    fades_in: bool,
    /// Whether it is seen just after.
    fades_out: bool,
}

/// The turns, ascending and apart, of a face that speaks in `spans` of an output of `count` frames. `start_s` says when a
/// frame is shown, `is_seen` whether the face is in it.
pub(crate) fn turns(
    spans: &[Range<f64>],
    count: u64,
    start_s: impl Fn(u64) -> f64,
    is_seen: impl Fn(u64) -> bool,
) -> Vec<Turn> {
    let first_from = |time_s: f64| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if start_s(middle) < time_s - TOLERANCE_S { low = middle + 1 } else { high = middle }
        }
        low
    };
    let mut frames: Vec<_> = spans.iter().map(|span| first_from(span.start)..first_from(span.end)).collect();
    frames.retain(|frames| !frames.is_empty());
    frames.sort_by_key(|frames| frames.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for next in frames {
        match joined.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => joined.push(next),
        }
    }
    let turn = |frames: Range<u64>| Turn {
        fades_in: frames.start > 0 && is_seen(frames.start - 1),
        fades_out: frames.end < count && is_seen(frames.end),
        frames,
    };
    joined.into_iter().map(turn).collect()
}

/// How much of the effect a frame gets, 0 to 1: 0 outside of `turns`.
pub(crate) fn strength(turns: &[Turn], output: u64) -> f32 {
    let position = turns.partition_point(|turn| turn.frames.end <= output);
    let Some(turn) = turns.get(position).filter(|turn| turn.frames.contains(&output)) else { return 0.0 };
    let distance = |frames: u64, fades: bool| if fades { fade(frames as usize) } else { 1.0 };
    distance(output - turn.frames.start, turn.fades_in)
        .min(distance(turn.frames.end - 1 - output, turn.fades_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strengths(spans: &[Range<f64>], count: u64, is_seen: impl Fn(u64) -> bool) -> Vec<f32> {
        let turns = turns(spans, count, |frame| frame as f64 * 0.04, is_seen);
        (0..count).map(|output| strength(&turns, output)).collect()
    }

    #[test]
    fn the_whole_output_has_all_of_the_effect() {
        assert_eq!(strengths(&[WHOLE], 50, |_| true), [1.0; 50]);
    }

    #[test]
    fn the_effect_fades_at_the_ends_of_a_turn_but_not_where_nobody_sees_it() {
        let turn = strengths(&[0.4..1.2], 50, |_| true);
        assert!(turn[..10].iter().chain(&turn[30..]).all(|strength| *strength <= 0.0), "{turn:?}");
        assert!(turn[10] > 0.0 && turn[10] < 0.1 && turn[29] > 0.0 && turn[29] < 0.1, "{turn:?}");
        assert!(turn[10..17].windows(2).all(|pair| pair[0] < pair[1]), "{turn:?}");
        assert!(turn[16..24].iter().all(|strength| *strength >= 1.0), "{turn:?}");
        // It is cut to at frame 10, and away from after frame 29.
        let shot = strengths(&[0.4..1.2], 50, |frame| (10..30).contains(&frame));
        assert!(shot[10..30].iter().all(|strength| *strength >= 1.0), "{shot:?}");
        let whole = strengths(&[0.0..2.0], 50, |_| true);
        assert_eq!(whole, [1.0; 50]);
    }

    #[test]
    fn turns_that_touch_are_one() {
        let joined = strengths(&[1.0..1.4, 0.4..1.0, 0.6..0.8], 50, |_| true);
        assert_eq!(joined, strengths(&[0.4..1.4], 50, |_| true));
    }

    #[test]
    fn times_in_rounded_milliseconds_are_those_of_their_frames() {
        let spans = [0.033..0.067, 0.133..0.133];
        let turns = turns(&spans, 10, |frame| frame as f64 / 30.0, |_| true);
        let [turn] = turns.as_slice() else { panic!("one turn: {turns:?}") };
        assert_eq!(turn.frames, 1..2);
    }

    proptest! {
        #[test]
        fn no_frame_outside_of_the_spans_gets_any_of_it(
            spans in prop::collection::vec((0.0f64..4.0, 0.0f64..2.0), 0..6), count in 0u64..80, seen in any::<bool>(),
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| start..start + length).collect();
            for (frame, strength) in strengths(&spans, count, |_| seen).into_iter().enumerate() {
                let time_s = frame as f64 * 0.04;
                let near = |by: f64| spans.iter().any(|s| s.start - by <= time_s && time_s < s.end + by);
                prop_assert!((0.0..=1.0).contains(&strength));
                prop_assert!(strength <= 0.0 || near(TOLERANCE_S), "frame {frame}: {strength}");
                prop_assert!(strength > 0.0 || !near(-TOLERANCE_S), "frame {frame}: {strength}");
            }
        }
    }
}
