//! Moving the samples of a plane along a displacement field.

use crate::field::{DisplacementField, cell};
use crate::frame::{PixelFormat, Plane};
use crate::image::ImageF32;
use crate::sample::{cubic_weights, weighted_sum};
use crate::siting::PlaneSiting;
use viseme_core::geometry::{PixelRect, Vec2};

/// Samples around a position that the cubic kernel needs: one before, two after, and one more for rounding.
const MARGIN: i64 = 3;

/// Plane `index` of a frame in `format`, warped by `field`: the samples of `region` (in pixels of the frame, on chroma
/// samples), on the scale of the format and clamped to its range.
///
/// Bicubic (a = −0.75, `OpenCV`'s kernel); the edges of the plane are repeated outside it. Values differ from the exact
/// field by the bilinear interpolation between its nodes only.
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
        let limit = i64::from(extent) + MARGIN;
        (first.clamp(-MARGIN - 1, limit - 8), last.clamp(MARGIN + 4, limit + 1))
    };
    let (left, right) = reach(target.x, target.right(), low.x, high.x, siting.step.x, plane.width);
    let (top, bottom) = reach(target.y, target.bottom(), low.y, high.y, siting.step.y, plane.height);
    // The part of the plane that the warp can reach, edges repeated: no sample below needs an edge check.
    let window = ImageF32::window(plane, left, top, (right - left) as usize, (bottom - top) as usize);

    let origin = Vec2::new((i64::from(target.x) - left) as f32, (i64::from(target.y) - top) as f32);
    let columns: Vec<Column> = (0..target.width)
        .map(|i| {
            let x = (target.x + i) as f32 * siting.step.x + siting.origin.x - field.region.x as f32;
            let (cell, along) = cell(x, field.region.width, field.columns);
            Column { cell: cell as u32, along, x: origin.x + i as f32 }
        })
        .collect();
    let mut nodes = vec![Vec2::default(); field.columns];
    let mut data = vec![0.0; width * height];
    let limit = f32::from(format.max_value());
    for (j, out) in data.chunks_exact_mut(width.max(1)).enumerate() {
        let y = (target.y as usize + j) as f32 * siting.step.y + siting.origin.y - field.region.y as f32;
        node_row(field, y, siting, &mut nodes);
        warp_row(&window, &columns, &nodes, origin.y + j as f32, limit, out);
    }
    ImageF32 { width, height, data }
}

/// Where a column of the output lies in the grid, and in the window when nothing moves.
struct Column {
    cell: u32,
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

fn warp_row(window: &ImageF32, columns: &[Column], nodes: &[Vec2], y: f32, limit: f32, out: &mut [f32]) {
    // Positions are above zero, so that truncation is floor; a broken field cannot leave the window.
    let (last_x, last_y) = ((window.width - 3) as f32, (window.height - 3) as f32);
    for (out, column) in out.iter_mut().zip(columns) {
        let cell = column.cell as usize;
        let (a, b) = (nodes[cell], nodes[cell + 1]);
        let x = (column.x + a.x + (b.x - a.x) * column.along).clamp(1.0, last_x);
        let y = (y + a.y + (b.y - a.y) * column.along).clamp(1.0, last_y);
        let (ix, iy) = (x as i32, y as i32);
        let start = (iy as usize - 1) * window.width + ix as usize - 1;
        let value = weighted_sum(
            four_rows(&window.data[start..], window.width),
            cubic_weights(x - ix as f32),
            cubic_weights(y - iy as f32),
        );
        *out = value.clamp(0.0, limit);
    }
}

/// The first four values of four rows.
#[inline]
fn four_rows(data: &[f32], stride: usize) -> [&[f32; 4]; 4] {
    let row = |j: usize| -> &[f32; 4] {
        const OUTSIDE: &[f32; 4] = &[0.0; 4];
        data.get(j * stride..).and_then(<[f32]>::first_chunk).unwrap_or(OUTSIDE)
    };
    [row(0), row(1), row(2), row(3)]
}
