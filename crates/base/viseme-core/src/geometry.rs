//! Points, rectangles and affine maps in image coordinates: x to the right, y down, pixel centres at integers.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Mul, Sub};

/// A point or vector of the image plane, in pixels unless a name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Vec2 {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A point or vector in space: x to the right, y down, z away from the camera.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Vec3 {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
    /// Away from the camera.
    pub z: f32,
}

impl Vec2 {
    /// The point (x, y).
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean length.
    #[must_use]
    pub fn length(self) -> f32 {
        self.x.hypot(self.y)
    }

    /// Scalar product.
    #[must_use]
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }
}

impl Vec3 {
    /// The point (x, y, z).
    #[must_use]
    pub const fn new(x: f32, y: f32, z: f32) -> Self {
        Self { x, y, z }
    }

    /// The point without its depth.
    #[must_use]
    pub fn xy(self) -> Vec2 {
        Vec2::new(self.x, self.y)
    }

    /// Euclidean length.
    #[must_use]
    pub fn length(self) -> f32 {
        (self.x * self.x + self.y * self.y + self.z * self.z).sqrt()
    }
}

macro_rules! vector_operators {
    ($vector:ident { $($field:ident),+ }) => {
        impl Add for $vector {
            type Output = Self;
            fn add(self, other: Self) -> Self { Self { $($field: self.$field + other.$field),+ } }
        }
        impl Sub for $vector {
            type Output = Self;
            fn sub(self, other: Self) -> Self { Self { $($field: self.$field - other.$field),+ } }
        }
        impl Mul<f32> for $vector {
            type Output = Self;
            fn mul(self, factor: f32) -> Self { Self { $($field: self.$field * factor),+ } }
        }
    };
}
vector_operators!(Vec2 { x, y });
vector_operators!(Vec3 { x, y, z });

/// A rectangle with fractional edges, in pixels. Written as `[x, y, width, height]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

impl Rect {
    /// The smallest rectangle around `points`; `None` when there are none.
    #[must_use]
    pub fn bounding(points: impl IntoIterator<Item = Vec2>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = points.next()?;
        let (low, high) = points.fold((first, first), |(low, high), p| {
            (Vec2::new(low.x.min(p.x), low.y.min(p.y)), Vec2::new(high.x.max(p.x), high.y.max(p.y)))
        });
        Some(Self { x: low.x, y: low.y, width: high.x - low.x, height: high.y - low.y })
    }

    /// The centre.
    #[must_use]
    pub fn center(&self) -> Vec2 {
        Vec2::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The same rectangle with `margin` pixels more on each side (fewer if negative).
    #[must_use]
    pub fn expanded(&self, margin: f32) -> Self {
        Self {
            x: self.x - margin,
            y: self.y - margin,
            width: (self.width + 2.0 * margin).max(0.0),
            height: (self.height + 2.0 * margin).max(0.0),
        }
    }

    /// Intersection over union, 0 to 1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let overlap = width.max(0.0) * height.max(0.0);
        let union = self.width * self.height + other.width * other.height - overlap;
        if union > 0.0 { overlap / union } else { 0.0 }
    }

    /// The whole pixels that the rectangle touches, clipped to an image of `image_width` × `image_height`.
    #[must_use]
    pub fn to_pixels(&self, image_width: u32, image_height: u32) -> PixelRect {
        let clip = |v: f32, limit: u32| v.clamp(0.0, limit as f32) as u32;
        let left = clip(self.x.floor(), image_width);
        let top = clip(self.y.floor(), image_height);
        let right = clip((self.x + self.width).ceil(), image_width);
        let bottom = clip((self.y + self.height).ceil(), image_height);
        PixelRect { x: left, y: top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) }
    }
}

impl From<[f32; 4]> for Rect {
    fn from([x, y, width, height]: [f32; 4]) -> Self {
        Self { x, y, width, height }
    }
}

