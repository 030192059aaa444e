//! Real clips: where a face is in plain sight the tracker has it, and on a clip without faces it has none.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and says when it was skipped"
)]

use std::path::{Path, PathBuf};
use viseme_core::{FrameIndex, Limits};
use viseme_face::{FaceNets, MouthShape, TrackRecorder, TrackStore, Tracker, TrackerOptions, Weights};
use viseme_media::{FrameSource, ReadOptions, Tools, VideoReader, probe};
use viseme_models::RtenRuntime;

/// The folder of shared test media, if it is there.
fn media() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let shared = std::env::var_os("VISEME_SHARED").map_or(beside, PathBuf::from).join("media");
    if shared.is_dir() {
        return Some(shared);
    }
    println!("skipped: no shared media at {}", shared.display());
    None
}

/// Follows the faces through the first `most` frames; gives how many frames there were and what was seen.
fn follow(clip: &Path, most: u64, work_dir: &Path) -> (u64, TrackStore) {
    let (tools, limits) = (Tools::locate().unwrap(), Limits::default());
    let media = probe(&tools, clip, &limits).unwrap();
    let video = media.video.unwrap();
    let options = ReadOptions { frame_count: Some(most), ..ReadOptions::default() };
    let mut reader = VideoReader::open(&tools, clip, &video, options, &limits).unwrap();
    let nets = FaceNets::embedded(&RtenRuntime::default(), Weights::Default).unwrap();
    let mut tracker = Tracker::new(nets, TrackerOptions::default());
    let mut recorder = TrackRecorder::create(work_dir).unwrap();
    let mut frames = 0;
    while let Some(frame) = reader.next_frame().unwrap() {
        let faces = tracker.observe(&frame, &video.colour, FrameIndex(frames)).unwrap();
        recorder.push(FrameIndex(frames), tracker.is_cut(), &faces).unwrap();
        frames += 1;
    }
    (frames, recorder.finish().unwrap())
}

#[test]
fn a_speaker_in_plain_sight_is_followed_in_nearly_every_frame() {
    let Some(media) = media() else { return };
    for clip in ["may_5s_512.mp4", "grid_pwij3p.mpg", "vr_1_700.mp4"] {
        let folder = tempfile::tempdir().unwrap();
        let (frames, store) = follow(&media.join(clip), 60, folder.path());
        let longest = store.tracks().iter().max_by_key(|track| track.seen().count()).unwrap();
        let share = longest.seen().count() as f64 / frames as f64;
        assert!(share >= 0.98, "{clip}: followed in {share:.3} of {frames} frames");
        for (frame, _) in longest.seen() {
            let face = store.smoothed(longest.id, frame).unwrap().unwrap();
            let mouth = MouthShape::of(&face);
            assert!(
                (0.0..0.8).contains(&mouth.opening()) && (0.3..1.5).contains(&mouth.width()),
                "{clip} {}",
                frame.0
            );
        }
    }
}

#[test]
fn people_seen_from_above_have_no_faces() {
    let Some(media) = media() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (frames, store) = follow(&media.join("iot_person_768.mp4"), 150, folder.path());
    let seen: usize = store.tracks().iter().map(|track| track.seen().count()).sum();
    assert!((seen as f64) < 0.02 * frames as f64, "{seen} faces in {frames} frames");
}
