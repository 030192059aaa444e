//! Moving the samples of a plane along a displacement field.

#![expect(
    clippy::inline_always,
    reason = "loops and what they call are compiled several times: see `WideLoop`"
)]

use crate::field::{DisplacementField, cell};
use crate::frame::{PixelFormat, Plane};
use crate::image::ImageF32;
use crate::sample::{CUBIC_STEPS, between, cubic, nearest};
use crate::simd::{WideLoop, widest};
use crate::siting::PlaneSiting;
use std::ops::Range;
use viseme_core::geometry::{PixelRect, Vec2};

/// Samples around a position that the cubic kernel needs: one before, two after, and one more for rounding.
const MARGIN: i64 = 3;

/// Columns whose positions are found together.
const LANES: usize = 8;

/// Plane `index` of a frame in `format`, warped by `field`: the samples of `region` (in pixels of the frame, on chroma
/// samples), on the scale of the format and clamped to its range.
///
/// Bicubic (a = −0.75, `OpenCV`'s kernel); the edges of the plane are repeated outside it. The field is
/// bilinear between its nodes and rounded to 1/1024 of a sample.
#[must_use]
pub fn warp_plane(
    plane: &Plane,
    format: PixelFormat,
    index: usize,
    field: &DisplacementField,
    region: PixelRect,
) -> ImageF32 {
    warped(plane, format, index, field, region, None)
}

/// As [`warp_plane`], but only the samples whose weight, one per sample, is above 0; the others are 0.
#[must_use]
pub fn warp_plane_where(
    plane: &Plane,
    format: PixelFormat,
    index: usize,
    field: &DisplacementField,
    region: PixelRect,
    weights: &ImageF32,
) -> ImageF32 {
    warped(plane, format, index, field, region, Some(weights))
}

fn warped(
    plane: &Plane,
    format: PixelFormat,
    index: usize,
    field: &DisplacementField,
    region: PixelRect,
    weights: Option<&ImageF32>,
) -> ImageF32 {
    let target = format.plane_region(index, region);
    let siting = PlaneSiting::of(format, index);
    let (low, high) = field.extremes();
    let reach = |start: u32, end: u32, low: f32, high: f32, step: f32, extent: u32| {
        let first = i64::from(start) + (low / step).floor() as i64 - MARGIN;
        let last = i64::from(end) + (high / step).floor() as i64 + 1 + MARGIN;
        // Beyond the margin outside the plane there is only its edge again.
        let first = first.max(-MARGIN - 1).min(i64::from(extent) - 1);
        (first, last.min(i64::from(extent) + MARGIN + 1).max(first + 2 * MARGIN))
    };
    let (left, right) = reach(target.x, target.right(), low.x, high.x, siting.step.x, plane.width);
    let (top, bottom) = reach(target.y, target.bottom(), low.y, high.y, siting.step.y, plane.height);
    // The part of the plane that the warp can reach, edges repeated: no sample below needs an edge check.
    let window = ImageF32::window(plane, left, top, (right - left) as usize, (bottom - top) as usize);

    let columns = Columns::new(field, target, siting);
    // Of the first of the four samples that the kernel reads, which is one before the position.
    let first = (i64::from(target.x) - left - 1, i64::from(target.y) - top - 1);
    let limit = f32::from(format.max_value());
    widest(Warp { field, siting, target, window: &window, columns: &columns, first, weights, limit })
}

/// The rows of a warp.
struct Warp<'a> {
    field: &'a DisplacementField,
    siting: PlaneSiting,
    /// What is made, in samples of the plane.
    target: PixelRect,
    window: &'a ImageF32,
    columns: &'a Columns,
    /// The first sample of the window that the first sample of the target reads when nothing moves.
    first: (i64, i64),
    weights: Option<&'a ImageF32>,
    /// The largest value of a sample.
    limit: f32,
}