impl From<Rect> for [f32; 4] {
    fn from(Rect { x, y, width, height }: Rect) -> Self {
        [x, y, width, height]
    }
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PixelRect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl PixelRect {
    /// The whole of an image.
    #[must_use]
    pub fn of_size(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// Whether it holds no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The column after the last.
    #[must_use]
    pub fn right(&self) -> u32 {
        self.x + self.width
    }

    /// The row after the last.
    #[must_use]
    pub fn bottom(&self) -> u32 {
        self.y + self.height
    }

    /// The smallest rectangle around it whose edges lie on multiples of `step`, clipped to the image.
    ///
    /// A region of a subsampled image starts on a chroma sample when its edges are even.
    #[must_use]
    pub fn aligned(&self, step: u32, image_width: u32, image_height: u32) -> Self {
        let x = self.x / step * step;
        let y = self.y / step * step;
        let right = self.right().div_ceil(step).saturating_mul(step).min(image_width);
        let bottom = self.bottom().div_ceil(step).saturating_mul(step).min(image_height);
        Self { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
    }
}

/// An affine map of the plane: `x' = a x + b y + c`, `y' = d x + e y + f`.
///
/// Variables that hold one are named `target_from_source`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// `[a, b, c, d, e, f]`, the rows of the 2 × 3 matrix.
    pub rows: [f32; 6],
}

impl Affine {
    /// The map that leaves every point where it is.
    pub const IDENTITY: Self = Self { rows: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] };

    /// The map that turns by `radians` (from x towards y), scales by `scale`, and takes `source` to `target`.
    #[must_use]
    pub fn similarity(radians: f32, scale: f32, source: Vec2, target: Vec2) -> Self {
        let (sin, cos) = radians.sin_cos();
        let (a, d) = (scale * cos, scale * sin);
        let c = target.x - (a * source.x - d * source.y);
        let f = target.y - (d * source.x + a * source.y);
        Self { rows: [a, -d, c, d, a, f] }
    }

    /// Applies the map.
    #[must_use]
    pub fn apply(&self, p: Vec2) -> Vec2 {
        let [a, b, c, d, e, f] = self.rows;
        Vec2::new(a * p.x + b * p.y + c, d * p.x + e * p.y + f)
    }

    /// The map that undoes this one; `None` if it flattens the plane.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.rows;
        let determinant = a * e - b * d;
        if determinant.abs() < f32::EPSILON {
            return None;
        }
        let (ia, ib, id, ie) = (e / determinant, -b / determinant, -d / determinant, a / determinant);
        Some(Self { rows: [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)] })
    }
}

/// An [`Affine`] map in double precision, for what must agree with other implementations to the bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineF64 {
    /// `[a, b, c, d, e, f]`, the rows of the 2 × 3 matrix.
    pub rows: [f64; 6],
}

impl AffineF64 {
    /// Applies the map to the point (x, y).
    #[must_use]
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [a, b, c, d, e, f] = self.rows;
        [a * x + b * y + c, d * x + e * y + f]
    }

    /// The map that undoes this one; `None` if it flattens the plane or is not finite.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.rows;
        let reciprocal = 1.0 / (a * e - b * d);
        let (ia, ib, id, ie) = (e * reciprocal, -b * reciprocal, -d * reciprocal, a * reciprocal);
        let rows = [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
        rows.iter().all(|value| value.is_finite()).then_some(Self { rows })
    }
}

impl From<Affine> for AffineF64 {
    fn from(map: Affine) -> Self {
        Self { rows: map.rows.map(f64::from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similarity_and_its_inverse_meet() {
        let map = Affine::similarity(0.4, 2.5, Vec2::new(10.0, 20.0), Vec2::new(64.0, 64.0));
        let back = map.inverse().unwrap();
        let p = Vec2::new(-3.0, 77.0);
        assert!((back.apply(map.apply(p)) - p).length() < 1e-3);
        assert!((map.apply(Vec2::new(10.0, 20.0)) - Vec2::new(64.0, 64.0)).length() < 1e-4);
    }

    #[test]
    fn alignment_never_leaves_an_odd_image() {
        let rect = PixelRect { x: 3, y: 5, width: 4, height: 4 }.aligned(2, 7, 9);
        assert_eq!(rect, PixelRect { x: 2, y: 4, width: 5, height: 5 });
    }

    #[test]
    fn pixels_of_a_rectangle_outside_the_image_are_none() {
        let rect = Rect { x: -20.0, y: -20.0, width: 5.0, height: 5.0 };
        assert!(rect.to_pixels(100, 100).is_empty());
    }
}
