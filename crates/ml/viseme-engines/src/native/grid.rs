//! Smooth functions over a part of a frame, kept on the nodes of a coarse grid: masks and colour offsets vary slowly,
//! so that a few hundred nodes stand for all samples of all planes.

use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::{ImageF32, PixelFormat, PlaneSiting};

/// Values on nodes `step` pixels apart; node (i, j) lies at `origin + (i, j) * step`. Bilinear between nodes.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    origin: Vec2,
    step: f32,
    pub(super) values: ImageF32,
}

impl Grid {
    /// The function `value` of positions in the frame, on nodes at most `step` pixels apart that cover `region`.
    pub(super) fn sample(region: PixelRect, step: f32, value: impl Fn(Vec2) -> f32) -> Self {
        let step = step.max(1.0);
        let origin = Vec2::new(region.x as f32, region.y as f32);
        let nodes = |extent: u32| (extent as f32 / step).ceil() as usize + 1;
        let values = ImageF32::from_fn(nodes(region.width), nodes(region.height), |i, j| {
            value(origin + Vec2::new(i as f32, j as f32) * step)
        });
        Self { origin, step, values }
    }

    /// A grid of the same nodes with other values.
    pub(super) fn with_values(&self, values: ImageF32) -> Self {
        Self { values, ..*self }
    }

    /// The function at the samples of plane `plane` that `region` (in pixels of the frame) covers.
    pub(super) fn spread(&self, format: PixelFormat, plane: usize, region: PixelRect) -> ImageF32 {
        let part = format.plane_region(plane, region);
        let siting = PlaneSiting::of(format, plane);
        let place = |start: u32, index: u32, step: f32, origin: f32, from: f32, count: usize| {
            let position = (((start + index) as f32 * step + origin - from) / self.step).clamp(0.0, (count - 1) as f32);
            let cell = (position as usize).min(count.saturating_sub(2));
            (cell, position - cell as f32)
        };
        let (columns, rows) = (self.values.width, self.values.height);
        let across: Vec<(usize, f32)> = (0..part.width)
            .map(|i| place(part.x, i, siting.step.x, siting.origin.x, self.origin.x, columns))
            .collect();
        let mut out = ImageF32::filled(part.width as usize, part.height as usize, 0.0);
        let mut line = vec![0.0; columns];
        for j in 0..part.height {
            let (row, v) = place(part.y, j, siting.step.y, siting.origin.y, self.origin.y, rows);
            let (above, below) = (self.values.row(row), self.values.row((row + 1).min(rows - 1)));
            for ((value, a), b) in line.iter_mut().zip(above).zip(below) {
                *value = a + (b - a) * v;
            }
            for (value, &(cell, u)) in out.row_mut(j as usize).iter_mut().zip(&across) {
                let (a, b) = (line[cell], line[(cell + 1).min(columns - 1)]);
                *value = a + (b - a) * u;
            }
        }
        out
    }

    /// Means of the samples of a plane around each node, weighted: (Σ weight · sample, Σ weight) per node.
    ///
    /// `samples` and `weights` cover `region` of plane `plane`.
    pub(super) fn gather(
        &self,
        format: PixelFormat,
        plane: usize,
        region: PixelRect,
        samples: impl Fn(usize) -> f32,
        weights: &ImageF32,
    ) -> (ImageF32, ImageF32) {
        let part = format.plane_region(plane, region);
        let siting = PlaneSiting::of(format, plane);
        let (columns, rows) = (self.values.width, self.values.height);
        let nearest = |position: f32, count: usize| ((position / self.step + 0.5) as usize).min(count - 1);
        let mut sum = ImageF32::filled(columns, rows, 0.0);
        let mut total = ImageF32::filled(columns, rows, 0.0);
        let across: Vec<usize> = (0..part.width)
            .map(|i| nearest((part.x + i) as f32 * siting.step.x + siting.origin.x - self.origin.x, columns))
            .collect();
        for j in 0..part.height {
            let row = nearest((part.y + j) as f32 * siting.step.y + siting.origin.y - self.origin.y, rows);
            let first = j as usize * weights.width;
            for (i, &column) in across.iter().enumerate() {
                let weight = weights.data[first + i];
                sum.data[row * columns + column] += weight * samples(first + i);
                total.data[row * columns + column] += weight;
            }
        }
        (sum, total)
    }
}

/// 0 up to `from`, 1 from `to` on, smooth between (cubic Hermite).
pub(super) fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Distance of a point from a closed polygon, negative inside it. In the unit of the coordinates.
pub(super) fn signed_distance(polygon: &[Vec2], p: Vec2) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut before = match polygon.last() {
        Some(&last) => last,
        None => return nearest,
    };
    for &corner in polygon {
        let (edge, from) = (corner - before, p - before);
        let along = (from.dot(edge) / edge.dot(edge).max(1e-12)).clamp(0.0, 1.0);
        nearest = nearest.min((from - edge * along).length());
        if (before.y > p.y) != (corner.y > p.y) && p.x < before.x + (p.y - before.y) / (corner.y - before.y) * edge.x {
            inside = !inside;
        }
        before = corner;
    }
    if inside { -nearest } else { nearest }
}