impl WideLoop for Warp<'_> {
    type Output = ImageF32;

    #[inline(always)]
    fn run(self) -> ImageF32 {
        let Self { field, siting, target, window, columns, first, weights, limit } = self;
        let (width, height) = (target.width as usize, target.height as usize);
        let mut nodes = vec![Vec2::default(); field.columns];
        let mut positions = Positions { x: vec![0; width + LANES], y: vec![0; width + LANES] };
        let mut made = ImageF32::filled(width, height, 0.0);
        for j in 0..height {
            let weights = weights.map(|weights| weights.row(j));
            let wanted = weights.map_or(0..width, span);
            if wanted.is_empty() {
                continue;
            }
            let y = (target.y as usize + j) as f32 * siting.step.y + siting.origin.y - field.region.y as f32;
            node_row(field, y, siting, &mut nodes);
            positions.find(window, columns, &nodes, (first.0, first.1 + j as i64), &wanted);
            let out = &mut made.row_mut(j)[wanted.clone()];
            let places = positions.x[wanted.clone()].iter().zip(&positions.y[wanted.clone()]);
            for ((i, out), (&x, &y)) in wanted.zip(out).zip(places) {
                if weights.is_none_or(|weights| weights[i] > 0.0) {
                    *out = cubic(window, x as usize, y as usize).clamp(0.0, limit);
                }
            }
        }
        made
    }
}

/// From the first weight above 0 to the last.
fn span(weights: &[f32]) -> Range<usize> {
    let is_wanted = |weight: &f32| *weight > 0.0;
    let first = weights.iter().position(is_wanted).unwrap_or(weights.len());
    first..weights.iter().rposition(is_wanted).map_or(first, |last| last + 1)
}

/// Where the columns of the output lie in the grid.
struct Columns {
    /// How far each lies in its cell, 0 to 1. [`LANES`] more than there are columns.
    along: Vec<f32>,
    /// The cells, and which columns lie in them.
    cells: Vec<(usize, Range<usize>)>,
}

impl Columns {
    fn new(field: &DisplacementField, target: PixelRect, siting: PlaneSiting) -> Self {
        let mut columns = Self { along: Vec::new(), cells: Vec::new() };
        for i in 0..target.width {
            let x = (target.x + i) as f32 * siting.step.x + siting.origin.x - field.region.x as f32;
            let (cell, along) = cell(x, field.region.width, field.columns);
            let end = i as usize + 1;
            match columns.cells.last_mut() {
                Some((last, range)) if *last == cell => range.end = end,
                _ => columns.cells.push((cell, end - 1..end)),
            }
            columns.along.push(along);
        }
        columns.along.resize(columns.along.len() + LANES, 0.0);
        columns
    }
}

/// The displacements at the columns of nodes, interpolated at `y` pixels below the top of the field, in plane samples.
fn node_row(field: &DisplacementField, y: f32, siting: PlaneSiting, nodes: &mut [Vec2]) {
    let (row, down) = cell(y, field.region.height, field.rows);
    let start = row * field.columns;
    for (i, node) in nodes.iter_mut().enumerate() {
        let mix = |values: &[f32]| {
            let (above, below) = (values[start + i], values[start + i + field.columns]);
            above + (below - above) * down
        };
        *node = Vec2::new(mix(&field.dx) / siting.step.x, mix(&field.dy) / siting.step.y);
    }
}

/// The first samples of the window that the pixels of a row read, and how far beyond they lie, in steps of the cubic table.
/// [`LANES`] more than there are columns.
struct Positions {
    x: Vec<u32>,
    y: Vec<u32>,
}

impl Positions {
    /// Finds those of the columns `wanted` of a row whose first pixel reads from `first` on when nothing moves.
    #[inline(always)]
    fn find(
        &mut self,
        window: &ImageF32,
        columns: &Columns,
        nodes: &[Vec2],
        first: (i64, i64),
        wanted: &Range<usize>,
    ) {
        let steps = |samples: i64| (samples * CUBIC_STEPS as i64) as i32;
        let (left, y) = (steps(first.0), steps(first.1));
        // A broken field cannot leave the window.
        let (right, bottom) = (steps(window.width as i64 - 4), steps(window.height as i64 - 4));
        for (cell, range) in &columns.cells {
            let (a, b) = (nodes[*cell], nodes[*cell + 1]);
            let end = range.end.min(wanted.end);
            // What is found beyond the end of the cell is found again in the next one.
            for column in (range.start.max(wanted.start)..end).step_by(LANES) {
                let lanes = column..column + LANES;
                let to = self.x[lanes.clone()].iter_mut().zip(&mut self.y[lanes.clone()]);
                for (lane, (&along, (to_x, to_y))) in (0..).zip(columns.along[lanes].iter().zip(to)) {
                    let shift = a + (b - a) * along;
                    let x = left + steps(column as i64) + lane * CUBIC_STEPS as i32 + whole_steps(shift.x);
                    *to_x = x.clamp(0, right) as u32;
                    *to_y = (y + whole_steps(shift.y)).clamp(0, bottom) as u32;
                }
            }
        }
    }
}

