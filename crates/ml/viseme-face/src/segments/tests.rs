use super::*;
use crate::TrackId;
use proptest::prelude::*;

const GOOD: FaceSummary = FaceSummary {
    bbox: Rect { x: 10.0, y: 20.0, width: 150.0, height: 180.0 },
    euler_degrees: [0.0, 5.0, 0.0],
    opening: 0.1,
    width: 0.8,
    presence: 0.95,
    mouth_visible: 0.95,
};
const TURNED: FaceSummary = FaceSummary { euler_degrees: [0.0, -50.0, 0.0], ..GOOD };
const COVERED: FaceSummary = FaceSummary { mouth_visible: 0.1, ..GOOD };
const SMALL: FaceSummary = FaceSummary { bbox: Rect { x: 0.0, y: 0.0, width: 60.0, height: 70.0 }, ..GOOD };
const UNSURE: FaceSummary = FaceSummary { presence: 0.4, ..GOOD };

fn track(first: u64, runs: &[(FaceSummary, usize)]) -> Track {
    let summaries: Vec<_> = runs.iter().flat_map(|&(face, count)| vec![face; count]).collect();
    Track::for_tests(TrackId(0), FrameIndex(first), summaries)
}

fn skips(track: &Track, range: Range<u64>) -> Vec<(Option<SkipReason>, usize)> {
    let states = frame_states(track, range);
    states.chunk_by(|a, b| a.skip == b.skip).map(|run| (run[0].skip, run.len())).collect()
}

#[test]
fn each_reason_is_given() {
    let track = track(5, &[(TURNED, 10), (SMALL, 10), (UNSURE, 10), (COVERED, 10), (GOOD, 10)]);
    let wanted = [
        (Some(SkipReason::NotVisible), 5),
        (Some(SkipReason::ProfileView), 10),
        (Some(SkipReason::FaceTooSmall), 10),
        (Some(SkipReason::LowDetectionQuality), 10),
        (Some(SkipReason::Occluded), 10),
        (None, 10),
        (Some(SkipReason::NotVisible), 3),
    ];
    assert_eq!(skips(&track, 0..58), wanted);
}

#[test]
fn flicker_is_ignored_in_both_directions() {
    let mostly_good = track(0, &[(GOOD, 20), (COVERED, 4), (GOOD, 20)]);
    assert_eq!(skips(&mostly_good, 0..44), [(None, 44)]);
    let mostly_covered = track(0, &[(COVERED, 20), (GOOD, 4), (COVERED, 20)]);
    assert_eq!(skips(&mostly_covered, 0..44), [(Some(SkipReason::Occluded), 44)]);
    let uncertain = track(0, &[(GOOD, 4), (COVERED, 4), (GOOD, 4), (COVERED, 4)]);
    assert!(frame_states(&uncertain, 0..16).iter().all(|state| state.skip.is_some()));
}

#[test]
fn a_shot_of_three_frames_and_a_still_picture_are_synced() {
    let mut short = track(10, &[(GOOD, 3)]);
    assert_eq!(usable_runs(&frame_states(&short, 0..30), FrameIndex(0)), [] as [Range<u64>; 0]);
    (short.begins_with_shot, short.ends_with_shot) = (true, true);
    assert_eq!(usable_runs(&frame_states(&short, 0..30), FrameIndex(0)).first(), Some(&(10..13)));
    let still = track(0, &[(GOOD, 1)]);
    assert_eq!(frame_states(&still, 0..1), [FrameState { skip: None, strength: 1.0 }]);
}

#[test]
fn the_effect_fades_where_the_face_stays_in_sight_but_not_at_cuts() {
    let mut track = track(10, &[(GOOD, 30), (COVERED, 10)]);
    track.begins_with_shot = true;
    let states = frame_states(&track, 0..60);
    assert!((states[10].strength - 1.0).abs() < 1e-6, "at the cut");
    let end: Vec<f32> = states[32..41].iter().map(|state| state.strength).collect();
    assert!(end.windows(2).all(|pair| pair[0] >= pair[1]), "{end:?}");
    assert!(end[0] > 0.99 && end[7] < 0.1 && end[8] <= 0.0, "{end:?}");
}

