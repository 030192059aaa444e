//! Real clips: every frame once, at the time that ffprobe sees, and written again at the same times.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod common;

use common::{Bench, shared_media};
use viseme_media::FrameSource;

#[test]
fn every_frame_of_the_real_clips_comes_once_at_its_time() {
    let Some(media) = shared_media() else { return };
    let bench = Bench::new();
    // One of each kind: MPEG-1, Xvid in AVI, full range in Matroska, an edit list with a late start, 29.97, a rate of
    // 22.13 on average, MPEG-4 in MP4.
    for name in [
        "grid_bbaf2n.mpg",
        "syncnet_example_224.avi",
        "asl_again_480p.mkv",
        "fr_hamilton_cuts_360p.mp4",
        "vx_radio10_512.mp4",
        "vr_1_700.mp4",
        "vox_05124_256.mp4",
    ] {
        let path = media.join(name);
        let mut reader = bench.reader(&path, viseme_media::ReadOptions::default());
        let origin = reader.info().origin.0;
        let timebase = reader.info().timebase;
        let mut found = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            found.push(frame.pts.0 + origin);
        }
        let expected = bench.ffprobe_times(&path);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            // ffprobe has no time for the last frames of some AVI files; ours then follow on.
            let Some(expected) = expected else { continue };
            let apart_s = timebase.seconds(viseme_core::Pts(found - expected)).abs();
            assert!(apart_s < 0.001, "{name}: {found} instead of {expected}");
        }
        assert!(reader.warnings().is_empty(), "{name}: {:?}", reader.warnings());
    }
}
