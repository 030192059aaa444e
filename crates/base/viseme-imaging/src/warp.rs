//! Moving the samples of a plane along a displacement field.

use crate::field::{DisplacementField, cell};
use crate::frame::{PixelFormat, Plane};
use crate::image::ImageF32;
use crate::sample::{CUBIC_STEPS, CUBIC_TABLE, weighted_sum};
use crate::siting::PlaneSiting;
use std::ops::Range;
use viseme_core::geometry::{PixelRect, Vec2};

/// Samples around a position that the cubic kernel needs: one before, two after, and one more for rounding.
const MARGIN: i64 = 3;

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
    warped(plane, format, index, field, region, |_, _| true)
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
    warped(plane, format, index, field, region, |x, y| weights.row(y)[x] > 0.0)
}

fn warped(
    plane: &Plane,
    format: PixelFormat,
    index: usize,
    field: &DisplacementField,
    region: PixelRect,
    is_wanted: impl Fn(usize, usize) -> bool,
) -> ImageF32 {
    let target = format.plane_region(index, region);
    let siting = PlaneSiting::of(format, index);
    let (width, height) = (target.width as usize, target.height as usize);
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
    let (first_x, first_y) = (i64::from(target.x) - left - 1, i64::from(target.y) - top - 1);
    let mut nodes = vec![Vec2::default(); field.columns];
    let mut positions = Positions { x: vec![0; width], y: vec![0; width] };
    let mut data = vec![0.0; width * height];
    let limit = f32::from(format.max_value());
    for (j, out) in data.chunks_exact_mut(width.max(1)).enumerate() {
        let y = (target.y as usize + j) as f32 * siting.step.y + siting.origin.y - field.region.y as f32;
        node_row(field, y, siting, &mut nodes);
        positions.find(&window, &columns, &nodes, (first_x, first_y + j as i64));
        let places = positions.x.iter().zip(&positions.y);
        for (i, (out, (&x, &y))) in out.iter_mut().zip(places).enumerate() {
            if is_wanted(i, j) {
                *out = sample(&window, x as usize, y as usize).clamp(0.0, limit);
            }
        }
    }
    ImageF32 { width, height, data }
}

/// Where the columns of the output lie in the grid.
struct Columns {
    /// How far each lies in its cell, 0 to 1.
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
struct Positions {
    x: Vec<u32>,
    y: Vec<u32>,
}

impl Positions {
    /// Finds those of a row whose first pixel reads from `first` on when nothing moves.
    fn find(&mut self, window: &ImageF32, columns: &Columns, nodes: &[Vec2], first: (i64, i64)) {
        let steps = |samples: i64| (samples * CUBIC_STEPS as i64) as i32;
        let (left, y) = (steps(first.0), steps(first.1));
        // A broken field cannot leave the window.
        let (right, bottom) = (steps(window.width as i64 - 4), steps(window.height as i64 - 4));
        for (cell, range) in &columns.cells {
            let (a, b) = (nodes[*cell], nodes[*cell + 1]);
            let across = self.x[range.clone()].iter_mut().zip(&mut self.y[range.clone()]);
            let start = left + steps(range.start as i64);
            for ((i, &along), (to_x, to_y)) in (0..).zip(&columns.along[range.clone()]).zip(across) {
                let shift = a + (b - a) * along;
                let x = start + i * CUBIC_STEPS as i32 + whole_steps(shift.x);
                *to_x = x.clamp(0, right) as u32;
                *to_y = (y + whole_steps(shift.y)).clamp(0, bottom) as u32;
            }
        }
    }
}

/// A displacement of samples in steps of the cubic table, rounded: at most 4000 samples, whatever is asked for.
fn whole_steps(shift: f32) -> i32 {
    /// Floats from 2²³ to 2²⁴ are whole numbers, told apart by their last bits: this one is in their middle. An order of
    /// magnitude faster than a conversion with its checks, and done for several columns at once.
    const MIDDLE: f32 = 12_582_912.0;
    const MOST: f32 = 4000.0;
    let shift = if shift > -MOST { shift } else { -MOST };
    let shift = if shift < MOST { shift } else { MOST };
    (shift * CUBIC_STEPS as f32 + MIDDLE).to_bits() as i32 - MIDDLE.to_bits() as i32
}

/// The value at a position in steps of the cubic table; 0 outside the window, which does not happen.
#[inline]
fn sample(window: &ImageF32, x: usize, y: usize) -> f32 {
    let start = y / CUBIC_STEPS * window.width + x / CUBIC_STEPS;
    let row = |j: usize| window.data.get(start + j * window.width..)?.first_chunk();
    let (Some(first), Some(second), Some(third), Some(fourth)) = (row(0), row(1), row(2), row(3)) else {
        return 0.0;
    };
    let (columns, lines) = (&CUBIC_TABLE[x % CUBIC_STEPS], &CUBIC_TABLE[y % CUBIC_STEPS]);
    weighted_sum([first, second, third, fourth], columns, lines)
}
