use super::*;
use crate::packed;
use crate::testing::{canonical_face, head};

fn face_at(x: f32) -> FaceObservation {
    canonical_face(&head([0.0, 10.0, 0.0], 80.0, x, 150.0), 0.1)
}

fn push(recorder: &mut TrackRecorder, frame: u64, is_cut: bool, faces: &[(u32, f32)]) {
    let faces: Vec<_> = faces.iter().map(|&(id, x)| (TrackId(id), face_at(x))).collect();
    recorder.push(FrameIndex(frame), is_cut, &faces).unwrap();
}

#[test]
fn what_was_written_is_read_back_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    for frame in 0..200 {
        push(&mut recorder, frame, false, &[(0, 100.0 + frame as f32), (1, 400.0)]);
    }
    let store = recorder.finish().unwrap();
    assert_eq!(store.tracks().len(), 2);
    for frame in [199, 0, 77, 78, 3, 150] {
        let face = store.observation(TrackId(0), FrameIndex(frame)).unwrap().unwrap();
        let wanted = face_at(100.0 + frame as f32);
        assert!(face.points.iter().zip(wanted.points.iter()).all(|(a, b)| (*a - *b).length() < 0.03));
        let smoothed = store.smoothed(TrackId(0), FrameIndex(frame)).unwrap().unwrap();
        assert!(smoothed.points.iter().zip(wanted.points.iter()).all(|(a, b)| (*a - *b).length() < 0.05));
    }
    assert_eq!(store.observation(TrackId(0), FrameIndex(200)).unwrap(), None);
    assert_eq!(store.observation(TrackId(7), FrameIndex(0)).unwrap(), None);
}

#[test]
fn nothing_is_made_up_for_an_absence() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    push(&mut recorder, 0, false, &[(0, 100.0)]);
    push(&mut recorder, 1, false, &[]);
    push(&mut recorder, 2, false, &[]);
    push(&mut recorder, 3, false, &[(0, 130.0)]);
    push(&mut recorder, 4, false, &[]);
    let store = recorder.finish().unwrap();
    let track = &store.tracks()[0];
    assert_eq!(track.frames(), 0..4);
    assert!(track.begins_with_shot && !track.ends_with_shot);
    assert_eq!(track.seen().map(|(frame, _)| frame.0).collect::<Vec<_>>(), [0, 3]);
    for absent in [1, 2].map(FrameIndex) {
        assert_eq!(track.summary(absent), None);
        assert_eq!(store.observation(TrackId(0), absent).unwrap(), None);
        assert_eq!(store.smoothed(TrackId(0), absent).unwrap(), None);
    }
}

/// Where the nose bridge of track 0 is when it is smoothed so strongly, by frame.
fn smoothed_x(store: TrackStore, smoothing: f32) -> Vec<Option<f32>> {
    let store = store.with_smoothing(smoothing);
    let x = |frame| {
        let face = store.smoothed(TrackId(0), FrameIndex(frame)).unwrap();
        face.map(|face| face.pose.translation.x)
    };
    (0..40).map(x).collect()
}

/// Track 0 in 40 frames, trembling by a pixel from frame to frame; away in frames 18 to 20.
fn trembling() -> (tempfile::TempDir, TrackStore) {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    for frame in 0..40 {
        let faces = [(0, 200.0 + if frame % 2 == 0 { 1.0 } else { -1.0 })];
        push(&mut recorder, frame, false, if (18..21).contains(&frame) { &[] } else { &faces });
    }
    (folder, recorder.finish().unwrap())
}

#[test]
fn smoothing_goes_from_what_was_seen_to_a_steady_face() {
    let off = |smoothing: f32| {
        let x = smoothed_x(trembling().1, smoothing);
        x[28..33].iter().map(|x| (x.unwrap() - 200.0).abs()).fold(0.0, f32::max)
    };
    let found = [0.0, 0.15, 0.3, 0.6, 1.0].map(off);
    assert!((found[0] - 1.0).abs() < 0.05 && found[4] < 0.15, "{found:?}");
    assert!(found.windows(2).all(|pair| pair[1] <= pair[0] + 0.02), "{found:?}");
    assert!((off(f32::NAN) - found[2]).abs() < f32::EPSILON);
}

