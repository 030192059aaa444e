//! The coefficients that SyncNet hears against `python_speech_features`: `vectors/syncnet`.

use viseme_audio::mfcc::{self, COEFFICIENTS};
use viseme_audio::{Mfcc, MfccFrame};
use viseme_testing::compare::max_error;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "syncnet";

fn frames_of(samples: &[f32], piece: usize) -> Vec<MfccFrame> {
    let (mut mfcc, mut frames) = (Mfcc::new(), Vec::new());
    samples.chunks(piece).for_each(|part| mfcc.push(part, &mut frames));
    mfcc.finish(&mut frames);
    frames
}

#[test]
fn coefficients_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let samples: Array<i16> = vectors.npy("samples_i16.npy");
    let samples: Vec<f32> = samples.values.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    let frames = frames_of(&samples, samples.len());
    let expected: Array<f64> = vectors.npy("mfcc_T13_f64.npy");
    assert_eq!(expected.shape, [frames.len(), COEFFICIENTS]);
    let largest = max_error(frames.as_flattened(), &expected.values);
    assert!(largest < 1e-9, "{largest:e}");
    for piece in [1, 159, 4_000] {
        assert_eq!(frames_of(&samples, piece), frames);
    }
}

#[test]
fn filters_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let expected: Array<f64> = vectors.npy("filterbank_26x257.npy");
    assert_eq!(expected.shape, [26, 257]);
    let bank = mfcc::filters();
    let places = (0..26).flat_map(|band| (0..257).map(move |bin| (band, bin)));
    let weights: Vec<f64> = places.map(|(band, bin)| bank.weight(band, bin)).collect();
    let largest = max_error(&weights, &expected.values);
    assert!(largest < 1e-15, "{largest:e}");
}

#[test]
fn the_last_frame_is_filled_up_with_silence() {
    // 1 + ceil((n - 400) / 160), one for a sound of up to 400 samples.
    for (count, expected) in [(0, 0), (1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (720, 3)] {
        let frames = frames_of(&vec![0.1; count], 100);
        assert_eq!(frames.len(), expected, "{count} samples");
        assert!(frames.iter().flatten().all(|value| value.is_finite()));
    }
    let silence = frames_of(&[0.0; 400], 100);
    assert!(max_error(&silence[0][..1], &[f64::EPSILON.ln()]) == 0.0);
}
