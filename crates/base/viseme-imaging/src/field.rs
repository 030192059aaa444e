//! Smooth displacement fields: where each pixel of a warped region comes from.

#![expect(
    clippy::inline_always,
    reason = "loops and what they call are compiled several times: see `WideLoop`"
)]

use crate::simd::{WideLoop, widest};
use viseme_core::geometry::{PixelRect, Vec2};

/// Weights are taken of squared distances plus this, in square pixels: a node on a control point stays finite.
const SOFTENING_PX2: f32 = 1e-3;

/// Nodes that are computed together, one per SIMD lane.
const LANES: usize = 8;

/// A control point of a warp: what is seen at `target` in the output comes from `source`. In pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlPoint {
    /// Where it goes.
    pub target: Vec2,
    /// Where it is.
    pub source: Vec2,
}

impl ControlPoint {
    /// A point that stays where it is.
    #[must_use]
    pub fn fixed(point: Vec2) -> Self {
        Self { target: point, source: point }
    }
}

/// Backward displacements on the nodes of a coarse grid over a region of the frame, bilinear between the nodes.
///
/// The output pixel at `p` shows the source at `p + displacement(p)`. The nodes of the first and last column and row
/// lie on the outermost pixel centres of the region.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplacementField {
    /// The region, in pixels of the frame.
    pub region: PixelRect,
    /// Nodes per row, at least 2.
    pub columns: usize,
    /// Rows of nodes, at least 2.
    pub rows: usize,
    /// Rightward displacement of each node in pixels of the frame, row by row.
    pub dx: Vec<f32>,
    /// Downward displacement of each node in pixels of the frame, row by row.
    pub dy: Vec<f32>,
}

impl DisplacementField {
    /// The field that moves nothing.
    #[must_use]
    pub fn still(region: PixelRect) -> Self {
        Self { region, columns: 2, rows: 2, dx: vec![0.0; 4], dy: vec![0.0; 4] }
    }

    /// The moving-least-squares similarity warp through `points` (Schaefer, `McPhail`, Warren: "Image deformation using
    /// moving least squares", 2006, section 2.2) with weights `distance^-2.5`, on nodes at most `step_px` apart.
    ///
    /// Without points nothing moves; one point moves everything with it.
    #[must_use]
    pub fn mls_similarity(points: &[ControlPoint], region: PixelRect, step_px: f32) -> Self {
        let nodes = |extent: u32| (extent as f32 / step_px.max(1.0)).ceil() as usize + 1;
        let (columns, rows) = (nodes(region.width).max(2), nodes(region.height).max(2));
        if points.is_empty() || region.is_empty() {
            return Self::still(region);
        }
        let (moving, fixed): (Vec<_>, Vec<_>) =
            points.iter().copied().partition(|point| point.source != point.target);
        let empty = Self { region, columns, rows, dx: Vec::new(), dy: Vec::new() };
        widest(Nodes { field: empty, moving: &moving, fixed: &fixed })
    }

    /// The displacement at a position of the frame; outside the region that of the nearest edge.
    #[must_use]
    pub fn at(&self, p: Vec2) -> Vec2 {
        let (column, u) = cell(p.x - self.region.x as f32, self.region.width, self.columns);
        let (row, v) = cell(p.y - self.region.y as f32, self.region.height, self.rows);
        let mix = |values: &[f32]| {
            let top = &values[row * self.columns + column..];
            let bottom = &top[self.columns..];
            let (above, below) = (top[0] + (top[1] - top[0]) * u, bottom[0] + (bottom[1] - bottom[0]) * u);
            above + (below - above) * v
        };
        Vec2::new(mix(&self.dx), mix(&self.dy))
    }

    /// The smallest and the largest displacement in each direction: (smallest, largest).
    #[must_use]
    pub fn extremes(&self) -> (Vec2, Vec2) {
        let bounds = |values: &[f32]| {
            values.iter().fold((0.0_f32, 0.0_f32), |(low, high), &v| (low.min(v), high.max(v)))
        };
        let ((left, right), (top, bottom)) = (bounds(&self.dx), bounds(&self.dy));
        (Vec2::new(left, top), Vec2::new(right, bottom))
    }

    fn node_x(&self, column: usize) -> f32 {
        self.region.x as f32 + node(column, self.columns, self.region.width)
    }

    fn node_y(&self, row: usize) -> f32 {
        self.region.y as f32 + node(row, self.rows, self.region.height)
    }
}

/// The nodes of a field that are still to be computed.
struct Nodes<'a> {
    field: DisplacementField,
    moving: &'a [ControlPoint],
    fixed: &'a [ControlPoint],
}

