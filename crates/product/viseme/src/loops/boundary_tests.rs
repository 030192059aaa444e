//! What is seen where one round passes over into the next.

use super::search::best_loop;
use super::{DEFAULT_CROSSFADE_FRAMES, LoopMode};
use crate::analyse::Analysis;
use crate::plan::{PlanInput, plan};
use crate::source::PlannedFrames;
use crate::source::tests::MemoryClip;
use viseme_core::{FrameIndex, Pts, Silent};
use viseme_face::{FaceObservation, TrackId, TrackRecorder};
use viseme_imaging::{Frame, PixelFormat};
use viseme_testing::FakeFace;
use viseme_testing::fake_media::video_info;

const WIDTH: u32 = 192;
const HEIGHT: u32 = 128;
const FRAMES: usize = 60;
const FACE: FakeFace = FakeFace { x: 140.0, y: 60.0, scale_px: 20.0 };

/// A clip whose brightness (gray levels) is that of `gray` for each frame and place.
fn clip(gray: impl Fn(usize, f32, f32) -> f32) -> MemoryClip {
    let (columns, rows) = (WIDTH as usize, HEIGHT as usize);
    let frame = |number: usize| {
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x as f32, y as f32)));
        let mut samples: Vec<u8> = places.map(|(x, y)| gray(number, x, y) as u8).collect();
        samples.resize(PixelFormat::YUV420P.frame_bytes(WIDTH, HEIGHT), 128);
        Frame::from_bytes(Pts(number as i64 * 40), PixelFormat::YUV420P, WIDTH, HEIGHT, &samples).unwrap()
    };
    MemoryClip {
        info: video_info(WIDTH, HEIGHT),
        frames: (0..FRAMES).map(frame).collect(),
        ..MemoryClip::new(0)
    }
}

/// The same with one face in all frames.
fn analysis(clip: &MemoryClip) -> Analysis {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = TrackRecorder::create(folder.path()).unwrap();
    let face = FaceObservation::new(FACE.points(), 1.0, 1.0).unwrap();
    for frame in 0..FRAMES as u64 {
        recorder.push(FrameIndex(frame), false, &[(TrackId(0), face.clone())]).unwrap();
    }
    Analysis { tracks: recorder.finish().unwrap(), ..clip.analysis() }
}

/// Mean differences of the frames on end, in gray levels.
fn steps(frames: &[Vec<f32>]) -> Vec<f32> {
    let step = |pair: &[Vec<f32>]| {
        let differences = pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b).abs());
        differences.sum::<f32>() / pair[0].len() as f32
    };
    frames.windows(2).map(step).collect()
}

fn luma(frame: &Frame) -> Vec<f32> {
    let places = (0..i64::from(HEIGHT)).flat_map(|y| (0..i64::from(WIDTH)).map(move |x| (x, y)));
    places.map(|(x, y)| frame.planes[0].value(x, y)).collect()
}

/// The largest step of a looped clip after its first round, over the 95th percentile of the clip's own.
fn worst_boundary(clip: &MemoryClip, mode: LoopMode) -> f32 {
    let analysis = analysis(clip);
    let blended = u64::from(DEFAULT_CROSSFADE_FRAMES);
    let loop_shape = best_loop(clip, &analysis, mode, blended, &Silent).unwrap();
    let (times, lead, speech_s) = (analysis.times.clone(), Pts(0), 2.0 * 0.04 * FRAMES as f64);
    let plan = plan(PlanInput { times, lead, speech_s, loop_mode: mode, loop_shape, faces: Vec::new() });
    let mut frames = PlannedFrames::new(clip, &analysis, &plan, None, 0..plan.len());
    let shown: Vec<_> =
        std::iter::from_fn(|| frames.next_frame().unwrap()).map(|(_, frame)| luma(&frame)).collect();
    let boundary = (loop_shape.end - loop_shape.blended) as usize;
    let worst = steps(&shown)[boundary - 1..].iter().copied().fold(0.0, f32::max);
    let mut own = steps(&clip.frames.iter().map(luma).collect::<Vec<_>>());
    own.sort_by(f32::total_cmp);
    worst / own[own.len() * 95 / 100]
}

/// Soft waves, 90 to 170, that sway by a pixel and a half.
fn waves(frame: usize, x: f32, y: f32) -> f32 {
    let x = x - 1.5 * (0.4 * frame as f32).sin();
    130.0 + 20.0 * (0.21 * x + 0.13 * y).sin() + 20.0 * (0.17 * y - 0.11 * x).cos()
}

#[test]
fn a_fade_at_either_end_is_not_seen_at_the_boundary() {
    let fading_in = clip(|frame, x, y| waves(frame, x, y) * [0.4, 0.5, 0.75].get(frame).unwrap_or(&1.0));
    let last = FRAMES - 1;
    let fading_out =
        clip(|frame, x, y| waves(frame, x, y) * [0.1, 0.4, 0.7].get(last - frame).unwrap_or(&1.0));
    for mode in [LoopMode::Crossfade, LoopMode::Smart] {
        for (name, clip) in [("in", &fading_in), ("out", &fading_out)] {
            let worst = worst_boundary(clip, mode);
            assert!(worst < 1.5, "{worst} with {mode:?} of a clip that fades {name}");
        }
    }
}

#[test]
fn what_is_in_one_round_alone_fades_evenly() {
    // A bright disc comes up beside the face in the second half.
    let shining = |frame: usize| (frame as f32 / FRAMES as f32 * 3.0 - 1.2).clamp(0.0, 1.0);
    let disc = clip(|frame, x, y| {
        let is_inside = (x - 45.0).hypot(y - 60.0) < 22.0;
        waves(frame, x, y) + if is_inside { 80.0 * shining(frame) } else { 0.0 }
    });
    for mode in [LoopMode::Crossfade, LoopMode::Smart] {
        let worst = worst_boundary(&disc, mode);
        assert!(worst < 1.5, "{worst} with {mode:?}");
    }
}
