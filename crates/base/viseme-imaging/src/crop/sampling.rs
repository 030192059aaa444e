//! One plane at the pixels of a crop.

#![expect(
    clippy::inline_always,
    reason = "loops and what they call are compiled several times: see `WideLoop`"
)]

use crate::frame::{Plane, Samples};
use crate::image::ImageF32;
use crate::sample::split;
use crate::simd::WideLoop;
use crate::siting::PlaneSiting;
use std::ops::Range;
use viseme_core::geometry::{Affine, Rect, Vec2};

/// Pixels of the crop that are sampled together.
const LANES: usize = 8;

/// Samples a plane at the pixels of a crop.
pub(super) struct Sampling<'a> {
    pub(super) plane: &'a Plane,
    pub(super) siting: PlaneSiting,
    /// From pixels of the crop to pixels of the frame.
    pub(super) image_from_crop: Affine,
    /// Pixels of a side of the crop.
    pub(super) size: usize,
    /// What is made, row by row.
    pub(super) out: &'a mut [f32],
}

impl WideLoop for Sampling<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { plane, siting, image_from_crop, size, out } = self;
        let plane_from_crop =
            |x: f32, y: f32| siting.plane_from_frame(image_from_crop.apply(Vec2::new(x, y)));
        let (first, end) = (-0.5, size as f32 - 0.5);
        let corners =
            [(first, first), (end, first), (first, end), (end, end)].map(|(x, y)| plane_from_crop(x, y));
        let reduced = Reduced::new(plane, siting, &image_from_crop, &corners);
        let origin = reduced.position(plane_from_crop(0.0, 0.0));
        let right = reduced.position(plane_from_crop(1.0, 0.0)) - origin;
        let down = reduced.position(plane_from_crop(0.0, 1.0)) - origin;
        for (j, row) in out.chunks_exact_mut(size.max(1)).enumerate() {
            let start = origin + down * j as f32;
            for (part, values) in row.chunks_mut(LANES).enumerate() {
                let column: [f32; LANES] = std::array::from_fn(|lane| (part * LANES + lane) as f32);
                let sampled = reduced
                    .values(column.map(|i| start.x + right.x * i), column.map(|i| start.y + right.y * i));
                values.copy_from_slice(&sampled[..values.len()]);
            }
        }
    }
}

/// The part of a plane that a crop shows, shrunk by whole factors to about the resolution of the crop.
struct Reduced {
    /// With the last column and the last row once more: the interpolation needs no edge check.
    image: ImageF32,
    /// The first column and row of the part.
    start: Vec2,
    /// Samples of the plane per value, in x and y.
    factor: Vec2,
}

impl Reduced {
    #[inline(always)]
    fn new(plane: &Plane, siting: PlaneSiting, image_from_crop: &Affine, corners: &[Vec2]) -> Self {
        let [a, b, _, d, e, _] = image_from_crop.rows;
        let pixels_per_pixel = (a * e - b * d).abs().sqrt();
        let factor = |step: f32, extent: u32| {
            (pixels_per_pixel / step).round().clamp(1.0, extent.max(1) as f32) as usize
        };
        let (across, down) = (factor(siting.step.x, plane.width), factor(siting.step.y, plane.height));
        // One more value on each side for the interpolation.
        let bounds = Rect::bounding(corners.iter().copied()).unwrap_or_default();
        let part = |low: f32, extent: f32, factor: usize, limit: u32| {
            let last = limit as usize - 1;
            let start = (low - factor as f32).clamp(0.0, last as f32) as usize;
            let end =
                (low + extent + factor as f32 + 1.0).ceil().clamp(start as f32 + 1.0, limit as f32) as usize;
            start..end
        };
        let columns = part(bounds.x, bounds.width, across, plane.width);
        let rows = part(bounds.y, bounds.height, down, plane.height);
        let start = Vec2::new(columns.start as f32, rows.start as f32);
        let stride = plane.width as usize;
        let image = match &plane.samples {
            Samples::U8(samples) => box_means(samples, stride, columns, rows, (across, down)),
            Samples::U16(samples) => box_means(samples, stride, columns, rows, (across, down)),
        };
        Self { image, start, factor: Vec2::new(across as f32, down as f32) }
    }

