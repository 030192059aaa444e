//! Videos and speech, and what came of them.

use std::path::{Path, PathBuf};
use viseme_core::Limits;
use viseme_imaging::Frame;
use viseme_media::{MediaInfo, Tools, probe};
use viseme_testing::TestClip;
use viseme_testing::clips;

/// The presenter of the demo: 1280 × 720, 25 frames per second, 5.6 s, one face.
pub(crate) fn presenter() -> PathBuf {
    demo("presenter.mp4")
}

/// The speech of the demo, 6 s.
pub(crate) fn speech() -> PathBuf {
    demo("speech.wav")
}

/// The presenter at rest: a picture of 512 × 512.
pub(crate) fn portrait() -> PathBuf {
    demo("portrait.png")
}

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../demo").join(name)
}

/// A second of moving colours without a face, and a second of speech, for tests that need no lips.
pub(crate) fn golden(folder: &Path) -> (PathBuf, PathBuf) {
    let clip = TestClip { sound: true, ..TestClip::default() };
    (clip.write(folder, "golden.mp4"), clips::speech(folder, "golden.wav", 1.0))
}

/// Two people side by side for two seconds, 720 × 288, and a picture of each from other frames: the left one's first.
pub(crate) fn two_people(shared: &Path, folder: &Path) -> (PathBuf, [PathBuf; 2]) {
    let people = ["grid_bbaf2n.mpg", "grid_lbax4n.mpg"].map(|name| shared.join("media").join(name));
    let clip = clips::side_by_side([&people[0], &people[1]], folder, "two.mkv", 0.0, 2.0);
    let [left, right] = &people;
    let picture = |clip: &Path, name: &str| clips::frame_of(clip, folder, name, 2.5);
    (clip, [picture(left, "left.png"), picture(right, "right.png")])
}

/// Bytes as a file in `folder`.
pub(crate) fn stored(bytes: &[u8], folder: &Path) -> PathBuf {
    let path = folder.join("result.mp4");
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// What a video is. Fails when it cannot be played.
#[track_caller]
pub(crate) fn video(path: &Path) -> MediaInfo {
    let info = look_at(path);
    assert!(info.video.is_some(), "no picture");
    info
}

/// How long a media file lasts, in seconds.
pub(crate) fn length_s(path: &Path) -> f64 {
    look_at(path).duration_s
}

fn look_at(path: &Path) -> MediaInfo {
    probe(&Tools::locate().expect("ffmpeg"), path, &Limits::default()).expect("a media file")
}

/// Which share of the luma samples in the box `[x, y, width, height]` differs by more than the noise of an encoder, over the
/// frames that both videos have.
pub(crate) fn changed_share(one: &Path, other: &Path, bbox: [f64; 4]) -> f64 {
    let (one, other) = (clips::decode(one), clips::decode(other));
    let (mut changed, mut all) = (0_u64, 0_u64);
    for (one, other) in one.iter().zip(&other) {
        let (more, of) = changed_samples(one, other, bbox);
        changed += more;
        all += of;
    }
    changed as f64 / all.max(1) as f64
}

fn changed_samples(one: &Frame, other: &Frame, [x, y, width, height]: [f64; 4]) -> (u64, u64) {
    /// Far above what one encode of good quality changes.
    const NOISE: f32 = 16.0;
    let (mut changed, mut all) = (0, 0);
    for row in y as i64..(y + height) as i64 {
        for column in x as i64..(x + width) as i64 {
            let difference = one.planes[0].value(column, row) - other.planes[0].value(column, row);
            changed += u64::from(difference.abs() > NOISE);
            all += 1;
        }
    }
    (changed, all)
}
