//! Any scene through a whole job: faces that come and go, turn and grow, over cuts, in every loop mode.

#![expect(clippy::unwrap_used, reason = "a panic here is a failed test")]

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use viseme::{Codec, JobSpec, LoopMode, Report, Runner, Speakers};
use viseme_core::geometry::{PixelRect, Rect, Vec3};
use viseme_core::segment::Segment;
use viseme_core::{Limits, Pts, Result, Silent};
use viseme_face::canonical::CANONICAL_POINTS;
use viseme_face::detect::{Detection, FaceDetector};
use viseme_face::framing::{AnalysisImage, Framing};
use viseme_face::landmarks::{LandmarkModel, Landmarks};
use viseme_face::mouth::{Lips, MouthModel};
use viseme_face::points::POINT_COUNT;
use viseme_face::{FaceNets, HeadPose};
use viseme_imaging::{Frame, PixelFormat};
use viseme_media::{EncodeSettings, FrameSink, OutputVideo, Tools, VideoWriter};
use viseme_testing::clips::{decode, speech};
use viseme_testing::fake_engine::Calls;
use viseme_testing::fake_media::video_info;
use viseme_testing::{FakeEmbedder, FakeEngine, FakePatch};

const WIDTH: u32 = 160;
const HEIGHT: u32 = 128;
const PATCH: FakePatch = FakePatch { region: PixelRect { x: 60, y: 60, width: 24, height: 16 }, value: 40.0 };

/// A face, and how it goes through the scene.
#[derive(Debug, Clone)]
struct Actor {
    /// Where the bridge of the nose is in the first frame, in pixels, and how it moves from frame to frame.
    place: [f32; 2],
    step: [f32; 2],
    /// Pixels per canonical unit, and the factor from frame to frame.
    scale_px: f32,
    growth: f32,
    /// Yaw in degrees, and how it changes from frame to frame.
    yaw: f32,
    turn: f32,
    presence: f32,
    visible: f32,
    /// First frame and number of frames in which it is away.
    absences: Vec<(usize, usize)>,
}

impl Actor {
    fn points(&self, frame: usize) -> Box<[Vec3; POINT_COUNT]> {
        let time = frame as f32;
        let (sin, cos) = (self.yaw + self.turn * time).to_radians().sin_cos();
        let at = |axis: usize| self.place[axis] + self.step[axis] * time;
        let pose = HeadPose {
            scale_px: self.scale_px * self.growth.powf(time),
            rotation: [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]],
            translation: Vec3::new(at(0), at(1), 0.0),
        };
        Box::new(CANONICAL_POINTS.map(|point| pose.image_from_canonical(point)))
    }

    fn bbox(&self, frame: usize) -> Rect {
        Rect::bounding(self.points(frame).iter().map(|point| point.xy())).unwrap()
    }

    fn is_there(&self, frame: usize) -> bool {
        !self.absences.iter().any(|&(first, count)| (first..first + count).contains(&frame))
    }
}

/// What there is to be seen: nets that need no weights, since each frame carries its number in its first sample.
#[derive(Debug, Clone)]
struct Scene {
    frames: usize,
    /// The frames that begin a shot.
    cuts: BTreeSet<usize>,
    actors: Vec<Actor>,
}

impl Scene {
    /// How many shots have begun before a frame.
    fn shot(&self, frame: usize) -> usize {
        self.cuts.iter().filter(|&&cut| cut <= frame).count()
    }

    /// Stripes that are others in every shot.
    fn frame(&self, number: usize) -> Frame {
        let (along, across) = [(0.3, 0.0), (0.0, 0.3), (0.2, -0.25), (0.15, 0.3)][self.shot(number) % 4];
        let sample = |index: u32| {
            let (x, y) = ((index % WIDTH) as f32, (index / WIDTH) as f32);
            (128.0 + 80.0 * (along * x + across * y).sin()) as u8
        };
        let mut samples: Vec<u8> = (0..WIDTH * HEIGHT).map(sample).collect();
        samples.resize(PixelFormat::YUV420P.frame_bytes(WIDTH, HEIGHT), 128);
        samples[0] = number as u8;
        Frame::from_bytes(Pts(number as i64 * 40), PixelFormat::YUV420P, WIDTH, HEIGHT, &samples).unwrap()
    }

