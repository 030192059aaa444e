//! The inside of a mouth that the source never shows: cavity, tongue and teeth, drawn in layers. Upper teeth hold to
//! the skull, lower teeth and tongue to the jaw; what the source does show of its own teeth is uncovered, not stretched.

use super::neutral::NeutralMouth;
use super::placement::Placement;
use super::shape::{INNER_LOWER_MIDDLE, INNER_UPPER_MIDDLE};
use super::study::GUIDES;
use super::teeth::{LOWER, UPPER};
use viseme_core::Result;
use viseme_core::geometry::{Affine, PixelRect, Vec2, Vec3};
use viseme_face::FaceObservation;
use viseme_face::points::{INNER_LOWER_LIP, INNER_UPPER_LIP, OUTER_UPPER_LIP};
use viseme_imaging::{
    ColourInfo, ControlPoint, DisplacementField, Frame, ImageF32, crop_rgb, mask_of_plane, planes_from_rgb,
    polygon_distance, smoothstep, warp_plane_where,
};

/// Where skin is looked at, as positions among the landmarks (`FaceMesh` 205, 425, 50, 280, 199), and how much of it.
const SKIN: [usize; 5] = [65, 66, 137, 138, 54];
const SKIN_SIZE: usize = 7;
/// The brightness of skin for which the colours below are meant, and the limits of their adaptation.
const USUAL_SKIN: f32 = 165.0;
const LIGHT_RANGE: (f32, f32) = (0.25, 1.1);

// Red, green and blue of the layers in usual light, 0 to 255.
const CAVITY: [f32; 3] = [62.0, 28.0, 34.0];
const TONGUE: [f32; 3] = [158.0, 86.0, 88.0];
const TOOTH: [f32; 3] = [226.0, 212.0, 196.0];
/// The dark line between lips that touch.
const CONTACT: [f32; 3] = [74.0, 40.0, 38.0];
/// Lips nearer to each other than this, in canonical units, show more of that line than of what is behind them.
const APART: f32 = 0.025;

/// The biting edge of the upper teeth lies so far below the resting upper lip, in canonical units, …
const UPPER_EDGE: f32 = 0.030;
/// … that of the lower teeth so far above the lower lip.
const LOWER_EDGE: f32 = 0.028;
/// The source's own inside begins so far within its inner lip line and is whole at that, in canonical units.
const OWN_EDGE: (f32, f32) = (0.002, -0.010);
/// Standard deviation of the last blur, in canonical units, at least 0.6 px: drawn edges are sharper than a lens.
const LENS_BLUR: f32 = 0.008;

/// The light on a face, read off its skin.
#[derive(Debug, Clone, Copy)]
struct Light {
    /// Brightness, 1 for usual skin.
    level: f32,
    /// Colour of the skin over its brightness.
    tint: [f32; 3],
}

/// The drawn inside of a mouth, as planes of a region of the frame.
#[derive(Debug)]
pub(super) struct DrawnMouth {
    planes: Vec<ImageF32>,
}

impl DrawnMouth {
    /// Draws the inside for the target of `placement` in `region` of `frame`, on chroma samples.
    pub(super) fn new(
        placement: &Placement,
        neutral: &NeutralMouth,
        face: &FaceObservation,
        frame: &Frame,
        colour: &ColourInfo,
        region: PixelRect,
    ) -> Result<Self> {
        let scene = Scene::new(placement, neutral, light(face, frame, colour)?);
        let (width, height) = (region.width as usize, region.height as usize);
        let mut rgb = [0, 1, 2].map(|_| ImageF32::filled(width, height, 0.0));
        for y in 0..height {
            for x in 0..width {
                let drawn =
                    scene.colour(Vec2::new((region.x as usize + x) as f32, (region.y as usize + y) as f32));
                for (plane, value) in rgb.iter_mut().zip(drawn) {
                    plane.row_mut(y)[x] = value;
                }
            }
        }
        let blur = (LENS_BLUR * placement.scale_px).max(0.6);
        let rgb = rgb.map(|plane| plane.blurred(blur));
        let mut planes = planes_from_rgb(&rgb, frame.format, colour);
        if placement.own_inside() > 0.0 {
            uncover_own(&mut planes, placement, face, frame, region);
        }
        Ok(Self { planes })
    }

