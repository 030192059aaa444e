use super::*;
use crate::detect::FaceDetector;
use crate::framing::Framing;
use crate::landmarks::{LandmarkModel, Landmarks};
use crate::mouth::{Lips, MouthModel};
use crate::testing::{canonical_face, head};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use viseme_core::Pts;
use viseme_core::geometry::Vec2;
use viseme_imaging::{ColourMatrix, ColourRange, PixelFormat};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const COLOUR: ColourInfo = ColourInfo::new(ColourRange::Limited, ColourMatrix::Bt709);

/// A face of the made-up world.
#[derive(Clone, Copy)]
struct Actor {
    x: f32,
    scale: f32,
    presence: f32,
    score: f32,
}

impl Actor {
    fn at(x: f32) -> Self {
        Self { x, scale: 40.0, presence: 0.97, score: 0.9 }
    }

    fn face(&self) -> FaceObservation {
        canonical_face(&head([0.0, 8.0, 3.0], self.scale, self.x, 150.0), 0.1)
    }
}

/// A world where the frame's time says who is on stage; it stands in for all three nets.
#[derive(Clone)]
struct World(Arc<dyn Fn(i64) -> Vec<Actor> + Send + Sync>);

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    fn nearest(&self, image: AnalysisImage<'_>, center: Vec2) -> Option<(Actor, FaceObservation, f32)> {
        let actors = (self.0)(image.frame.pts.0).into_iter();
        let distance = |face: &FaceObservation| (Framing::of_face(&face.points).center - center).length();
        actors
            .map(|actor| (actor, actor.face()))
            .map(|(actor, face)| (actor, face.clone(), distance(&face)))
            .min_by(|a, b| a.2.total_cmp(&b.2))
    }
}

impl FaceDetector for World {
    fn name(&self) -> &'static str {
        "world"
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        let actors = (self.0)(image.frame.pts.0).into_iter().filter(|actor| actor.score > 0.3);
        Ok(actors
            .map(|actor| Detection { bbox: actor.face().bbox, score: actor.score, points: None })
            .collect())
    }
}

impl LandmarkModel for World {
    fn locate(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Landmarks> {
        let seen = self.nearest(image, framing.center).filter(|(_, face, distance)| {
            let ratio = Framing::of_face(&face.points).side / framing.side;
            *distance < 0.3 * framing.side && (0.6..1.7).contains(&ratio)
        });
        Ok(match seen {
            Some((actor, face, _)) => Landmarks { points: face.points, presence: actor.presence },
            None => Landmarks { points: Actor::at(framing.center.x).face().points, presence: 0.02 },
        })
    }
}

impl MouthModel for World {
    fn refine(&self, image: AnalysisImage<'_>, framing: &Framing) -> Result<Lips> {
        let face =
            self.nearest(image, framing.center).map_or_else(|| Actor::at(0.0).face(), |(_, face, _)| face);
        Ok(Lips { points: std::array::from_fn(|i: usize| face.points[i].xy()), visible: 0.9 })
    }
}

/// A detector that counts how often it is asked.
#[derive(Debug)]
struct Counting(World, AtomicU32);

impl FaceDetector for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn detect(&self, image: AnalysisImage<'_>) -> Result<Vec<Detection>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.detect(image)
    }
}

/// What the tracker says of each frame of a film, as (track, x of the nose): the same, whether its searches are done ahead or not.
fn track(
    frames: i64,
    shot: impl Fn(i64) -> u32,
    stage: impl Fn(i64) -> Vec<Actor> + Send + Sync + 'static,
) -> Vec<Vec<(u32, f32)>> {
    let world = World(Arc::new(stage));
    let (seen, _) = film(frames, &shot, &world, None);
    for ahead in [0, 1, 4] {
        assert_eq!(film(frames, &shot, &world, Some(ahead)).0, seen, "{ahead} frames ahead");
    }
    seen
}