    fn write(&self, path: &Path) {
        let (tools, limits) = (Tools::locate().unwrap(), Limits::default());
        let settings = EncodeSettings { codec: Codec::Ffv1, lossless: true, ..EncodeSettings::default() };
        let video = OutputVideo::like(&video_info(WIDTH, HEIGHT));
        let mut writer = VideoWriter::create(&tools, path, &video, &settings, &limits).unwrap();
        (0..self.frames).for_each(|number| writer.write(&self.frame(number)).unwrap());
        Box::new(writer).finish().unwrap();
    }

    fn nets(&self) -> FaceNets {
        let scene = Arc::new(self.clone());
        FaceNets { detector: scene.clone(), landmarks: scene.clone(), mouth: scene }
    }

    /// The actors who are in a frame.
    fn cast(&self, frame: usize) -> impl Iterator<Item = &Actor> {
        self.actors.iter().filter(move |actor| actor.is_there(frame))
    }

    /// The face that `framing` shows, and how sure one can be of it.
    fn nearest(&self, image: AnalysisImage<'_>, framing: &Framing) -> (Box<[Vec3; POINT_COUNT]>, f32, f32) {
        let number = number_of(image.frame);
        let off = |actor: &Actor| (actor.bbox(number).center() - framing.center).length();
        let shown = self.cast(number).filter(|actor| off(actor) < framing.side / 2.0);
        let Some(actor) = shown.min_by(|a, b| off(a).total_cmp(&off(b))) else {
            return (Box::new(CANONICAL_POINTS.map(|point| point * 10.0)), 0.0, 0.0);
        };
        (actor.points(number), actor.presence, actor.visible)
    }
}

fn number_of(frame: &Frame) -> usize {
    frame.planes[0].value(0, 0).round() as usize
}

impl FaceDetector for Scene {
    fn name(&self) -> &'static str {
        "scene"
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        let number = number_of(image.frame);
        let boxes = self.cast(number).map(|actor| (actor.bbox(number), actor.presence));
        Ok(boxes.map(|(bbox, score)| Detection { bbox, score, points: None }).collect())
    }
}

