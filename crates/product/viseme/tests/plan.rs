//! The plan: which frame is shown when, and how much of the effect it gets.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use proptest::prelude::*;
use viseme::{FacePlan, FrameTimes, LoopMode, LoopShape, Plan, PlanInput, plan};
use viseme_core::segment::SkipReason;
use viseme_core::{FrameIndex, Pts, Timebase};
use viseme_engines::VoiceId;
use viseme_face::TrackId;
use viseme_face::segments::FrameState;

const ALL_MODES: [LoopMode; 7] = [
    LoopMode::None,
    LoopMode::Repeat,
    LoopMode::Pingpong,
    LoopMode::Crossfade,
    LoopMode::Smart,
    LoopMode::Hold,
    LoopMode::Remap,
];

fn milliseconds() -> Timebase {
    Timebase::new(1, 1000).unwrap()
}

/// Times of frames that are shown for `durations` milliseconds each.
fn times_of(durations: &[i64]) -> FrameTimes {
    let mut times = FrameTimes::new(milliseconds());
    let mut start = 0;
    for duration in durations {
        times.push(Pts(start));
        start += duration;
    }
    times.set_last_duration(durations.last().copied().unwrap_or(0));
    times
}

fn planned(durations: &[i64], speech_s: f64, loop_mode: LoopMode) -> Plan {
    shaped(durations, speech_s, loop_mode, LoopShape::whole(durations.len() as u64))
}

fn shaped(durations: &[i64], speech_s: f64, loop_mode: LoopMode, loop_shape: LoopShape) -> Plan {
    let (times, lead) = (times_of(durations), Pts(0));
    plan(PlanInput { times, lead, speech_s, loop_mode, loop_shape, faces: Vec::new() })
}

fn sources(plan: &Plan) -> Vec<u64> {
    plan.frames().map(|frame| frame.source.0).collect()
}

/// One line per frame: output number, source number, time in milliseconds, strength of each face.
fn picture(plan: &Plan) -> String {
    let line = |frame: viseme::PlannedFrame| {
        let strength = |face: &FacePlan| format!("{:.2}", face.state(&frame).strength);
        let strengths: Vec<String> = plan.faces().iter().map(strength).collect();
        let blend = frame.blend.map_or(String::new(), |blend| {
            format!("  {} to {} at {:.2}", blend.leaving.0, blend.arriving.0, blend.share)
        });
        format!(
            "{:>2} <- {:>2} {:>4} ms  {}{blend}",
            frame.output.0,
            frame.source.0,
            frame.pts.0,
            strengths.join(" ")
        )
    };
    plan.frames().map(line).collect::<Vec<_>>().join("\n")
}

/// A face that is moved where the strength is above 0 and not there elsewhere.
fn states(strengths: &[f32]) -> Vec<FrameState> {
    let skip = |strength| if strength > 0.0 { None } else { Some(SkipReason::NotVisible) };
    strengths.iter().map(|&strength| FrameState { skip: skip(strength), strength }).collect()
}

#[test]
fn a_looped_clip_of_variable_rate_with_two_faces() {
    let faces = vec![
        FacePlan::new(TrackId(0), &states(&[1.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.5, 1.0])),
        FacePlan::new(TrackId(1), &states(&[0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0])),
    ];
    let times = times_of(&[40, 40, 20, 60, 40, 40, 80, 40]);
    let loop_shape = LoopShape { first: 1, end: 7, blended: 2 };
    for loop_mode in ALL_MODES {
        let (times, faces) = (times.clone(), faces.clone());
        let input = PlanInput { times, lead: Pts(0), speech_s: 0.7, loop_mode, loop_shape, faces };
        insta::assert_snapshot!(format!("looped_{loop_mode:?}"), picture(&plan(input)));
    }
}

#[test]
fn the_clip_is_kept_whole_under_a_short_speech() {
    assert_eq!(planned(&[40; 5], 0.05, LoopMode::Repeat).len(), 5);
    assert_eq!(planned(&[40; 5], 0.0, LoopMode::Pingpong).len(), 5);
}

#[test]
fn a_speech_of_equal_length_adds_no_frame() {
    for mode in ALL_MODES {
        assert_eq!(planned(&[40; 250], 10.0, mode).len(), 250, "{mode:?}");
    }
}

#[test]
fn without_a_loop_the_shorter_of_the_two_ends_the_output() {
    assert_eq!(planned(&[40; 10], 9.0, LoopMode::None).len(), 10);
    assert_eq!(planned(&[40; 10], 0.2, LoopMode::None).len(), 5);
    assert_eq!(planned(&[40; 10], 0.0, LoopMode::None).len(), 1);
}

#[test]
fn pingpong_shows_the_frames_at_its_turns_once() {
    assert_eq!(sources(&planned(&[40; 4], 0.44, LoopMode::Pingpong)), [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2]);
    assert_eq!(sources(&planned(&[40; 2], 0.2, LoopMode::Pingpong)), [0, 1, 0, 1, 0]);
    assert_eq!(sources(&planned(&[40; 1], 0.12, LoopMode::Pingpong)), [0, 0, 0]);
}

