//! The log-mel features against numpy (`reference/make_audio_vectors.py`), however the sound is cut.

use proptest::prelude::*;
use serde::Deserialize;
use viseme_audio::{LogMel, MelFrame};

#[derive(Deserialize)]
struct Case {
    samples: usize,
    frames: Vec<Vec<f32>>,
}

/// The sound of the script: noise, loud for 1000 samples, then quiet for 1000, and so on.
fn sound(count: usize) -> Vec<f32> {
    let mut state = 12_345_u32;
    (0..count)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / 2_f32.powi(24) - 0.5;
            if i / 1000 % 2 == 0 { noise } else { noise * 2_f32.powi(-10) }
        })
        .collect()
}

fn frames_of<'a>(pieces: impl IntoIterator<Item = &'a [f32]>) -> Vec<MelFrame> {
    let (mut mel, mut frames) = (LogMel::new(), Vec::new());
    pieces.into_iter().for_each(|piece| mel.push(piece, &mut frames));
    mel.finish(&mut frames);
    frames
}

#[test]
fn frames_are_those_of_numpy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("vectors/log_mel.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let frames = frames_of([&sound(case.samples)[..]]);
        assert_eq!(frames.len(), case.frames.len(), "{} samples", case.samples);
        assert_eq!(frames.len(), (case.samples + 200) / 160);
        for (k, (frame, expected)) in frames.iter().zip(&case.frames).enumerate() {
            for (a, e) in frame.iter().zip(expected) {
                assert!((a - e).abs() < 1e-4, "{} samples, frame {k}: {a} instead of {e}", case.samples);
            }
        }
    }
}

#[test]
fn a_finished_sound_leaves_nothing_to_the_next() {
    let (mut mel, mut frames) = (LogMel::new(), Vec::new());
    mel.finish(&mut frames);
    assert!(frames.is_empty());
    mel.push(&sound(1_234), &mut frames);
    mel.finish(&mut frames);
    let first = std::mem::take(&mut frames);
    mel.push(&sound(1_234), &mut frames);
    mel.finish(&mut frames);
    assert_eq!(frames, first);
}

proptest! {
    #[test]
    fn pieces_do_not_matter(count in 0_usize..3000, cuts in prop::collection::vec(0_usize..3000, 0..12)) {
        let sound = sound(count);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(count)).collect();
        cuts.sort_unstable();
        cuts.push(count);
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let pieces: Vec<&[f32]> = starts.zip(&cuts).map(|(start, &end)| &sound[start..end]).collect();
        prop_assert_eq!(frames_of(pieces), frames_of([&sound[..]]));
    }
}
