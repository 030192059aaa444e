//! Smooth functions over a part of a frame, kept on the nodes of a coarse grid.

use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::ImageF32;

/// Values on nodes `step` pixels apart; node (i, j) lies at `origin + (i, j) * step`. Bilinear between nodes.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    step: f32,
    values: ImageF32,
}

impl Grid {
    /// The function `value` of positions in the frame, on nodes `step` pixels (at least 1) apart that cover `region`.
    pub(super) fn sample(region: PixelRect, step: f32, value: impl Fn(Vec2) -> f32) -> Self {
        let step = step.max(1.0);
        let origin = Vec2::new(region.x as f32, region.y as f32);
        let nodes = |extent: u32| (extent as f32 / step).ceil() as usize + 2;
        let values = ImageF32::from_fn(nodes(region.width), nodes(region.height), |i, j| {
            value(origin + Vec2::new(i as f32, j as f32) * step)
        });
        Self { step, values }
    }

    /// The function at each pixel of the region that it was sampled for.
    pub(super) fn spread(&self, region: PixelRect) -> ImageF32 {
        let place = |index: usize| {
            let position = index as f32 / self.step;
            (position as usize, position.fract())
        };
        let mut out = ImageF32::filled(region.width as usize, region.height as usize, 0.0);
        let columns: Vec<_> = (0..out.width).map(place).collect();
        let mut line = vec![0.0; self.values.width];
        for y in 0..out.height {
            let (row, v) = place(y);
            for ((value, a), b) in line.iter_mut().zip(self.values.row(row)).zip(self.values.row(row + 1)) {
                *value = a + (b - a) * v;
            }
            for (value, &(column, u)) in out.row_mut(y).iter_mut().zip(&columns) {
                *value = line[column] + (line[column + 1] - line[column]) * u;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_spread_exactly() {
        let region = PixelRect { x: 10, y: 20, width: 33, height: 17 };
        let spread = Grid::sample(region, 5.5, |p| 2.0 * p.x - p.y).spread(region);
        for (x, y) in [(0, 0), (32, 16), (7, 11)] {
            assert!((spread.at(x, y) - (2.0 * (x as f32 + 10.0) - (y as f32 + 20.0))).abs() < 1e-3);
        }
    }
}