/// What the tracker says of each frame, and how often it searched by itself where another looks so many frames `ahead`.
fn film(
    frames: i64,
    shot: impl Fn(i64) -> u32,
    world: &World,
    ahead: Option<usize>,
) -> (Vec<Vec<(u32, f32)>>, u32) {
    let detector = Arc::new(Counting(world.clone(), AtomicU32::new(0)));
    let asked = || detector.1.load(Ordering::Relaxed);
    let nets = FaceNets {
        detector: Arc::clone(&detector) as Arc<dyn FaceDetector>,
        landmarks: Arc::new(world.clone()),
        mouth: Arc::new(world.clone()),
    };
    let mut tracker = Tracker::new(nets, TrackerOptions { max_faces: 2, ..TrackerOptions::default() });
    let foresight = tracker.foresight();
    let (mut waiting, mut seen, mut searches) = (VecDeque::new(), Vec::new(), 0);
    for t in 0..=frames + ahead.unwrap_or(0) as i64 {
        let frame = backdrop(t, shot(t));
        let image = AnalysisImage { frame: &frame, colour: &COLOUR };
        let detections = ahead.and_then(|_| foresight.detections(image, FrameIndex(t as u64)));
        waiting.push_back((frame, detections));
        if waiting.len() > ahead.unwrap_or(0) && seen.len() < frames as usize {
            let (frame, detections) = waiting.pop_front().unwrap();
            let (before, index) = (asked(), FrameIndex(seen.len() as u64));
            let faces = tracker.observe_foreseen(&frame, &COLOUR, index, detections).unwrap();
            searches += asked() - before;
            seen.push(faces.iter().map(|(id, face)| (id.0, face.pose.translation.x)).collect());
        }
    }
    (seen, searches)
}

/// A frame of a shot: its own pattern of light, and its time.
fn backdrop(t: i64, shot: u32) -> Frame {
    let value = |i: usize| {
        let (x, y) = (i % WIDTH as usize, i / WIDTH as usize);
        if (x >> (5 + shot) ^ y >> 5) & 1 == 0 { 60 } else { 190 }
    };
    let mut bytes: Vec<u8> = (0..(WIDTH * HEIGHT) as usize).map(value).collect();
    bytes.resize(PixelFormat::YUV420P.frame_bytes(WIDTH, HEIGHT), 128);
    Frame::from_bytes(Pts(t), PixelFormat::YUV420P, WIDTH, HEIGHT, &bytes).unwrap()
}

fn one_shot(_: i64) -> u32 {
    0
}