#[test]
fn each_frame_of_a_loop_is_shown_as_long_as_in_the_source() {
    let durations = [10, 20, 30, 40];
    let plan = planned(&durations, 0.5, LoopMode::Pingpong);
    for output in 0..plan.len() - 1 {
        let frame = plan.frame(output);
        let shown = plan.frame(output + 1).pts.0 - frame.pts.0;
        assert_eq!(shown, durations[frame.source.0 as usize], "output frame {output}");
    }
}

#[test]
fn a_picture_that_starts_late_keeps_its_start() {
    let input = PlanInput {
        times: times_of(&[40; 10]),
        lead: Pts(80),
        speech_s: 1.0,
        loop_mode: LoopMode::Repeat,
        loop_shape: LoopShape::whole(10),
        faces: Vec::new(),
    };
    let plan = plan(input);
    assert_eq!(plan.frame(0).pts, Pts(80));
    assert!((plan.frame(1).speech_s - 0.12).abs() < 1e-9);
    assert!((plan.duration_s() - 1.0).abs() < 1e-9);
}

#[test]
fn mouths_are_planned_only_where_they_move_and_in_every_round() {
    let faces = vec![FacePlan::new(TrackId(3), &states(&[0.0, 0.5, 1.0, 0.0]))];
    let input = PlanInput {
        times: times_of(&[40; 4]),
        lead: Pts(0),
        speech_s: 0.28,
        loop_mode: LoopMode::Repeat,
        loop_shape: LoopShape::whole(4),
        faces,
    };
    let plan = plan(input);
    let [mouths] = &plan.mouths()[..] else { panic!("one face") };
    let pairs: Vec<_> = mouths.mouths.iter().map(|mouth| (mouth.output.0, mouth.source.0)).collect();
    assert_eq!((mouths.track, mouths.voice), (TrackId(3), VoiceId::MAIN));
    assert_eq!(pairs, [(1, 1), (2, 2), (5, 1), (6, 2)]);
}

#[test]
fn a_face_moves_in_its_turns_and_knows_why_not_elsewhere() {
    let mut seen = states(&[1.0; 40]);
    seen[20..].fill(FrameState { skip: Some(SkipReason::ProfileView), strength: 0.0 });
    let always = FacePlan::new(TrackId(0), &seen);
    let in_turn = always.clone().speaking(VoiceId(7), [0.2..0.6, 1.2..f64::INFINITY]);
    let silent = always.clone().speaking(VoiceId(8), []);
    let (times, loop_shape) = (times_of(&[40; 40]), LoopShape::whole(40));
    let (faces, loop_mode) = (vec![always, in_turn, silent], LoopMode::Repeat);
    let plan = plan(PlanInput { times, lead: Pts(0), speech_s: 2.4, loop_mode, loop_shape, faces });
    let moved = |face: usize| -> Vec<u64> {
        let face = &plan.faces()[face];
        plan.frames().filter(|frame| face.state(frame).is_moved()).map(|frame| frame.output.0).collect()
    };
    assert_eq!(moved(0), (0..20).chain(40..60).collect::<Vec<_>>());
    // The first turn; the second one begins where the face is turned away, and goes on in the next round.
    assert_eq!(moved(1), (5..15).chain(40..60).collect::<Vec<_>>());
    assert!(moved(2).is_empty());
    let state = |output: u64| plan.faces()[1].state(&plan.frame(output));
    assert_eq!((state(2).skip, state(22).skip), (None, Some(SkipReason::ProfileView)));
    assert!(state(5).strength < 0.1 && state(14).strength < 0.1, "it fades in sight");
    assert!((state(40).strength - 1.0).abs() < 1e-6, "the turn began long ago");
    let voices: Vec<_> = plan.mouths().iter().map(|plan| (plan.voice, plan.mouths.len())).collect();
    assert_eq!(voices, [(VoiceId::MAIN, 40), (VoiceId(7), 30)]);
}

#[test]
fn a_clip_without_frames_has_an_empty_plan() {
    let plan = planned(&[], 3.0, LoopMode::Repeat);
    assert!(plan.is_empty());
    assert_eq!(plan.frames().count(), 0);
    assert!(plan.duration_s().abs() < f64::EPSILON);
}

#[test]
fn an_hour_of_output_is_planned_without_a_list_of_it() {
    let plan = planned(&[40; 25], 3600.0, LoopMode::Repeat);
    assert_eq!(plan.len(), 90_000);
    assert_eq!(plan.frame(89_999).source, FrameIndex(24));
}

#[test]
fn the_rounds_of_a_crossfade_are_shorter_by_the_blended_frames() {
    let shape = LoopShape { first: 0, end: 10, blended: 3 };
    let plan = shaped(&[40; 10], 1.2, LoopMode::Crossfade, shape);
    assert_eq!(sources(&plan)[..18], [0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3]);
    let blends: Vec<_> = plan.frames().filter_map(|frame| Some((frame.output.0, frame.blend?))).collect();
    let places: Vec<_> =
        blends.iter().map(|(output, blend)| (*output, blend.leaving.0, blend.arriving.0)).collect();
    assert_eq!(places[..4], [(7, 7, 0), (8, 8, 1), (9, 9, 2), (14, 7, 0)]);
    let facts = plan.loop_facts();
    assert_eq!((facts.shape, facts.period_frames, facts.frames_blended), (Some(shape), Some(7), 11));
}

