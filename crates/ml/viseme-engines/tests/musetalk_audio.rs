//! What MuseTalk hears for a frame: `vectors/musetalk_audio`.

use viseme_core::{FrameIndex, Timebase};
use viseme_engines::musetalk::audio::{AudioWindows, ROWS_PER_SECOND, STATES};
use viseme_engines::musetalk::position::{TOKENS, WIDTH, positional_encoding};
use viseme_testing::compare::max_error;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "musetalk_audio";

/// Values per state of the vectors.
const STUB_WIDTH: usize = 4;

/// The hidden states of the stub: counted up in each segment of 30 s, those of the second one raised by 100,000.
fn stub_states(seconds: u64) -> Vec<f32> {
    let (row, segment) = (STATES * STUB_WIDTH, 30 * ROWS_PER_SECOND as usize * STATES * STUB_WIDTH);
    let count = (seconds * ROWS_PER_SECOND) as usize * row;
    (0..count).map(|i| if i < segment { i as f32 } else { 1e5 + (i - segment) as f32 }).collect()
}

/// The tokens of every `step`-th frame.
fn tokens(windows: &AudioWindows, states: &[f32], step: usize) -> Vec<f32> {
    let row = |index: u64| {
        let row = STATES * STUB_WIDTH;
        &states[index as usize * row..][..row]
    };
    let mut tokens = Vec::new();
    for frame in (0..windows.frames()).step_by(step) {
        windows.append(FrameIndex(frame), STUB_WIDTH, row, &mut tokens);
    }
    tokens
}

#[test]
fn windows_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    for (file, rate, seconds, step) in [
        ("chunks_24fps_3s.npy", (1, 24), 3, 1),
        ("chunks_25fps_3s.npy", (1, 25), 3, 1),
        ("chunks_30fps_3s.npy", (1, 30), 3, 1),
        ("chunks_25fps_31s.npy", (1, 25), 31, 25),
        // The reference takes 29.97 for 29.
        ("chunks_29.97fps_3s.npy", (1001, 30_000), 3, 1),
    ] {
        let frame_length = Timebase::new(rate.0, rate.1).unwrap();
        let samples = seconds * 16_000;
        let windows = AudioWindows::at_truncated_rate(samples, frame_length).unwrap();
        let expected: Array<f32> = vectors.npy(file);
        assert_eq!(expected.shape[1..], [TOKENS, STUB_WIDTH]);
        let states = stub_states(seconds);
        let actual = tokens(&windows, &states, step);
        assert_eq!(actual, expected.values, "{file}");
        if rate.0 == 1 {
            assert_eq!(tokens(&AudioWindows::new(samples, frame_length), &states, step), actual, "{file}");
        }
    }
}

#[test]
fn the_positional_encoding_is_that_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let expected: Array<f32> = vectors.npy("pe_50x384.npy");
    assert_eq!(expected.shape, [TOKENS, WIDTH]);
    let largest = max_error(&positional_encoding(), &expected.values);
    // The reference computes the angles in single precision; they go up to 49.
    assert!(largest < 1e-5, "{largest:e}");
}
