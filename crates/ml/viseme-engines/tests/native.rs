//! The native engine from outside: what it may change, and that it does so in the same way every time.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use viseme_core::geometry::Vec3;
use viseme_core::{FrameIndex, Pts, Result};
use viseme_engines::engine::{
    EngineJob, JobContext, LocalEngine, MouthPlan, MouthRequest, PlannedMouth, VoiceId,
};
use viseme_engines::{NativeEngine, NativeOptions};
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::points::{INNER_LOWER_LIP, OUTER_LOWER_LIP};
use viseme_face::{FaceObservation, HeadPose, TrackId};
use viseme_imaging::{
    ChromaSampling, ColourInfo, ColourMatrix, ColourRange, Frame, Patch, PixelFormat, composite,
};
use viseme_models::RtenRuntime;

const WIDTH: u32 = 161;
const HEIGHT: u32 = 175;
const FRAMES: u64 = 20;
const TRACK: TrackId = TrackId(3);

fn face(scale_px: f32, x: f32, opening: f32) -> FaceObservation {
    let upright = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let pose = HeadPose { scale_px, rotation: upright, translation: Vec3::new(x, 60.0, 0.0) };
    let mut points = CANONICAL_POINTS;
    for lower in OUTER_LOWER_LIP.chain(INNER_LOWER_LIP) {
        points[lower].y += opening;
    }
    FaceObservation::new(Box::new(points.map(|p| pose.image_from_canonical(p))), 0.98, 0.97).unwrap()
}

fn frame(format: PixelFormat, seed: u32) -> Frame {
    let mut bytes = Vec::new();
    for plane in 0..format.plane_count() {
        let (columns, rows) = format.plane_size(plane, WIDTH, HEIGHT);
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            let wave = ((x + seed) as f32 * 0.21).sin() + (y as f32 * 0.17 + plane as f32).cos();
            let value = ((0.5 + 0.2 * wave) * f32::from(format.max_value())) as u16;
            let sample = value.to_le_bytes();
            bytes.extend_from_slice(if format.bit_depth > 8 { &sample } else { &sample[..1] });
        }
    }
    Frame::from_bytes(Pts(0), format, WIDTH, HEIGHT, &bytes).unwrap()
}

/// A tone that goes on and off as syllables do.
fn speech() -> Vec<f32> {
    (0..32_000)
        .map(|i| {
            let t = i as f32 / 16_000.0;
            let voice: f32 =
                (1..20).map(|k| (t * 130.0 * k as f32 * std::f32::consts::TAU).sin() / k as f32).sum();
            voice * 0.1 * (t * 4.0 * std::f32::consts::PI).sin().max(0.0)
        })
        .collect()
}

struct Talk {
    format: PixelFormat,
    speaks: bool,
    is_still: bool,
    speech: Vec<f32>,
    scale_px: f32,
    x: f32,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            format: PixelFormat::YUV420P,
            speaks: true,
            is_still: false,
            speech: speech(),
            scale_px: 50.0,
            x: 80.0,
        }
    }
}

impl Talk {
    fn face(&self, index: u64) -> FaceObservation {
        let opening = if self.speaks { 0.15 * (1.0 - (index as f32 * 0.7).cos()) } else { 0.0 };
        face(self.scale_px, self.x, opening)
    }

    fn planned(index: u64) -> PlannedMouth {
        PlannedMouth {
            output: FrameIndex(index),
            source: FrameIndex(index % FRAMES),
            speech_s: index as f64 / 25.0,
        }
    }