/// A displacement of samples in steps of the cubic table, rounded: at most 4000 samples, whatever is asked for.
#[inline(always)]
fn whole_steps(shift: f32) -> i32 {
    const MOST: f32 = 4000.0;
    nearest(between(shift, -MOST, MOST) * CUBIC_STEPS as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChromaSampling, Frame};
    use proptest::prelude::*;
    use viseme_core::Pts;

    fn frame(format: PixelFormat, width: u32, height: u32) -> Frame {
        let bytes: Vec<u8> =
            (0..format.frame_bytes(width, height)).map(|i| (i * 37 % 251) as u8 & 0x3f).collect();
        Frame::from_bytes(Pts(0), format, width, height, &bytes).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_wanted_is_as_in_the_whole_warp_and_all_else_is_nothing(
            width in 1_u32..40, height in 1_u32..24, columns in 2_usize..9, rows in 2_usize..5,
            nodes in prop::collection::vec(-9.0_f32..9.0, 2 * 9 * 5),
            weights in prop::collection::vec(prop::bool::weighted(0.4), 40 * 24),
            deep in any::<bool>(),
        ) {
            let format = PixelFormat {
                chroma: ChromaSampling::Yuv420, bit_depth: if deep { 10 } else { 8 }, alpha: false,
            };
            let frame = frame(format, 64, 48);
            let region = PixelRect { x: 8, y: 6, width, height };
            let (dx, dy) = nodes.split_at(45);
            let count = columns * rows;
            let field = DisplacementField { region, columns, rows, dx: dx[..count].to_vec(), dy: dy[..count].to_vec() };
            for (index, plane) in frame.planes.iter().enumerate() {
                let whole = warp_plane(plane, format, index, &field, region);
                let weights = ImageF32::from_fn(whole.width, whole.height, |x, y| {
                    if weights[y * 40 + x] { 0.5 } else { 0.0 }
                });
                let part = warp_plane_where(plane, format, index, &field, region, &weights);
                for ((part, whole), weight) in part.data.iter().zip(&whole.data).zip(&weights.data) {
                    let wanted = if *weight > 0.0 { *whole } else { 0.0 };
                    prop_assert_eq!(part.to_bits(), wanted.to_bits());
                }
            }
        }

        #[test]
        fn every_sample_is_the_cubic_value_at_its_place(
            width in 1_u32..40, nodes in prop::collection::vec(-9.0_f32..9.0, 2 * 6),
        ) {
            let frame = frame(PixelFormat::YUV420P, 64, 48);
            let region = PixelRect { x: 8, y: 6, width, height: 7 };
            let (dx, dy) = nodes.split_at(6);
            let field = DisplacementField { region, columns: 3, rows: 2, dx: dx.to_vec(), dy: dy.to_vec() };
            let plane = &frame.planes[0];
            let found = warp_plane(plane, frame.format, 0, &field, region);
            let image = ImageF32::window(plane, 0, 0, 64, 48);
            for (x, y) in (0..width).flat_map(|x| (0..7).map(move |y| (x, y))) {
                let p = Vec2::new((region.x + x) as f32, (region.y + y) as f32);
                let wanted = image.bicubic(p + field.at(p)).clamp(0.0, 255.0);
                let value = found.at(i64::from(x), i64::from(y));
                // Half a step of the table is worth 0.1 of 255 at the steepest edge; here samples reach 63.
                prop_assert!((value - wanted).abs() < 0.1, "{value} instead of {wanted} at {x}, {y}");
            }
        }
    }
}