#[test]
fn segments_average_what_they_join() {
    let faces = [GOOD, GOOD, COVERED];
    let frames = faces.iter().enumerate().map(|(i, face)| SegmentFrame {
        start_ms: i as u64 * 40,
        end_ms: i as u64 * 40 + 40,
        state: {
            let skip = reason(Some(face));
            FrameState { skip, strength: if skip.is_none() { 1.0 } else { 0.0 } }
        },
        face: Some(face),
    });
    let found = segments(frames);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].start_ms, found[0].end_ms, found[1].end_ms), (0, 80, 120));
    assert_eq!(found[0].avg_bbox, Some(GOOD.bbox));
    assert!((found[0].avg_quality.unwrap() - 0.9025).abs() < 1e-3);
    assert_eq!(found[1].avg_quality, None);
}

#[test]
fn a_mouth_that_could_be_moved_and_is_not_has_a_segment_of_its_own() {
    let states = [(None, 1.0), (None, 0.0), (None, 0.0), (Some(SkipReason::Occluded), 0.0)];
    let frames = states.iter().enumerate().map(|(i, &(skip, strength))| SegmentFrame {
        start_ms: i as u64 * 40,
        end_ms: i as u64 * 40 + 40,
        state: FrameState { skip, strength },
        face: Some(&GOOD),
    });
    let found: Vec<_> = segments(frames).iter().map(|s| (s.start_ms, s.synced, s.skip_reason)).collect();
    assert_eq!(found, [(0, true, None), (40, false, None), (120, false, Some(SkipReason::Occluded))]);
}

fn any_face() -> impl Strategy<Value = FaceSummary> {
    let wild = prop_oneof![Just(f32::NAN), Just(f32::INFINITY), -100f32..300.0];
    (prop_oneof![0.0f32..1.0, wild.clone()], 0.0f32..1.0, wild.clone(), wild).prop_map(
        |(presence, mouth_visible, yaw, width)| FaceSummary {
            bbox: Rect { width, ..GOOD.bbox },
            euler_degrees: [0.0, yaw, 0.0],
            presence,
            mouth_visible,
            ..GOOD
        },
    )
}

proptest! {
    #[test]
    fn any_track_gives_a_partition_without_flicker(
        runs in prop::collection::vec((prop_oneof![Just(GOOD), Just(TURNED), Just(COVERED), any_face()], 1usize..12), 1..10),
        first in 0u64..20, length in 1u64..120, hard in any::<(bool, bool)>(),
    ) {
        let mut track = track(first, &runs);
        (track.begins_with_shot, track.ends_with_shot) = hard;
        let states = frame_states(&track, 0..length);
        prop_assert_eq!(states.len() as u64, length);
        for (frame, state) in states.iter().enumerate() {
            prop_assert!((0.0..=1.0).contains(&state.strength));
            prop_assert_eq!(state.strength > 0.0, state.skip.is_none());
            let is_seen = track.summary(FrameIndex(frame as u64)).is_some();
            prop_assert_eq!(is_seen, state.skip != Some(SkipReason::NotVisible));
        }
        for run in usable_runs(&states, FrameIndex(0)) {
            let fills_shot = (run.start == 0 || run.start == first) && (run.end == length || run.end == track.frames().end);
            prop_assert!(run.end - run.start >= LEAST_RUN as u64 || fills_shot, "{run:?}");
        }
        let frames = states.iter().enumerate().map(|(i, state)| SegmentFrame {
            start_ms: i as u64 * 33,
            end_ms: i as u64 * 33 + 33,
            state: *state,
            face: track.summary(FrameIndex(i as u64)),
        });
        let found = segments(frames);
        prop_assert_eq!(found.first().map(|s| s.start_ms), Some(0));
        prop_assert_eq!(found.last().map(|s| s.end_ms), Some(length * 33));
        for pair in found.windows(2) {
            prop_assert_eq!(pair[0].end_ms, pair[1].start_ms);
            prop_assert!(pair[0].skip_reason != pair[1].skip_reason);
        }
        for segment in &found {
            prop_assert_eq!(segment.synced, segment.skip_reason.is_none());
            if let Some(quality) = segment.avg_quality {
                prop_assert!((0.0..=1.0).contains(&quality));
            }
        }
    }
}
