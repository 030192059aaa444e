//! Moving the samples of a plane along a displacement field.

use crate::field::{DisplacementField, cell};
use crate::frame::{PixelFormat, Plane};
use crate::image::ImageF32;
use crate::sample::{CUBIC_STEPS, CUBIC_TABLE, weighted_sum};
use crate::siting::PlaneSiting;
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

    // Of the first of the four samples that the kernel reads, which is one before the position.
    let origin = Vec2::new((i64::from(target.x) - left - 1) as f32, (i64::from(target.y) - top - 1) as f32);
    let columns: Vec<Column> = (0..target.width)
        .map(|i| {
            let x = (target.x + i) as f32 * siting.step.x + siting.origin.x - field.region.x as f32;
            let (cell, along) = cell(x, field.region.width, field.columns);
            Column { cell, along, x: origin.x + i as f32 }
        })
        .collect();
    let mut nodes = vec![Vec2::default(); field.columns];
    let mut positions = vec![(0, 0); width];
    let mut data = vec![0.0; width * height];
    let limit = f32::from(format.max_value());
    for (j, out) in data.chunks_exact_mut(width.max(1)).enumerate() {
        let y = (target.y as usize + j) as f32 * siting.step.y + siting.origin.y - field.region.y as f32;
        node_row(field, y, siting, &mut nodes);
        source_positions(&window, &columns, &nodes, origin.y + j as f32, &mut positions);
        for (out, &position) in out.iter_mut().zip(&positions) {
            *out = sample(&window, position).clamp(0.0, limit);
        }
    }
    ImageF32 { width, height, data }
}

/// Where a column of the output lies in the grid, and in the window when nothing moves.
struct Column {
    cell: usize,
    along: f32,
    x: f32,
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

/// The first samples of the window that the pixels of a row read, and how far beyond they lie, in steps of the cubic
/// table.
fn source_positions(
    window: &ImageF32,
    columns: &[Column],
    nodes: &[Vec2],
    y: f32,
    positions: &mut [(u32, u32)],
) {
    // Not below zero, so that truncation is floor. A broken field cannot leave the window: `max` drops NaN.
    let fixed = |v: f32, extent: usize| {
        (v.max(0.0).min((extent - 4) as f32) * CUBIC_STEPS as f32 + 0.5) as i32 as u32
    };
    for (position, column) in positions.iter_mut().zip(columns) {
        let (a, b) = (nodes[column.cell], nodes[column.cell + 1]);
        let shift = a + (b - a) * column.along;
        *position = (fixed(column.x + shift.x, window.width), fixed(y + shift.y, window.height));
    }
}

/// The value at a position in steps of the cubic table; 0 outside the window, which does not happen.
#[inline]
fn sample(window: &ImageF32, (x, y): (u32, u32)) -> f32 {
    let (x, y) = (x as usize, y as usize);
    let start = y / CUBIC_STEPS * window.width + x / CUBIC_STEPS;
    let row = |j: usize| window.data.get(start + j * window.width..)?.first_chunk();
    let (Some(first), Some(second), Some(third), Some(fourth)) = (row(0), row(1), row(2), row(3)) else {
        return 0.0;
    };
    let (columns, lines) = (&CUBIC_TABLE[x % CUBIC_STEPS], &CUBIC_TABLE[y % CUBIC_STEPS]);
    weighted_sum([first, second, third, fourth], columns, lines)
}