#[test]
fn smoothing_ends_at_cuts_and_absences_and_is_never_late() {
    // Still, then away, then at another place, and after a cut at a third: whatever mixes two of them shows.
    let places = |frame: u64| match frame {
        0..10 => Some((0, 100.0)),
        10..13 => None,
        13..25 => Some((0, 130.0)),
        _ => Some((1, 300.0)),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    for frame in 0..40 {
        push(&mut recorder, frame, frame == 25, places(frame).as_slice());
    }
    let store = recorder.finish().unwrap().with_smoothing(1.0);
    for frame in 0..40 {
        let Some((id, wanted)) = places(frame) else { continue };
        let face = store.smoothed(TrackId(id), FrameIndex(frame)).unwrap().unwrap();
        assert!((face.pose.translation.x - wanted).abs() < 0.05, "frame {frame}");
    }
    // Even motion stays where it is at every strength: nothing lags behind.
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    (0..40).for_each(|frame| push(&mut recorder, frame, false, &[(0, 100.0 + 5.0 * frame as f32)]));
    for (frame, x) in smoothed_x(recorder.finish().unwrap(), 1.0).into_iter().enumerate() {
        assert!((x.unwrap() - 100.0 - 5.0 * frame as f32).abs() < 0.05, "frame {frame}");
    }
}

#[test]
fn a_cut_ends_tracks_and_begins_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    push(&mut recorder, 0, false, &[(0, 100.0)]);
    push(&mut recorder, 1, true, &[(1, 100.0)]);
    push(&mut recorder, 2, false, &[(1, 101.0)]);
    let store = recorder.finish().unwrap();
    let [before, after] = store.tracks() else { panic!("two tracks") };
    assert!(before.ends_with_shot && after.begins_with_shot && after.ends_with_shot);
    assert_eq!((before.frames(), after.frames()), (0..1, 1..3));
}

#[test]
fn saved_tracks_are_the_same_to_the_bit() {
    let (folder, saved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    for frame in 0..50 {
        push(
            &mut recorder,
            frame,
            frame == 30,
            &[(u32::from(frame >= 30), 100.0 + frame as f32), (7 + u32::from(frame >= 30), 400.0)],
        );
    }
    let store = recorder.finish().unwrap();
    store.save(saved.path()).unwrap();
    folder.close().unwrap();
    let restored = TrackStore::restore(saved.path()).unwrap();
    assert_eq!(restored.tracks(), store.tracks());
    for (id, frame) in [(0, 0), (0, 29), (1, 30), (7, 17), (8, 49), (1, 3)] {
        let (id, frame) = (TrackId(id), FrameIndex(frame));
        assert_eq!(restored.smoothed(id, frame).unwrap(), store.smoothed(id, frame).unwrap());
    }
}

#[test]
fn saved_tracks_that_do_not_fit_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    (0..3).for_each(|frame| push(&mut recorder, frame, false, &[(0, 100.0)]));
    let store = recorder.finish().unwrap();
    let saved = || {
        let saved = tempfile::tempdir().unwrap();
        store.save(saved.path()).unwrap();
        saved
    };
    let cut_off = saved();
    let records = File::options().write(true).open(cut_off.path().join("faces.bin")).unwrap();
    records.set_len(2 * RECORD_BYTES as u64).unwrap();
    assert!(TrackStore::restore(cut_off.path()).is_err());
    let (longer, shorter, foreign) = (saved(), saved(), saved());
    let mut bytes = std::fs::read(longer.path().join("tracks.bin")).unwrap();
    std::fs::write(shorter.path().join("tracks.bin"), &bytes[..bytes.len() - 1]).unwrap();
    bytes.push(0);
    std::fs::write(longer.path().join("tracks.bin"), &bytes).unwrap();
    packed::write(&foreign.path().join("tracks.bin"), &"tracks of something else").unwrap();
    for folder in [longer, shorter, foreign, tempfile::tempdir().unwrap()] {
        assert!(TrackStore::restore(folder.path()).is_err());
    }
}

#[test]
fn a_skipped_frame_is_refused_and_a_lost_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    assert!(recorder.push(FrameIndex(1), false, &[]).is_err());
    push(&mut recorder, 0, false, &[(0, 100.0)]);
    let store = recorder.finish().unwrap();
    File::options().write(true).open(folder.path().join("faces.bin")).unwrap().set_len(10).unwrap();
    assert!(store.observation(TrackId(0), FrameIndex(0)).is_err());
    assert!(TrackRecorder::create(&folder.path().join("missing")).is_err());
}
