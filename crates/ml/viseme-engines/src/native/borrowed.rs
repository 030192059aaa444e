//! A mouth that was seen somewhere, fitted to the target. The two lips are warped apart from each other, for between them
//! the picture is torn; what is behind them is rigid. Upper teeth hold to the skull and lower teeth to the jaw, so that
//! closing lips cover them instead of squeezing them.

use super::placement::Placement;
use super::shape::MouthShape;
use super::study::GUIDES;
use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;
use std::borrow::Cow;
use std::ops::Range;
use viseme_core::geometry::{PixelRect, Vec2, Vec3};
use viseme_face::points::{
    CHIN, INNER_LOWER_LIP, INNER_UPPER_LIP, MOUTH_COUNT, OUTER_LOWER_LIP, OUTER_UPPER_LIP,
};
use viseme_face::{FaceObservation, HeadPose};
use viseme_imaging::{
    ControlPoint, DisplacementField, Frame, ImageF32, PixelFormat, smoothstep, warp_plane_where,
};

/// Nodes of the warps per canonical unit: finer than the face's, lips are thin.
const NODES_PER_UNIT: f32 = 18.0;
/// Pairs of points of the inner lip lines between the corners.
const PAIRS: usize = 9;

/// Openings, in canonical units, between which lips pass from touching to apart.
const TOUCHING: (f32, f32) = (0.012, 0.03);
/// How far a lip goes past the seam at most, in canonical units: the landmarks are no better than that.
const MOST_OVERLAP: f32 = 0.02;

/// Where the points of a mouth lie in the frame in which it was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MouthView {
    /// In canonical units.
    #[serde(with = "BigArray")]
    pub(super) shape: MouthShape,
    /// In pixels of its frame.
    #[serde(with = "BigArray")]
    pub(super) points: [Vec2; MOUTH_COUNT],
    /// The [`GUIDES`] in pixels of its frame.
    pub(super) guides: [Vec2; GUIDES.len()],
    /// Where the head was.
    pub(super) pose: HeadPose,
}

impl MouthView {
    /// The mouth of a face.
    pub(super) fn of(face: &FaceObservation) -> Self {
        Self {
            shape: super::shape::mouth_of(face),
            points: std::array::from_fn(|i| face.points[i].xy()),
            guides: GUIDES.map(|i| face.points[i].xy()),
            pose: face.pose,
        }
    }
}

/// A mouth to be laid over another, and its share in the overlay.
#[derive(Debug)]
pub(super) struct BorrowedMouth<'a> {
    pub(super) view: &'a MouthView,
    /// The picture that shows it …
    pub(super) picture: Cow<'a, Frame>,
    /// … and the pixel of the view's frame that the picture starts at.
    pub(super) corner: Vec2,
    /// The shares of all borrowed mouths sum to 1.
    pub(super) weight: f32,
}

/// How a borrowed mouth is warped onto a region of the frame.
#[derive(Debug)]
pub(super) struct Fitting<'a> {
    mouth: &'a BorrowedMouth<'a>,
    upper: DisplacementField,
    lower: DisplacementField,
    inside: DisplacementField,
}

/// Weights, on the samples of one plane, that say what is seen where: 0 to 1.
#[derive(Debug)]
pub(super) struct Layers {
    /// 1 on the side of the upper lip, 0 on that of the lower.
    pub(super) upper_side: ImageF32,
    /// 1 inside the mouth.
    pub(super) inside: ImageF32,
}

impl<'a> Fitting<'a> {
    /// Fits `mouth` to the target of `placement` in `region`.
    pub(super) fn new(mouth: &'a BorrowedMouth<'a>, placement: &Placement, region: PixelRect) -> Self {
        let field = |points: &[ControlPoint]| {
            DisplacementField::mls_similarity(points, region, placement.scale_px / NODES_PER_UNIT)
        };
        let targets = pressed(mouth.view, placement);
        let without = |left_out: [Range<usize>; 2]| -> Vec<ControlPoint> {
            let lips = (0..MOUTH_COUNT).filter(|i| !left_out.iter().any(|range| range.contains(i)));
            let points = lips.map(|i| (targets[i], mouth.view.points[i]));
            let guides = placement.guides.into_iter().zip(mouth.view.guides);
            points
                .chain(guides)
                .map(|(target, source)| ControlPoint { target, source: source - mouth.corner })
                .collect()
        };
        // The corners of the mouth belong to both lips.
        let between = |range: Range<usize>| range.start + 1..range.end - 1;
        Self {
            mouth,
            upper: field(&without([OUTER_LOWER_LIP, INNER_LOWER_LIP])),
            lower: field(&without([between(OUTER_UPPER_LIP), between(INNER_UPPER_LIP)])),
            inside: field(&inside_points(mouth, placement)),
        }
    }

    /// Adds the share of this mouth to the samples of a plane.
    pub(super) fn add_to(
        &self,
        sum: ImageF32,
        format: PixelFormat,
        plane: usize,
        layers: &Layers,
    ) -> ImageF32 {
        let source = &self.mouth.picture.planes[plane];
        let Layers { upper_side, inside } = layers;
        let warped = |field: &DisplacementField, weights: &ImageF32| {
            warp_plane_where(source, format, plane, field, field.region, weights)
        };
        // Each is made only where it is seen.
        let upper =
            warped(&self.upper, &upper_side.clone().zip(inside, |upper, inside| upper * (1.0 - inside)));
        let lower = upper_side.clone().zip(inside, |upper, inside| (1.0 - upper) * (1.0 - inside));
        let lips = warped(&self.lower, &lower).blended(&upper, upper_side);
        let all = lips.blended(&warped(&self.inside, inside), inside);
        sum.zip(&all, |sum, value| sum + value * self.mouth.weight)
    }
}

