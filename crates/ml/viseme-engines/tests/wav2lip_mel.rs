//! What Wav2Lip's reference does around the net: `vectors/wav2lip_mel`.

use viseme_core::{FrameIndex, Result, Timebase};
use viseme_engines::wav2lip::boxes;
use viseme_engines::wav2lip::chunks::{CHUNK_COLUMNS, MelChunks};
use viseme_testing::compare::max_error;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "wav2lip_mel";

/// A spectrogram of numpy, whose rows are bands.
fn chunks(mel: &Array<f32>) -> Result<MelChunks> {
    let count = mel.shape[1];
    let column = |k: usize| std::array::from_fn(|band| mel.values[band * count + k]);
    MelChunks::new((0..count).map(column).collect())
}

#[test]
fn chunks_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    let chunks = chunks(&vectors.npy("mel_reflect.npy")).unwrap();
    for (rate, numerator, denominator) in
        [("25", 1, 25), ("30", 1, 30), ("29_97", 1001, 30_000), ("23_976", 1000, 23_976)]
    {
        let frame_length = Timebase::new(numerator, denominator).unwrap();
        let frames = chunks.frames(frame_length);
        let starts: Vec<usize> =
            (0..frames).map(|frame| chunks.start(FrameIndex(frame), frame_length)).collect();
        let expected: Array<i32> = vectors.npy(&format!("chunk_starts_{rate}fps.npy"));
        assert_eq!(starts, expected.values.iter().map(|&start| start as usize).collect::<Vec<_>>(), "{rate}");

        let expected: Array<f32> = vectors.npy(&format!("chunks_{rate}fps.npy"));
        assert_eq!(expected.shape, [frames as usize, 80, CHUNK_COLUMNS]);
        let values: Vec<f32> = starts.iter().flat_map(|&start| chunks.chunk(start)).flatten().collect();
        assert_eq!(values, expected.values, "{rate}");
    }
}

#[test]
fn boxes_are_smoothed_as_in_the_reference() {
    let mut vectors = Vectors::open(&skip_without_shared!(), FOLDER).npz("box_smoothing_T5.npz");
    let boxes_of =
        |array: &Array<i64>| -> Vec<[i64; 4]> { array.rows().map(|row| row.try_into().unwrap()).collect() };
    let mut smoothed = boxes_of(&vectors.array("boxes_in"));
    boxes::smooth(&mut smoothed);
    assert_eq!(smoothed, boxes_of(&vectors.array("boxes_out")));

    let exact: Array<f64> = vectors.array("boxes_in_f");
    let mut exact: Vec<[f64; 4]> = exact.rows().map(|row| row.try_into().unwrap()).collect();
    boxes::smooth_exact(&mut exact);
    let expected: Array<f64> = vectors.array("boxes_out_f");
    let largest = max_error(exact.as_flattened(), &expected.values);
    assert!(largest < 1e-12, "{largest:e}");
}
