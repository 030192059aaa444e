//! The scores of SyncNet and the crops that it sees: `vectors/syncnet`.

use viseme_engines::metrics::median::median_filter;
use viseme_engines::metrics::syncnet::{MAX_OFFSET, SyncScore, SyncScorer};
use viseme_engines::metrics::syncnet_crop::{CropRect, crop_rects};
use viseme_testing::compare::max_error;
use viseme_testing::vectors::Archive;
use viseme_testing::{Array, Vectors, skip_without_shared};

const FOLDER: &str = "syncnet";

fn score(vectors: &mut Archive) -> viseme_core::Result<SyncScore> {
    let (lips, speech): (Array<f32>, Array<f32>) = (vectors.array("im_feat"), vectors.array("cc_feat"));
    assert_eq!(lips.shape, speech.shape);
    let mut scorer = SyncScorer::new(lips.shape[1]);
    for (lips, speech) in lips.rows().zip(speech.rows()) {
        scorer.push(lips, speech)?;
    }
    scorer.finish()
}

#[test]
fn scores_are_those_of_the_reference() {
    let vectors = Vectors::open(&skip_without_shared!(), FOLDER);
    for name in ["random", "shift0", "shift+3", "shift-5"] {
        let mut vectors = vectors.npz(&format!("dist_conf_{name}.npz"));
        assert_eq!(vectors.scalar::<i64>("vshift"), MAX_OFFSET as i64);
        let score = score(&mut vectors).unwrap();
        assert_eq!(i64::from(score.offset), vectors.scalar::<i64>("offset"), "{name}");
        assert_eq!(MAX_OFFSET as i64 - i64::from(score.offset), vectors.scalar::<i64>("minidx"), "{name}");

        let mut check = |key: &str, actual: Vec<f64>| {
            let expected: Array<f32> = vectors.array(key);
            let largest = max_error(&actual, &expected.values);
            // The reference computes in single precision; distances go up to 40.
            assert!(largest < 1e-4, "{key} of {name}: {largest:e}");
        };
        check("dists", score.distances.iter().flatten().map(|&distance| f64::from(distance)).collect());
        check("mdist", score.mean_distances.to_vec());
        check("minval", vec![score.distance]);
        check("conf", vec![score.confidence]);
        check("frame_conf", score.window_confidences());
        check("frame_conf_medfilt9", score.smooth_window_confidences());
    }
}

#[test]
fn crops_are_those_of_the_reference() {
    let mut vectors = Vectors::open(&skip_without_shared!(), FOLDER).npz("crop_rects.npz");
    let boxes: Array<f64> = vectors.array("boxes");
    let boxes: Vec<[f64; 4]> = boxes.rows().map(|row| row.try_into().unwrap()).collect();
    let expected: Array<i64> = vectors.array("pad_y0_y1_x0_x1");
    let expected: Vec<CropRect> = expected
        .rows()
        .map(|row| CropRect { padding: row[0], top: row[1], bottom: row[2], left: row[3], right: row[4] })
        .collect();
    assert_eq!(crop_rects(&boxes), expected);

    let half_size = |[left, top, right, bottom]: &[f64; 4]| (bottom - top).max(right - left) / 2.0;
    let tracks: [(&str, Vec<f64>); 3] = [
        ("s", boxes.iter().map(half_size).collect()),
        ("x", boxes.iter().map(|b| f64::midpoint(b[0], b[2])).collect()),
        ("y", boxes.iter().map(|b| f64::midpoint(b[1], b[3])).collect()),
    ];
    for (key, track) in tracks {
        let expected: Array<f64> = vectors.array(key);
        let largest = max_error(&median_filter(&track, 13), &expected.values);
        assert!(largest < 1e-12, "{key}: {largest:e}");
    }
}