    /// A job that has not seen or heard anything.
    fn begun(&self, folder: &std::path::Path, options: NativeOptions) -> Box<dyn EngineJob> {
        let colour = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);
        let context = JobContext {
            width: WIDTH,
            height: HEIGHT,
            format: self.format,
            colour,
            work_dir: folder.to_owned(),
            is_still: self.is_still,
        };
        NativeEngine::new(options, &RtenRuntime::default()).unwrap().begin(context).unwrap()
    }

    fn job(&self, folder: &std::path::Path, options: NativeOptions) -> Box<dyn EngineJob> {
        let mut job = self.begun(folder, options);
        for i in 0..FRAMES {
            job.study(FrameIndex(i), &frame(self.format, i as u32), TRACK, &self.face(i)).unwrap();
        }
        job.listen(VoiceId::MAIN, &self.speech).unwrap();
        let mouths = (0..50).map(Self::planned).collect();
        job.prepare(&[MouthPlan { track: TRACK, voice: VoiceId::MAIN, mouths }]).unwrap();
        job
    }

    fn patches(&self, strength: f32, options: NativeOptions) -> Result<Vec<Option<Patch>>> {
        let folder = tempfile::tempdir().unwrap();
        let job = self.job(folder.path(), options);
        let shown: Vec<(Frame, FaceObservation)> =
            (0..50).map(|i| (frame(self.format, (i % FRAMES) as u32), self.face(i % FRAMES))).collect();
        let requests: Vec<MouthRequest<'_>> = (0..)
            .zip(&shown)
            .map(|(i, (frame, face))| MouthRequest {
                track: TRACK,
                planned: Self::planned(i),
                frame,
                face,
                strength,
            })
            .collect();
        job.synthesize(&requests)
    }
}

fn fits(patch: &Patch, talk: &Talk) {
    composite(&mut frame(talk.format, 0), patch).unwrap();
    for plane in &patch.planes {
        assert!(plane.values.iter().all(|value| value.is_finite()));
        assert!(plane.mask.iter().all(|weight| (0.0..=1.0).contains(weight)));
    }
}

#[test]
fn every_format_gets_patches_that_fit_it() {
    for (chroma, bit_depth, alpha) in [
        (ChromaSampling::Yuv420, 8, false),
        (ChromaSampling::Yuv420, 10, true),
        (ChromaSampling::Yuv422, 8, false),
        (ChromaSampling::Yuv444, 12, false),
        (ChromaSampling::Gbr, 8, false),
        (ChromaSampling::Gray, 8, false),
    ] {
        for speaks in [true, false] {
            let talk = Talk { format: PixelFormat { chroma, bit_depth, alpha }, speaks, ..Talk::default() };
            let patches = talk.patches(1.0, NativeOptions::default()).unwrap();
            assert_eq!(patches.len(), 50);
            assert!(patches.iter().flatten().count() > 25, "{chroma:?} {speaks}");
            patches.iter().flatten().for_each(|patch| fits(patch, &talk));
        }
    }
}

#[test]
fn two_faces_speak_two_voices_as_each_would_alone() {
    const OTHER: TrackId = TrackId(4);
    let (talk, options) = (Talk::default(), NativeOptions::default());
    let quiet = Talk { speech: vec![0.0; 32_000], ..Talk::default() };
    let alone = [&talk, &quiet].map(|talk| talk.patches(1.0, options).unwrap());
    assert_ne!(alone[0], alone[1]);
    let folder = tempfile::tempdir().unwrap();
    let mut job = talk.begun(folder.path(), options);
    for i in 0..FRAMES {
        let (frame, face) = (frame(talk.format, i as u32), talk.face(i));
        for track in [TRACK, OTHER] {
            job.study(FrameIndex(i), &frame, track, &face).unwrap();
        }
    }
    let voices = [VoiceId(1), VoiceId(2)];
    for (spoken, silent) in talk.speech.chunks(1000).zip(quiet.speech.chunks(1000)) {
        job.listen(voices[0], spoken).unwrap();
        job.listen(voices[1], silent).unwrap();
    }
    let mouths: Vec<_> = (0..50).map(Talk::planned).collect();
    let plan = |track, voice| MouthPlan { track, voice, mouths: mouths.clone() };
    let heard = job.prepare(&[plan(TRACK, voices[0]), plan(OTHER, voices[1])]).unwrap();
    assert!(heard[&voices[0]].voiced_s > 0.5 && heard[&voices[1]].voiced_s < 0.1, "{heard:?}");
    for (track, alone) in [TRACK, OTHER].into_iter().zip(&alone) {
        for i in 0..50 {
            let (frame, face) = (frame(talk.format, (i % FRAMES) as u32), talk.face(i % FRAMES));
            let request =
                MouthRequest { track, planned: Talk::planned(i), frame: &frame, face: &face, strength: 1.0 };
            assert_eq!(job.synthesize(&[request]).unwrap()[0], alone[i as usize], "{track:?}, frame {i}");
        }
    }
    let mut deaf = talk.begun(folder.path(), options);
    assert!(deaf.prepare(&[plan(TRACK, VoiceId(3))]).is_err());
}

