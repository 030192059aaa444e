//! The log-mel spectrogram of Whisper against the library transformers: `vectors/whisper_mel`.

use viseme_audio::whisper_mel::{self, BANDS, FRAMES, SEGMENT_SAMPLES};
use viseme_testing::compare::max_error;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "whisper_mel";

#[test]
fn a_segment_is_that_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let samples: Array<i16> = vectors.npy("samples_i16.npy");
    let samples: Vec<f32> = samples.values.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    let expected: Array<f32> = vectors.npy("logmel_80x3000_f32.npy");
    assert_eq!(expected.shape, [BANDS, FRAMES]);
    let largest = max_error(&whisper_mel::log_mel(&samples).unwrap(), &expected.values);
    assert!(largest < 1e-5, "{largest:e}");
}

#[test]
fn filters_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let expected: Array<f64> = vectors.npy("mel_filters_201x80.npy");
    let bank = whisper_mel::filters();
    let places = (0..201).flat_map(|bin| (0..BANDS).map(move |band| (band, bin)));
    let weights: Vec<f64> = places.map(|(band, bin)| bank.weight(band, bin)).collect();
    let largest = max_error(&weights, &expected.values);
    assert!(largest < 1e-12, "{largest:e}");
}

#[test]
fn segments_of_any_length_have_3000_frames_and_longer_ones_are_refused() {
    for count in [0, 1, 200, SEGMENT_SAMPLES] {
        let segment = whisper_mel::log_mel(&vec![0.25; count]).unwrap();
        assert_eq!(segment.len(), BANDS * FRAMES);
        assert!(segment.iter().all(|value| value.is_finite()));
    }
    assert!(whisper_mel::log_mel(&vec![0.0; SEGMENT_SAMPLES + 1]).is_err());
    assert!(whisper_mel::log_mel(&[f32::NAN]).is_err());
}