/// The targets of the lips; where parted lips shall touch they go past each other a little, so that no sliver of what
/// was between them is left. Lips that touched when they were seen keep the line between them.
fn pressed(view: &MouthView, placement: &Placement) -> [Vec2; MOUTH_COUNT] {
    let mut targets = placement.target;
    let closing = smoothstep(TOUCHING.1, TOUCHING.0, placement.opening());
    let down = placement.pose.image_from_canonical(Vec3::new(0.0, 1.0, 0.0))
        - placement.pose.image_from_canonical(Vec3::default());
    for (upper, lower) in INNER_UPPER_LIP.skip(1).zip(INNER_LOWER_LIP).take(PAIRS) {
        let gap = view.shape[lower].y - view.shape[upper].y;
        let overlap = down.xy() * (closing * (0.5 * gap).clamp(0.0, MOST_OVERLAP));
        targets[upper] = targets[upper] + overlap;
        targets[lower] = targets[lower] - overlap;
    }
    targets
}

/// Where the borders of the opening take their picture from: a place that lies rigidly with skull or jaw, unless a lip
/// of the borrowed mouth is there.
fn inside_points(mouth: &BorrowedMouth<'_>, placement: &Placement) -> Vec<ControlPoint> {
    let view = mouth.view;
    let (have, want) = (&view.shape, &placement.shape);
    let jaw = jaw_motion(have, want);
    let point = |i: usize, place: Vec3| {
        let offset = view.pose.image_from_canonical(place) - view.pose.image_from_canonical(have[i]);
        ControlPoint { target: placement.target[i], source: view.points[i] + offset.xy() - mouth.corner }
    };
    let corners = [INNER_UPPER_LIP.start, INNER_UPPER_LIP.end - 1].map(|i| point(i, have[i]));
    let pairs = INNER_UPPER_LIP.skip(1).zip(INNER_LOWER_LIP).take(PAIRS).enumerate();
    let borders = pairs.flat_map(|(pair, (upper, lower))| {
        // Towards the corners the lips take over: there is little to see, and skin must not be.
        let beside = (pair as f32 - 4.0).abs() / 5.0;
        let lips_share = beside * beside;
        let mix = |a: f32, b: f32| a + (b - a) * lips_share;
        let mut above =
            Vec3::new(mix(want[upper].x, have[upper].x), want[upper].y.max(have[upper].y), have[upper].z);
        let sunk = want[lower] - jaw;
        let mut below = Vec3::new(mix(sunk.x, have[lower].x), sunk.y.min(have[lower].y), have[lower].z);
        if below.y < above.y {
            let middle = 0.5 * (below.y + above.y);
            (above.y, below.y) = (middle, middle);
        }
        [point(upper, above), point(lower, below)]
    });
    corners.into_iter().chain(borders).collect()
}

/// How far the jaw moves from the mouth `have` to the mouth `want`, by three points of the chin.
fn jaw_motion(have: &MouthShape, want: &MouthShape) -> Vec3 {
    let chin = CHIN.start..CHIN.start + 3;
    chin.fold(Vec3::default(), |sum, i| sum + (want[i] - have[i])) * (1.0 / 3.0)
}

#[cfg(test)]
mod tests {
    use super::super::shape::{INNER_LOWER_MIDDLE, INNER_UPPER_MIDDLE, mouth_of};
    use super::*;
    use crate::testing::{face, frame};

    const SCALE_PX: f32 = 60.0;

    #[test]
    fn a_mouth_fitted_to_itself_is_itself() {
        let (seen, picture) = (face(100.0, 60.0, SCALE_PX, 0.2), frame(PixelFormat::YUV420P, 200, 200, 3));
        let placement = Placement::new(&seen, &mouth_of(&seen), 1.0);
        let view = MouthView::of(&seen);
        let mouth = BorrowedMouth {
            view: &view,
            picture: Cow::Borrowed(&picture),
            corner: Vec2::default(),
            weight: 1.0,
        };
        let region = placement.mouth_region(0.2, &picture);
        let fitting = Fitting::new(&mouth, &placement, region);
        for plane in 0..3 {
            let part = picture.format.plane_region(plane, region);
            let original = ImageF32::from_plane(&picture.planes[plane], part);
            let half = ImageF32::filled(original.width, original.height, 0.5);
            let layers = Layers { upper_side: half.clone(), inside: half };
            let empty = ImageF32::filled(original.width, original.height, 0.0);
            let fitted = fitting.add_to(empty, picture.format, plane, &layers);
            assert!(fitted.data.iter().zip(&original.data).all(|(a, b)| (a - b).abs() < 0.5));
        }
    }

    #[test]
    fn closing_lips_pass_over_teeth_that_stay() {
        let (open, closed) = (face(100.0, 60.0, SCALE_PX, 0.3), face(100.0, 60.0, SCALE_PX, 0.0));
        let mut wanted = mouth_of(&closed);
        // The upper lip comes down over the upper teeth; skull and jaw stay.
        wanted[INNER_UPPER_MIDDLE].y += 0.1;
        wanted[INNER_LOWER_MIDDLE].y += 0.2;
        let placement = Placement::new(&open, &wanted, 1.0);
        let view = MouthView::of(&open);
        let picture = frame(PixelFormat::YUV420P, 200, 200, 3);
        let corner = Vec2::new(10.0, 20.0);
        let mouth = BorrowedMouth { view: &view, picture: Cow::Owned(picture), corner, weight: 1.0 };
        let points = inside_points(&mouth, &placement);
        let upper = points.iter().find(|point| point.target == placement.target[INNER_UPPER_MIDDLE]).unwrap();
        assert!(
            (upper.source + corner - upper.target).length() < 0.01,
            "the picture behind the lip has not moved"
        );
    }
}