impl LandmarkModel for Scene {
    fn locate(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Landmarks> {
        let (points, presence, _) = self.nearest(image, framing);
        Ok(Landmarks { points, presence })
    }
}

impl MouthModel for Scene {
    fn refine(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Lips> {
        let (points, _, visible) = self.nearest(image, framing);
        Ok(Lips { points: std::array::from_fn(|index: usize| points[index].xy()), visible })
    }
}

fn actor() -> impl Strategy<Value = Actor> {
    let place = ([20f32..140.0, 20f32..100.0], [-2f32..2.0, -1f32..1.0]);
    let size = (prop_oneof![8f32..60.0, 26f32..45.0], 0.97f32..1.03);
    let pose = (prop_oneof![-80f32..80.0, -20f32..20.0], -4f32..4.0);
    let certainty = (prop_oneof![0f32..1.0, Just(0.98)], prop_oneof![0f32..1.0, Just(0.98)]);
    let absences = prop::collection::vec((0usize..40, 1usize..9), 0..3);
    (place, size, pose, certainty, absences).prop_map(|(place, size, pose, certainty, absences)| Actor {
        place: place.0,
        step: place.1,
        scale_px: size.0,
        growth: size.1,
        yaw: pose.0,
        turn: pose.1,
        presence: certainty.0,
        visible: certainty.1,
        absences,
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let cuts = prop::collection::btree_set(1usize..40, 0..3);
    (1usize..45, cuts, prop::collection::vec(actor(), 0..4)).prop_map(|(frames, cuts, actors)| Scene {
        frames,
        cuts,
        actors,
    })
}

fn any_mode() -> impl Strategy<Value = LoopMode> {
    prop_oneof![
        Just(LoopMode::None),
        Just(LoopMode::Repeat),
        Just(LoopMode::Pingpong),
        Just(LoopMode::Crossfade),
        Just(LoopMode::Smart),
        Just(LoopMode::Hold),
        Just(LoopMode::Remap),
    ]
}

/// How a job is to be done.
#[derive(Debug, Clone)]
struct Order {
    loop_mode: LoopMode,
    crossfade_frames: u8,
    smoothing: f32,
    face: Speakers,
    speech_s: f64,
}

fn order() -> impl Strategy<Value = Order> {
    let face = prop_oneof![Just(Speakers::All), Just(Speakers::Largest)];
    (any_mode(), 1u8..12, 0f32..=1.0, face, 0.05f64..4.0).prop_map(
        |(loop_mode, crossfade_frames, smoothing, face, speech_s)| Order {
            loop_mode,
            crossfade_frames,
            smoothing,
            face,
            speech_s,
        },
    )
}

/// Does the job; what is in the file that it wrote, too.
fn run(scene: &Scene, order: &Order) -> (Report, Calls, usize) {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("scene.mov");
    scene.write(&video);
    let audio = speech(folder.path(), "speech.wav", order.speech_s);
    let mut spec = JobSpec::new(video, audio, folder.path().join("out.mkv"));
    (spec.encode.codec, spec.encode.lossless) = (Codec::Ffv1, true);
    (spec.loop_mode, spec.crossfade_frames) = (order.loop_mode, order.crossfade_frames);
    (spec.smoothing, spec.face) = (order.smoothing, order.face.clone());
    let engine = FakeEngine::new(PATCH);
    let runner = Runner::new(Tools::locate().unwrap(), scene.nets(), Box::new(engine.clone()))
        .with_embedder(Arc::new(FakeEmbedder::default()))
        .with_temporary_folder(folder.path());
    let report = runner.run(&spec, &Silent).unwrap();
    let written = decode(&spec.output).len();
    (report, engine.calls(), written)
}

/// Whether segments cover the output in order, without gap or overlap, and every number in them is one.
fn check_partition(segments: &[Segment], duration_ms: u64) -> std::result::Result<(), TestCaseError> {
    prop_assert_eq!(segments.first().map(|segment| segment.start_ms), Some(0));
    prop_assert_eq!(segments.last().map(|segment| segment.end_ms), Some(duration_ms));
    prop_assert!(segments.windows(2).all(|pair| pair[0].end_ms == pair[1].start_ms), "{segments:?}");
    for segment in segments {
        prop_assert!(segment.start_ms <= segment.end_ms);
        prop_assert!(!segment.synced || segment.skip_reason.is_none());
        let bbox = segment.avg_bbox.map(|bbox| [bbox.x, bbox.y, bbox.width, bbox.height]);
        let numbers = segment.avg_quality.into_iter().chain(bbox.into_iter().flatten());
        let mut numbers = numbers.chain(segment.avg_head_pose.into_iter().flatten());
        prop_assert!(numbers.all(f32::is_finite), "{segment:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_scene_gives_every_planned_frame_and_lips_only_where_a_face_was_seen(
        scene in scene(), order in order(),
    ) {
        let (report, calls, written) = run(&scene, &order);
        let output = &report.output;
        prop_assert_eq!(report.input.frames, scene.frames as u64);
        prop_assert_eq!((output.frames_planned, output.frames_written), (written as u64, written as u64));
        let clip_ms = 40 * scene.frames as u64;
        let wanted_ms = match order.loop_mode {
            LoopMode::None => clip_ms.min(report.speech.duration_ms),
            LoopMode::Remap => report.speech.duration_ms,
            _ => clip_ms.max(report.speech.duration_ms),
        };
        prop_assert!(output.duration_ms.abs_diff(wanted_ms) <= 40, "{} of {wanted_ms} ms", output.duration_ms);

        let chosen = report.tracks.iter().filter(|track| track.chosen).map(|track| &track.segments);
        let people = report.faces.results.iter().map(|face| &face.segments);
        let others = report.faces.unknown_faces.iter().map(|face| &face.segments);
        for segments in chosen.chain(people).chain(others) {
            check_partition(segments, output.duration_ms)?;
        }

        let seen: BTreeSet<_> = calls.studied.iter().map(|&(frame, track)| (track, frame)).collect();
        for plan in &calls.planned {
            for mouth in &plan.mouths {
                prop_assert!(seen.contains(&(plan.track, mouth.source)), "{mouth:?} of {:?}", plan.track);
            }
        }
        for track in report.tracks.iter().map(|track| track.number - 1) {
            let shots: BTreeSet<_> =
                seen.iter().filter(|(id, _)| id.0 == track).map(|(_, frame)| scene.shot(frame.0 as usize)).collect();
            prop_assert!(shots.len() <= 1, "track {track} is in shots {shots:?}");
        }
        prop_assert!(calls.made.iter().all(|&(_, _, strength)| (0.0..=1.0).contains(&strength)));
    }
}