fn ids(seen: &[Vec<(u32, f32)>]) -> Vec<u32> {
    let mut ids: Vec<u32> = seen.iter().flatten().map(|&(id, _)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn a_face_that_appears_is_found_within_two_frames_and_followed() {
    let seen = track(60, one_shot, |t| if t < 10 { vec![] } else { vec![Actor::at(100.0 + 6.0 * t as f32)] });
    assert!(seen[..10].iter().all(Vec::is_empty));
    assert!(seen[12..].iter().all(|faces| faces.len() == 1), "{seen:?}");
    assert!((seen[40][0].1 - 340.0).abs() < 0.5);
    assert_eq!(ids(&seen), [0]);
}

#[test]
fn the_first_frame_is_not_missed() {
    assert_eq!(track(1, one_shot, |_| vec![Actor::at(300.0)])[0].len(), 1);
}

#[test]
fn a_face_that_walks_out_of_the_picture_ends_its_track() {
    let seen = track(60, one_shot, |t| vec![Actor::at(400.0 + 12.0 * t as f32)]);
    let end = seen.iter().position(Vec::is_empty).unwrap();
    assert!((18..26).contains(&end), "{end}");
    assert!(seen[end..].iter().all(Vec::is_empty));
}

#[test]
fn back_at_once_it_is_the_same_track_but_later_or_elsewhere_another() {
    let away = |from: i64, to: i64, x: f32| {
        move |t: i64| {
            if (from..to).contains(&t) { vec![] } else { vec![Actor::at(if t < from { 300.0 } else { x })] }
        }
    };
    let blink = track(40, one_shot, away(15, 18, 305.0));
    assert_eq!(ids(&blink), [0]);
    assert!(blink[15..18].iter().all(Vec::is_empty) && !blink[18].is_empty());
    assert_eq!(ids(&track(60, one_shot, away(15, 30, 300.0))), [0, 1]);
    assert_eq!(ids(&track(60, one_shot, away(15, 18, 500.0))), [0, 1]);
}

#[test]
fn no_track_goes_across_a_cut() {
    let seen = track(30, |t| u32::from(t >= 14), |_| vec![Actor::at(300.0)]);
    assert!(seen[..14].iter().all(|faces| faces[0].0 == 0));
    assert!(seen[14..].iter().all(|faces| faces[0].0 == 1), "{seen:?}");
}

#[test]
fn two_faces_that_cross_are_never_shown_at_one_place_and_never_jump() {
    let seen = track(80, one_shot, |t| {
        // The nearer face hides the other while they overlap.
        let (a, b) =
            (Actor::at(120.0 + 5.0 * t as f32), Actor { scale: 34.0, ..Actor::at(520.0 - 5.0 * t as f32) });
        if (a.x - b.x).abs() < 70.0 { vec![a] } else { vec![a, b] }
    });
    let mut last = std::collections::HashMap::new();
    for (t, faces) in seen.iter().enumerate() {
        if let [(_, a), (_, b)] = faces[..] {
            assert!((a - b).abs() > 30.0, "frame {t}: {faces:?}");
        }
        for &(id, x) in faces {
            let before: Option<(usize, f32)> = last.insert(id, (t, x));
            if let Some((then, old)) = before {
                assert!((x - old).abs() < 8.0 * (t - then) as f32, "frame {t}: track {id} from {old} to {x}");
            }
        }
    }
    assert!(seen[30].iter().any(|&(id, _)| id == 0) && seen[50].len() <= 2);
    assert!(seen[75].len() == 2, "{:?}", seen[75]);
}

#[test]
fn a_face_seen_for_a_moment_in_the_background_is_none() {
    let flicker = |t: i64| {
        if t % 9 == 4 {
            vec![Actor { presence: 0.8, score: 0.5, ..Actor::at(200.0 + t as f32) }]
        } else {
            vec![]
        }
    };
    assert_eq!(ids(&track(60, one_shot, flicker)), [] as [u32; 0]);
    let sure_detector_alone = |_| vec![Actor { presence: 0.2, ..Actor::at(300.0) }];
    assert_eq!(ids(&track(60, one_shot, sure_detector_alone)), [] as [u32; 0]);
}

#[test]
fn a_doubtful_face_is_believed_after_four_frames_if_the_nets_agree() {
    let seen = track(20, one_shot, |_| vec![Actor { presence: 0.88, score: 0.55, ..Actor::at(300.0) }]);
    assert!(seen[..3].iter().all(Vec::is_empty), "{seen:?}");
    assert!(seen[3..].iter().all(|faces| faces.len() == 1), "{seen:?}");
    let sure_landmarks_alone = |_| vec![Actor { presence: 0.99, score: 0.42, ..Actor::at(300.0) }];
    assert_eq!(ids(&track(40, one_shot, sure_landmarks_alone)), [] as [u32; 0]);
}

#[test]
fn a_track_that_drifts_over_the_background_ends() {
    // The landmark net half believes in a face that the detector has long given up.
    let seen = track(120, one_shot, |t| {
        vec![if t < 20 { Actor::at(300.0) } else { Actor { presence: 0.5, score: 0.0, ..Actor::at(300.0) } }]
    });
    assert!(!seen[30].is_empty() && seen[70..].iter().all(Vec::is_empty));
}

#[test]
fn a_face_within_a_face_is_none() {
    let seen = track(40, one_shot, |t| {
        let mouth = Actor { scale: 16.0, ..Actor::at(300.0) };
        if t < 10 { vec![Actor::at(300.0)] } else { vec![Actor::at(300.0), mouth] }
    });
    assert_eq!(ids(&seen), [0]);
}

#[test]
fn no_more_faces_than_allowed_and_the_largest_first() {
    let seen = track(30, one_shot, |_| {
        vec![
            Actor { scale: 20.0, ..Actor::at(100.0) },
            Actor::at(300.0),
            Actor { scale: 30.0, ..Actor::at(500.0) },
        ]
    });
    let xs: Vec<_> = seen[29].iter().map(|&(_, x)| x.round() as i32).collect();
    assert_eq!(xs, [300, 500]);
}

#[test]
fn specks_are_not_followed() {
    assert_eq!(ids(&track(20, one_shot, |_| vec![Actor { scale: 6.0, ..Actor::at(300.0) }])), [] as [u32; 0]);
}

#[test]
fn searches_that_are_expected_are_done_ahead() {
    let settled = World(Arc::new(|_| vec![Actor::at(300.0)]));
    assert_eq!(film(100, |_| 0, &settled, Some(4)).1, 0);
    assert_eq!(film(100, |_| 0, &settled, None).1, 9);
    // Nobody is there: every second frame is searched, but only after the first has told so.
    let empty = World(Arc::new(|_| Vec::new()));
    assert!(film(100, |_| 0, &empty, Some(4)).1 <= 2);
    assert_eq!(film(100, |_| 0, &empty, None).1, 50);
}