    /// The position among the means of a position in the plane.
    fn position(&self, p: Vec2) -> Vec2 {
        let axis = |p: f32, start: f32, factor: f32| (p - start + 0.5) / factor - 0.5;
        Vec2::new(axis(p.x, self.start.x, self.factor.x), axis(p.y, self.start.y, self.factor.y))
    }

    /// Bilinear, edges repeated.
    #[inline(always)]
    fn values(&self, x: [f32; LANES], y: [f32; LANES]) -> [f32; LANES] {
        let (stride, data) = (self.image.width, self.image.data.as_slice());
        let (last_column, last_row) = ((stride - 2) as f32, (self.image.height - 2) as f32);
        let (mut columns, mut rows) = ([0; LANES], [0; LANES]);
        let (mut across, mut down) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            (columns[lane], across[lane]) = split(x[lane], 0.0, last_column);
            (rows[lane], down[lane]) = split(y[lane], 0.0, last_row);
        }
        let mut corners = [[0.0; LANES]; 4];
        for lane in 0..LANES {
            let at = rows[lane] as usize * stride + columns[lane] as usize;
            let (above, below) = (&data[at..][..2], &data[at + stride..][..2]);
            corners[0][lane] = above[0];
            corners[1][lane] = above[1];
            corners[2][lane] = below[0];
            corners[3][lane] = below[1];
        }
        let mut values = [0.0; LANES];
        for lane in 0..LANES {
            let above = corners[0][lane] + (corners[1][lane] - corners[0][lane]) * across[lane];
            let below = corners[2][lane] + (corners[3][lane] - corners[2][lane]) * across[lane];
            values[lane] = above + (below - above) * down[lane];
        }
        values
    }
}

/// Means over boxes of `across` × `down` samples; the last of a row or column may cover fewer. The last column and the last
/// row of means come twice.
#[inline(always)]
fn box_means<S: Copy + Into<u32>>(
    samples: &[S],
    stride: usize,
    columns: Range<usize>,
    rows: Range<usize>,
    (across, down): (usize, usize),
) -> ImageF32 {
    let (width, height) = (columns.len().div_ceil(across) + 1, rows.len().div_ceil(down) + 1);
    let mut image = ImageF32::filled(width, height, 0.0);
    let mut sums = vec![0_u32; columns.len()];
    for (box_top, means) in rows.clone().step_by(down).zip(image.data.chunks_exact_mut(width)) {
        let count = (rows.end - box_top).min(down);
        sums.fill(0);
        for row in samples[box_top * stride..].chunks(stride).take(count) {
            for (sum, &sample) in sums.iter_mut().zip(&row[columns.clone()]) {
                let sample: u32 = sample.into();
                *sum += sample;
            }
        }
        set_means(&sums, across, count, means);
        means[width - 1] = means[width - 2];
    }
    let last = (height - 2) * width;
    image.data.copy_within(last..last + width, last + width);
    image
}

/// Sets the first values to the means of `across` sums each, which are of `count` samples each.
#[inline(always)]
fn set_means(sums: &[u32], across: usize, count: usize, means: &mut [f32]) {
    let share = 1.0 / (count * across) as f32;
    // The usual numbers, known to the compiler.
    match across {
        1 => set_whole::<1>(sums, share, means),
        2 => set_whole::<2>(sums, share, means),
        3 => set_whole::<3>(sums, share, means),
        4 => set_whole::<4>(sums, share, means),
        _ => {
            for (mean, part) in means.iter_mut().zip(sums.chunks_exact(across)) {
                *mean = part.iter().sum::<u32>() as f32 * share;
            }
        }
    }
    let whole = sums.len() / across;
    let rest = &sums[whole * across..];
    if !rest.is_empty() {
        means[whole] = rest.iter().sum::<u32>() as f32 * (1.0 / (count * rest.len()) as f32);
    }
}

/// Sets the first values to `share` of `ACROSS` sums each.
#[inline(always)]
fn set_whole<const ACROSS: usize>(sums: &[u32], share: f32, means: &mut [f32]) {
    for (mean, part) in means.iter_mut().zip(sums.as_chunks::<ACROSS>().0) {
        *mean = part.iter().sum::<u32>() as f32 * share;
    }
}