impl WideLoop for Nodes<'_> {
    type Output = DisplacementField;

    #[inline(always)]
    fn run(self) -> DisplacementField {
        let Self { mut field, moving, fixed } = self;
        let xs: Vec<f32> = (0..field.columns).map(|i| field.node_x(i)).collect();
        for j in 0..field.rows {
            let y = field.node_y(j);
            for group in xs.chunks(LANES) {
                let lanes: [f32; LANES] = std::array::from_fn(|lane| group[lane.min(group.len() - 1)]);
                let (dx, dy) = displacements(moving, fixed, lanes, y);
                field.dx.extend_from_slice(&dx[..group.len()]);
                field.dy.extend_from_slice(&dy[..group.len()]);
            }
        }
        field
    }
}

/// The position of node `index` of `count`, in pixels from the first pixel centre of `extent` pixels.
fn node(index: usize, count: usize, extent: u32) -> f32 {
    index as f32 * (extent.saturating_sub(1)) as f32 / (count - 1) as f32
}

/// The grid cell in which an offset from the first pixel centre lies, and how far in it (0 to 1).
pub(crate) fn cell(offset: f32, extent: u32, count: usize) -> (usize, f32) {
    let last = (count - 1) as f32;
    let position = (offset * last / extent.saturating_sub(1).max(1) as f32).clamp(0.0, last);
    let index = (position as usize).min(count - 2);
    (index, position - index as f32)
}

/// Displacements at nodes of one row.
///
/// With p' = p − v for a node v, u = Σwp'/Σw and δ = q − p, the similarity is
/// `displacement = Σwδ/Σw − (a + b⊥) u`, a and b being the parts of the centred Σwp'δ along and across, over Σw|p'|²
/// centred. Control points that stay have δ = 0 and only enter the first sums.
#[inline(always)]
fn displacements(
    moving: &[ControlPoint],
    fixed: &[ControlPoint],
    x: [f32; LANES],
    y: f32,
) -> ([f32; LANES], [f32; LANES]) {
    let mut sums = Sums::default();
    for point in fixed {
        sums.add_position(point.target, x, y);
    }
    for point in moving {
        sums.add_displacement(point, x, y);
    }
    sums.solve()
}

/// The weighted sums of one group of nodes.
#[derive(Default)]
struct Sums {
    weight: [f32; LANES],
    x: [f32; LANES],
    y: [f32; LANES],
    square: [f32; LANES],
    delta_x: [f32; LANES],
    delta_y: [f32; LANES],
    along: [f32; LANES],
    across: [f32; LANES],
}

impl Sums {
    /// Adds a control point's target and returns its weight at each node.
    #[inline(always)]
    fn add_position(&mut self, p: Vec2, x: [f32; LANES], y: f32) -> [f32; LANES] {
        let py = p.y - y;
        let mut weights = [0.0; LANES];
        for (k, x) in x.into_iter().enumerate() {
            let px = p.x - x;
            let square = px * px + py * py;
            let w = weight(square);
            self.weight[k] += w;
            self.x[k] += w * px;
            self.y[k] += w * py;
            self.square[k] += w * square;
            weights[k] = w;
        }
        weights
    }

    #[inline(always)]
    fn add_displacement(&mut self, point: &ControlPoint, x: [f32; LANES], y: f32) {
        let weights = self.add_position(point.target, x, y);
        let delta = point.source - point.target;
        let py = point.target.y - y;
        for (k, (w, x)) in weights.into_iter().zip(x).enumerate() {
            let px = point.target.x - x;
            self.delta_x[k] += w * delta.x;
            self.delta_y[k] += w * delta.y;
            self.along[k] += w * (px * delta.x + py * delta.y);
            self.across[k] += w * (px * delta.y - py * delta.x);
        }
    }

    #[inline(always)]
    fn solve(&self) -> ([f32; LANES], [f32; LANES]) {
        let (mut dx, mut dy) = ([0.0; LANES], [0.0; LANES]);
        for k in 0..LANES {
            let (ux, uy) = (self.x[k] / self.weight[k], self.y[k] / self.weight[k]);
            let spread = self.square[k] - (self.x[k] * ux + self.y[k] * uy);
            // One control point, or all in one place: a pure shift.
            let scale = if spread > 1e-6 * self.square[k] { 1.0 / spread } else { 0.0 };
            let a = (self.along[k] - (ux * self.delta_x[k] + uy * self.delta_y[k])) * scale;
            let b = (self.across[k] - (ux * self.delta_y[k] - uy * self.delta_x[k])) * scale;
            dx[k] = self.delta_x[k] / self.weight[k] - (a * ux - b * uy);
            dy[k] = self.delta_y[k] / self.weight[k] - (b * ux + a * uy);
        }
        (dx, dy)
    }
}

/// `distance^-2.5` of a squared distance, by square roots because these vectorise and powers do not.
#[inline(always)]
fn weight(square: f32) -> f32 {
    let square = square + SOFTENING_PX2;
    1.0 / (square * square.sqrt().sqrt())
}