    /// The samples of a plane.
    pub(super) fn plane(&self, plane: usize) -> &ImageF32 {
        &self.planes[plane]
    }
}

/// Shows the source's own teeth where the head has carried them: they do not move with the lips.
fn uncover_own(
    planes: &mut [ImageF32],
    placement: &Placement,
    face: &FaceObservation,
    frame: &Frame,
    region: PixelRect,
) {
    let carried = &placement.carried;
    let outline: Vec<Vec2> =
        carried[INNER_UPPER_LIP].iter().chain(carried[INNER_LOWER_LIP].iter().rev()).copied().collect();
    let scale = placement.scale_px;
    let apart = (placement.opening() / APART - 0.5).clamp(0.0, 1.0) * placement.own_inside();
    let reach = scale * OWN_EDGE.0.max(-OWN_EDGE.1);
    let mask = polygon_distance(&outline, region, reach)
        .map(|d| apart * smoothstep(OWN_EDGE.0, OWN_EDGE.1, d / scale));
    let rigid: Vec<ControlPoint> = placement
        .guides
        .iter()
        .zip(GUIDES)
        .map(|(&target, i)| ControlPoint { target, source: face.points[i].xy() })
        .collect();
    let field = DisplacementField::mls_similarity(&rigid, region, scale);
    for (index, plane) in planes.iter_mut().enumerate() {
        let mask = mask_of_plane(&mask, frame.format, index);
        let own = warp_plane_where(&frame.planes[index], frame.format, index, &field, region, &mask);
        let drawn = std::mem::replace(plane, ImageF32::filled(0, 0, 0.0));
        *plane = drawn.blended(&own, &mask);
    }
}

