//! What a mouth costs: one 720p frame with a face 300 px wide, on one core.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use viseme_core::geometry::Vec3;
use viseme_core::{FrameIndex, Pts};
use viseme_engines::engine::{JobContext, LocalEngine, MouthPlan, MouthRequest, PlannedMouth, VoiceId};
use viseme_engines::{NativeEngine, NativeOptions};
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::points::{INNER_LOWER_LIP, OUTER_LOWER_LIP};
use viseme_face::{FaceObservation, HeadPose, TrackId};
use viseme_imaging::{ColourInfo, ColourMatrix, ColourRange, Frame, PixelFormat};
use viseme_models::RtenRuntime;

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Pixels per canonical unit of a face about 300 px wide.
const SCALE_PX: f32 = 130.0;

fn face(opening: f32) -> FaceObservation {
    let upright = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let pose = HeadPose { scale_px: SCALE_PX, rotation: upright, translation: Vec3::new(640.0, 300.0, 0.0) };
    let mut points = CANONICAL_POINTS;
    for lower in OUTER_LOWER_LIP.chain(INNER_LOWER_LIP) {
        points[lower].y += opening;
    }
    let points = points.map(|p| pose.image_from_canonical(p));
    FaceObservation {
        points: Box::new(points),
        pose,
        bbox: viseme_core::geometry::Rect::default(),
        presence: 1.0,
        mouth_visible: 1.0,
    }
}

fn frame() -> Frame {
    let format = PixelFormat::YUV420P;
    let bytes: Vec<u8> = (0..format.frame_bytes(WIDTH, HEIGHT))
        .map(|i| 120 + (i * 31 / 7 % 40) as u8 + (i / 1280 % 9) as u8)
        .collect();
    Frame::from_bytes(Pts(0), format, WIDTH, HEIGHT, &bytes).unwrap_or_else(|error| unreachable!("{error}"))
}

fn synthesize(criterion: &mut Criterion) {
    // One core, as the figures are given.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    for (name, speaks) in [("borrowed mouth", true), ("drawn mouth", false)] {
        let folder = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
        let colour = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);
        let work_dir = folder.path().to_owned();
        let context = JobContext {
            width: WIDTH,
            height: HEIGHT,
            format: PixelFormat::YUV420P,
            colour,
            work_dir,
            is_still: false,
        };
        let mut job = NativeEngine::new(NativeOptions::default(), &RtenRuntime::default())
            .and_then(|engine| engine.begin(context))
            .unwrap_or_else(|error| unreachable!("{error}"));
        let frame = frame();
        let opening = |i: u64| if speaks { 0.01 * i as f32 } else { 0.0 };
        let track = TrackId(0);
        let speech: Vec<f32> =
            (0..16_000).map(|i| (i as f32 * 0.05).sin() * ((i / 1600 % 2) as f32) * 0.3).collect();
        let mouths: Vec<PlannedMouth> = (0..25)
            .map(|i| PlannedMouth { output: FrameIndex(i), source: FrameIndex(i), speech_s: i as f64 / 25.0 })
            .collect();
        let studied = (0..25).try_for_each(|i| job.study(FrameIndex(i), &frame, track, &face(opening(i))));
        let ready = studied
            .and_then(|()| job.listen(VoiceId::MAIN, &speech))
            .and_then(|()| job.prepare(&[MouthPlan { track, voice: VoiceId::MAIN, mouths: mouths.clone() }]));
        assert!(ready.is_ok());
        let face = face(opening(12));
        let request =
            [MouthRequest { track, planned: mouths[12], frame: &frame, face: &face, strength: 1.0 }];
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(job.synthesize(&request))));
    }
}

criterion_group!(benches, synthesize);
criterion_main!(benches);