#[test]
fn a_clip_that_is_not_looped_is_not_blended() {
    let shape = LoopShape { first: 2, end: 8, blended: 3 };
    for mode in [LoopMode::Crossfade, LoopMode::Smart] {
        let plan = shaped(&[40; 10], 0.4, mode, shape);
        assert_eq!(sources(&plan), (0..10).collect::<Vec<_>>());
        assert_eq!((plan.loop_facts().shape, plan.loop_facts().frames_blended), (None, 0));
    }
}

#[test]
fn the_last_frame_is_held_at_the_mean_rate() {
    let plan = planned(&[20, 30, 10, 40], 0.21, LoopMode::Hold);
    let shown: Vec<_> = plan.frames().map(|frame| (frame.source.0, frame.pts.0)).collect();
    assert_eq!(shown, [(0, 0), (1, 20), (2, 50), (3, 60), (3, 100), (3, 125), (3, 150), (3, 175), (3, 200)]);
    assert_eq!(planned(&[40; 4], 0.01, LoopMode::Hold).len(), 4);
}

#[test]
fn remapped_the_clip_fills_the_speech() {
    assert_eq!(sources(&planned(&[40; 4], 0.48, LoopMode::Remap)), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(sources(&planned(&[40; 9], 0.12, LoopMode::Remap)), [1, 4, 7]);
    assert_eq!(sources(&planned(&[20, 60, 40], 0.24, LoopMode::Remap)), [0, 1, 1, 1, 2, 2]);
    assert_eq!(planned(&[40; 9], 0.0, LoopMode::Remap).len(), 1);
}

fn loop_modes() -> impl Strategy<Value = LoopMode> {
    prop::sample::select(&ALL_MODES[..])
}

proptest! {
    #[test]
    fn every_plan_is_sound(
        durations in prop::collection::vec(1i64..200, 1..40),
        speech_ms in 0u32..20_000,
        mode in loop_modes(),
        (first, end, blended) in (0u64..60, 0u64..60, 0u64..40),
    ) {
        let speech_s = f64::from(speech_ms) / 1000.0;
        let clip_s = durations.iter().sum::<i64>() as f64 / 1000.0;
        let plan = shaped(&durations, speech_s, mode, LoopShape { first, end: end.max(1), blended });
        let frames: Vec<_> = plan.frames().collect();
        prop_assert_eq!(frames.len() as u64, plan.len());
        for frame in &frames {
            prop_assert!(frame.source.0 < durations.len() as u64);
            if let Some(blend) = frame.blend {
                prop_assert!(blend.share > 0.0 && blend.share < 1.0);
                prop_assert!(blend.leaving.0.max(blend.arriving.0) < durations.len() as u64);
                prop_assert!(frame.source == blend.leaving || frame.source == blend.arriving);
            }
        }
        prop_assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts));
        prop_assert!(mode == LoopMode::Remap || frames[0].source == FrameIndex(0));
        // The last frame starts before the end that was asked for, and lasts until it.
        let end_s = match mode {
            LoopMode::None => clip_s.min(speech_s),
            LoopMode::Remap => speech_s,
            _ => clip_s.max(speech_s),
        };
        prop_assert!(frames.len() == 1 || frames[frames.len() - 1].speech_s < end_s);
        prop_assert!(plan.duration_s() >= end_s - 1e-6);
    }

    #[test]
    fn at_any_constant_rate_lengths_are_right_to_a_frame(
        frames in 1usize..80,
        ticks in 1i64..4000,
        shares in 0.0f64..4.0,
        mode in loop_modes(),
        blended in 0u64..31,
    ) {
        let clip_s = frames as f64 * ticks as f64 / 1000.0;
        let speech_s = clip_s * shares;
        let shape = LoopShape { blended, ..LoopShape::whole(frames as u64) };
        let plan = shaped(&vec![ticks; frames], speech_s, mode, shape);
        let wanted_s = match mode {
            LoopMode::None => clip_s.min(speech_s),
            LoopMode::Remap => speech_s,
            _ => clip_s.max(speech_s),
        };
        prop_assert!((plan.duration_s() - wanted_s).abs() <= ticks as f64 / 1000.0 + 1e-6);
    }

    #[test]
    fn a_loop_goes_on_where_the_mode_says(
        durations in prop::collection::vec(1i64..200, 3..40),
        speech_ms in 0u32..20_000,
    ) {
        let last = durations.len() as u64 - 1;
        let speech_s = f64::from(speech_ms) / 1000.0;
        for pair in sources(&planned(&durations, speech_s, LoopMode::Repeat)).windows(2) {
            prop_assert_eq!(pair[1], if pair[0] == last { 0 } else { pair[0] + 1 });
        }
        for pair in sources(&planned(&durations, speech_s, LoopMode::Pingpong)).windows(2) {
            prop_assert_eq!(pair[1].abs_diff(pair[0]), 1);
        }
    }
}
