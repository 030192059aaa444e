//! `SyncNet` over a face: windows, batches and offsets with nets that do something simple, and with a real narrow net.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::path::Path;
use std::sync::Arc;
use viseme_audio::Mfcc;
use viseme_core::Result;
use viseme_engines::metrics::syncnet::SyncScore;
use viseme_engines::metrics::syncnet_track::{SyncNet, SyncNetTrack};
use viseme_imaging::ImageU8;
use viseme_models::{Architecture, ModelFile, RtenRuntime, Runtime, Tensor, convert};
use viseme_testing::runtimes::FakeSession;

/// A loudness of each frame, 0 to 1, that does not repeat.
fn loudness(frame: i64) -> f32 {
    let x = frame as f32;
    0.5 + 0.25 * (x * 0.7).sin() + 0.25 * (x * 0.31).cos()
}

/// A face of even gray that shows the loudness of `late` frames ago.
fn picture(frame: i64, late: i64) -> ImageU8<3> {
    let gray = (loudness(frame - late) * 250.0).round() as u8;
    ImageU8::filled(224, 224, [gray; 3]).unwrap()
}

/// 40 ms of a tone whose power is e to the tenfold loudness.
fn tone(frame: i64) -> Vec<f32> {
    let amplitude = 1e-3 * (loudness(frame) * 5.0).exp();
    (0..640).map(|i| amplitude * (i as f32 * 0.9).sin()).collect()
}

/// Nets that answer the loudness: the gray of the first picture, and the energy of the first frame of sound.
fn fake_nets() -> SyncNet {
    let mut frames = Vec::new();
    Mfcc::new().push(&(0..400).map(|i| 1e-3 * (i as f32 * 0.9).sin()).collect::<Vec<_>>(), &mut frames);
    let silence = frames[0][0] as f32;
    let embedding = |values: Vec<f32>| Tensor::new(vec![values.len(), 2], doubled(&values));
    let lip = FakeSession::new(move |lips: &Tensor| {
        assert_eq!(lips.shape()[1..], [3, 5, 224, 224]);
        assert!(lips.shape()[0] <= 8);
        embedding(lips.floats()?.chunks_exact(3 * 5 * 224 * 224).map(|window| window[0] / 250.0).collect())
    });
    let audio = FakeSession::new(move |mfcc: &Tensor| {
        assert_eq!(mfcc.shape()[1..], [1, 13, 20]);
        embedding(mfcc.floats()?.chunks_exact(13 * 20).map(|window| (window[0] - silence) / 10.0).collect())
    });
    SyncNet::new(Arc::new(lip), Arc::new(audio))
}

fn doubled(values: &[f32]) -> Vec<f32> {
    values.iter().flat_map(|value| [*value, 0.5]).collect()
}

fn score(nets: &SyncNet, frames: i64, late: i64) -> Result<Option<SyncScore>> {
    let mut track = SyncNetTrack::new(nets.clone());
    for frame in 0..frames {
        track.push(picture(frame, late), &tone(frame))?;
    }
    track.finish()
}

#[test]
fn late_lips_have_an_offset_above_zero_and_early_ones_below() {
    let nets = fake_nets();
    for late in [-7, -1, 0, 3, 10] {
        let score = score(&nets, 150, late).unwrap().unwrap();
        assert_eq!(i64::from(score.offset), late);
        assert!(score.distance < 0.1 && score.confidence > 0.1, "{late}: {score:?}");
        assert_eq!(score.distances.len(), 145);
    }
}

#[test]
fn a_face_shorter_than_a_window_and_a_sound_that_ends_give_no_more() {
    let nets = fake_nets();
    assert!(score(&nets, 5, 0).unwrap().is_none());
    assert_eq!(score(&nets, 6, 0).unwrap().unwrap().distances.len(), 1);
    let mut track = SyncNetTrack::new(nets);
    for frame in 0..200 {
        let sound = if frame < 60 { tone(frame) } else { vec![0.0; if frame == 60 { 100 } else { 0 }] };
        track.push(picture(frame, 0), &sound).unwrap();
    }
    assert_eq!(track.finish().unwrap().unwrap().distances.len(), 55);
}

#[test]
fn a_net_that_fails_ends_the_score() {
    let broken = || FakeSession::new(|_| Err(viseme_core::Error::internal("no")));
    let nets = SyncNet::new(Arc::new(broken()), Arc::new(broken()));
    assert!(score(&nets, 20, 0).is_err());
}

#[test]
fn a_real_net_of_few_channels_scores_a_face() {
    let checkpoint = Path::new(env!("CARGO_MANIFEST_DIR")).join("../viseme-models/tests/vectors/syncnet.pth");
    let folder = tempfile::tempdir().unwrap();
    let net = |architecture, name: &str| {
        let onnx = folder.path().join(name);
        convert(architecture, &checkpoint, &onnx).unwrap();
        RtenRuntime::default().load(&ModelFile::file(name, &onnx)).unwrap()
    };
    let nets = SyncNet::new(
        net(Architecture::SyncNetLip, "lip.onnx"),
        net(Architecture::SyncNetAudio, "audio.onnx"),
    );
    // 19 windows: two batches of eight and one of three.
    let score = score(&nets, 24, 0).unwrap().unwrap();
    assert_eq!(score.distances.len(), 19);
    assert!(score.distance.is_finite() && score.confidence >= 0.0 && score.offset.abs() <= 15);
    // A window alone gives what it gives in a batch, at no offset.
    let alone = self::score(&nets, 6, 0).unwrap().unwrap();
    assert!((alone.distances[0][15] - score.distances[0][15]).abs() < 1e-3);
}