#[test]
fn the_same_job_twice_gives_the_same_bits() {
    let talk = Talk::default();
    let options = NativeOptions::default();
    assert_eq!(talk.patches(1.0, options).unwrap(), talk.patches(1.0, options).unwrap());
}

#[test]
fn no_strength_changes_nothing() {
    let patches = Talk::default().patches(0.0, NativeOptions::default()).unwrap();
    assert!(patches.iter().all(Option::is_none));
}

#[test]
fn only_the_lower_face_changes() {
    let talk = Talk::default();
    let brow = talk.face(0).points[116].y;
    for patch in talk.patches(1.0, NativeOptions::default()).unwrap().iter().flatten() {
        let luma = &patch.planes[0];
        let rows = luma.mask.chunks_exact(luma.width as usize).enumerate();
        for (row, weights) in rows.filter(|(row, _)| ((patch.region.y as usize + row) as f32) < brow) {
            assert!(weights.iter().all(|&weight| weight == 0.0), "row {row}");
        }
    }
}

#[test]
fn silence_shows_one_and_the_same_mouth() {
    let talk = Talk { speaks: false, speech: vec![0.0; 32_000], ..Talk::default() };
    let patches = talk.patches(1.0, NativeOptions::default()).unwrap();
    // The canonical mouth is at rest already: whatever changes, it is the same in each frame of the same picture.
    for i in 0..30 {
        assert_eq!(patches[i], patches[i + FRAMES as usize]);
    }
}

#[test]
fn a_face_at_the_edge_of_the_picture_is_no_fault() {
    for x in [-30.0, 0.0, 155.0, 400.0] {
        for speaks in [true, false] {
            let talk = Talk { speaks, x, ..Talk::default() };
            talk.patches(1.0, NativeOptions::default())
                .unwrap()
                .iter()
                .flatten()
                .for_each(|patch| fits(patch, &talk));
        }
    }
}

#[test]
fn a_tiny_face_is_no_fault() {
    let talk = Talk { scale_px: 2.0, ..Talk::default() };
    talk.patches(1.0, NativeOptions::default())
        .unwrap()
        .iter()
        .flatten()
        .for_each(|patch| fits(patch, &talk));
}

#[test]
fn a_face_or_a_frame_that_was_never_planned_is_refused() {
    let talk = Talk::default();
    let folder = tempfile::tempdir().unwrap();
    let job = talk.job(folder.path(), NativeOptions::default());
    let (frame, face) = (frame(talk.format, 0), talk.face(0));
    let request = |track: TrackId, output: u64| MouthRequest {
        track,
        planned: PlannedMouth { output: FrameIndex(output), ..Talk::planned(0) },
        frame: &frame,
        face: &face,
        strength: 1.0,
    };
    assert!(job.synthesize(&[request(TrackId(9), 0)]).is_err());
    assert!(job.synthesize(&[request(TRACK, 999)]).is_err());
}

#[test]
fn a_picture_that_is_animated_moves_in_silence_and_others_do_not() {
    let options = NativeOptions { animate_still: true, ..NativeOptions::default() };
    let quiet = || Talk { speaks: false, speech: vec![0.0; 32_000], ..Talk::default() };
    let picture = Talk { is_still: true, ..quiet() };
    let patches = picture.patches(1.0, options).unwrap();
    patches.iter().flatten().for_each(|patch| fits(patch, &picture));
    let face = picture.face(0);
    let moved = patches[40].as_ref().unwrap();
    assert!((moved.region.y as f32) < face.points[94].y, "the forehead moves too");
    assert_ne!(patches[0], patches[20]);
    assert_eq!(
        quiet().patches(1.0, options).unwrap(),
        quiet().patches(1.0, NativeOptions::default()).unwrap()
    );
}
