//! One picture of two: what moved from the one to the other is moved along before they are blended, so that a head is not
//! seen twice.

use viseme_core::geometry::{PixelRect, Rect, Vec2};
use viseme_face::FaceObservation;
use viseme_face::points::{MOUTH_COUNT, POINT_COUNT};
use viseme_imaging::{
    ControlPoint, DisplacementField, Frame, ImageF32, Motion, MotionGuess, Plane, smoothstep, warp_plane,
};

/// Motion is looked for in copies with this many pixels on the longer side.
const MOTION_SIDE: f32 = 320.0;
/// The landmarks say how a face has moved up to this far from its box, in box sizes.
const REACH: f32 = 0.35;
/// Nodes over the longer side of the field that the landmarks span.
const GUESS_NODES: f32 = 40.0;

/// The picture `share` (0 to 1) of the way from `leaving` to `arriving`, two frames of one format and size.
///
/// `faces` are those that are in both. With one at least the frames show the same place: its landmarks and the optical flow
/// say what has moved where. Without any the two may show anything, and are blended as they are.
pub(super) fn blended(
    leaving: &Frame,
    arriving: &Frame,
    faces: &[[FaceObservation; 2]],
    share: f32,
) -> Frame {
    let whole = PixelRect::of_size(leaving.width, leaving.height);
    let (from, to) = if faces.is_empty() {
        (DisplacementField::still(whole), DisplacementField::still(whole))
    } else {
        let motion = motion(leaving, arriving, faces, share);
        (motion.field(whole, -share), motion.field(whole, 1.0 - share))
    };
    let blend = |index: usize| {
        let warped =
            |frame: &Frame, field| warp_plane(&frame.planes[index], frame.format, index, field, whole);
        let mixed = warped(leaving, &from).zip(&warped(arriving, &to), |a, b| a + (b - a) * share);
        Plane::rounded(&mixed, leaving.format)
    };
    let planes = (0..leaving.planes.len()).map(blend).collect();
    Frame {
        pts: arriving.pts,
        format: arriving.format,
        width: arriving.width,
        height: arriving.height,
        planes,
    }
}

/// The motion between two frames on the pixels of a small copy of the picture between them.
fn motion(leaving: &Frame, arriving: &Frame, faces: &[[FaceObservation; 2]], share: f32) -> Motion {
    let (width, height) = (leaving.width as f32, leaving.height as f32);
    let scale = (MOTION_SIDE / width.max(height)).min(1.0);
    let size = |extent: f32| ((extent * scale).round() as usize).max(1);
    let (columns, rows) = (size(width), size(height));
    let small = |frame: &Frame| {
        let gain = 255.0 / f32::from(frame.format.max_value());
        ImageF32::resized_plane(&frame.planes[0], columns, rows).map(|value| value * gain)
    };
    let guess = guess(faces, share, [width, height], [columns, rows]);
    Motion::between(&small(leaving), &small(arriving), share, Some(&guess))
}

/// What the landmarks say about the motion around the faces.
fn guess(
    faces: &[[FaceObservation; 2]],
    share: f32,
    [width, height]: [f32; 2],
    [columns, rows]: [usize; 2],
) -> MotionGuess {
    let between = boxes(faces, share);
    // Lips open and close: what moves with them is not to be carried over the face. They are made anew anyway.
    let points = faces.iter().flat_map(|[from, to]| {
        (MOUTH_COUNT..POINT_COUNT).map(move |i| {
            let (from, to) = (from.points[i].xy(), to.points[i].xy());
            let target = from + (to - from) * share;
            ControlPoint { target, source: target + (to - from) }
        })
    });
    let region = PixelRect::of_size(width as u32, height as u32);
    let points: Vec<_> = points.collect();
    let field = DisplacementField::mls_similarity(&points, region, width.max(height) / GUESS_NODES);
    let (step_x, step_y) = (width / columns as f32, height / rows as f32);
    let place = |x: usize, y: usize| Vec2::new((x as f32 + 0.5) * step_x, (y as f32 + 0.5) * step_y);
    let trust = |p: Vec2| smoothstep(REACH, 0.0, distance(&between, p));
    let image = |value: &dyn Fn(Vec2) -> f32| ImageF32::from_fn(columns, rows, |x, y| value(place(x, y)));
    MotionGuess {
        motion: Motion { dx: image(&|p| field.at(p).x / step_x), dy: image(&|p| field.at(p).y / step_y) },
        weight: image(&trust),
    }
}

/// The boxes of the faces on their way.
pub(super) fn boxes(faces: &[[FaceObservation; 2]], share: f32) -> Vec<Rect> {
    faces.iter().filter_map(|[from, to]| Some(from.towards(to, share)?.bbox)).collect()
}

/// How far a place is from the nearest box, in sizes of that box; 0 within.
pub(super) fn distance(boxes: &[Rect], place: Vec2) -> f32 {
    let out = |offset: f32, extent: f32| (offset.abs() / extent.max(1.0) - 0.5).max(0.0);
    let distance = |bbox: &Rect| {
        let center = bbox.center();
        out(place.x - center.x, bbox.width).max(out(place.y - center.y, bbox.height))
    };
    boxes.iter().map(distance).fold(f32::INFINITY, f32::min)
}