/// Mean colour of a few patches of skin.
fn light(face: &FaceObservation, frame: &Frame, colour: &ColourInfo) -> Result<Light> {
    let mut sums = Vec::with_capacity(SKIN.len());
    for point in SKIN {
        let middle = Vec2::new(SKIN_SIZE as f32 / 2.0, SKIN_SIZE as f32 / 2.0);
        let crop = crop_rgb(
            frame,
            colour,
            &Affine::similarity(0.0, 1.0, face.points[point].xy(), middle),
            SKIN_SIZE,
        )?;
        let area = SKIN_SIZE * SKIN_SIZE;
        let mean = |channel: usize| crop[channel * area..][..area].iter().sum::<f32>() / area as f32;
        sums.push([mean(0), mean(1), mean(2)]);
    }
    let median = |channel: usize| {
        let mut values: Vec<f32> = sums.iter().map(|sum| sum[channel]).collect();
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    let skin = [median(0), median(1), median(2)];
    let mean = skin.iter().sum::<f32>() / 3.0;
    let level = (mean / USUAL_SKIN).clamp(LIGHT_RANGE.0, LIGHT_RANGE.1);
    Ok(Light { level, tint: skin.map(|value| value / mean.max(1.0)) })
}

/// The mouth in coordinates of the head: canonical units right of and below the middle of the resting upper lip.
#[derive(Debug)]
struct Scene {
    origin: Vec2,
    /// Rows of the map from pixels to head coordinates.
    right: Vec2,
    down: Vec2,
    /// The middles of the inner lips, below the origin.
    upper_lip: f32,
    lower_lip: f32,
    mouth_width: f32,
    light: Light,
}

impl Scene {
    fn new(placement: &Placement, neutral: &NeutralMouth, light: Light) -> Self {
        let pose = &placement.pose;
        let origin = pose.image_from_canonical(neutral.shape[INNER_UPPER_MIDDLE]).xy();
        let start = pose.image_from_canonical(Vec3::default()).xy();
        let x = pose.image_from_canonical(Vec3::new(1.0, 0.0, 0.0)).xy() - start;
        let y = pose.image_from_canonical(Vec3::new(0.0, 1.0, 0.0)).xy() - start;
        // A head turned to profile would make the map degenerate: teeth are foreshortened only so far.
        let determinant = (x.x * y.y - x.y * y.x).max(0.3 * placement.scale_px * placement.scale_px);
        let right = Vec2::new(y.y, -y.x) * (1.0 / determinant);
        let down = Vec2::new(-x.y, x.x) * (1.0 / determinant);
        let below = |point: Vec2| down.dot(point - origin);
        Self {
            origin,
            right,
            down,
            upper_lip: below(placement.target[INNER_UPPER_MIDDLE]),
            lower_lip: below(placement.target[INNER_LOWER_MIDDLE]),
            mouth_width: (placement.shape[OUTER_UPPER_LIP.end - 1] - placement.shape[OUTER_UPPER_LIP.start])
                .length()
                * 0.9,
            light,
        }
    }

    /// Red, green and blue at a pixel, 0 to 255.
    fn colour(&self, pixel: Vec2) -> [f32; 3] {
        let (x, y) = (self.right.dot(pixel - self.origin), self.down.dot(pixel - self.origin));
        let gap = (self.lower_lip - self.upper_lip).max(0.0);
        let mut layer = self.cavity(y, gap);
        let over = |layer: &mut [f32; 3], colour: [f32; 3], weight: f32| {
            layer.iter_mut().zip(colour).for_each(|(below, above)| *below += (above - *below) * weight);
        };
        let (weight, shade) = self.tongue(x, y, gap);
        over(&mut layer, TONGUE.map(|value| value * shade), weight);
        let open = ((gap - 0.05) / 0.06).clamp(0.0, 1.0);
        let (weight, shade) = LOWER.at(x, y, self.lower_lip - LOWER_EDGE);
        over(&mut layer, self.tooth().map(|value| value * 0.78 * shade), weight * open * 0.9);
        let (weight, shade) = UPPER.at(x, y, UPPER_EDGE);
        over(&mut layer, self.tooth().map(|value| value * shade), weight);
        let shade = self.occlusion(x, y, gap);
        let contact = CONTACT.map(|value| value * (0.2 + 0.8 * self.light.level));
        let apart = (gap / APART).clamp(0.0, 1.0);
        std::array::from_fn(|i| contact[i] + (layer[i] * shade - contact[i]) * apart)
    }

    fn cavity(&self, y: f32, gap: f32) -> [f32; 3] {
        let depth = ((y - self.upper_lip) / gap.max(0.05)).clamp(0.0, 1.0);
        let level = (0.40 + 0.65 * self.light.level) * (0.55 + 0.55 * depth);
        std::array::from_fn(|i| CAVITY[i] * level * (0.6 + 0.4 * self.light.tint[i]))
    }

    /// Coverage and shade of the tongue, which rises as the mouth opens.
    fn tongue(&self, x: f32, y: f32, gap: f32) -> (f32, f32) {
        let top = self.lower_lip - 0.035 - 0.22 * gap.min(0.3);
        let across = x / 0.27;
        let body = ((y - (top + 0.10 * across * across)) / 0.035).clamp(0.0, 1.0);
        let sides = (1.15 - across.abs()).clamp(0.0, 0.25) / 0.25;
        let lit = 0.62 + 0.5 * ((y - top) / 0.12).clamp(0.0, 1.0);
        let furrow = 1.0 - 0.10 * (-(x / 0.02).powi(2)).exp();
        (
            body * sides * ((gap - 0.045) / 0.06).clamp(0.0, 0.92),
            (0.50 + 0.6 * self.light.level) * lit * furrow,
        )
    }

    fn tooth(&self) -> [f32; 3] {
        std::array::from_fn(|i| {
            TOOTH[i] * (0.60 + 0.40 * self.light.tint[i]) * (0.34 + 0.50 * self.light.level)
        })
    }

    /// The shadow of the lips: at the top, in the corners, everywhere in a mouth that is hardly open.
    fn occlusion(&self, x: f32, y: f32, gap: f32) -> f32 {
        let top = 0.5 + 0.5 * ((y - self.upper_lip) / 0.06).clamp(0.0, 1.0);
        let slit = 0.72 + 0.28 * (gap / 0.18).clamp(0.0, 1.0);
        let corners = (1.0 - (x.abs() / (self.mouth_width * 0.47)).powi(2)).clamp(0.0, 1.0).powf(0.8);
        top * slit * (0.22 + 0.78 * corners)
    }
}
