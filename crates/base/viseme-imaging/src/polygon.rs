//! Polygons as masks: how much of each pixel they cover and how far from them it lies.

#![expect(
    clippy::inline_always,
    reason = "loops and what they call are compiled several times: see `WideLoop`"
)]

use crate::image::ImageF32;
use crate::simd::{WideLoop, widest};
use viseme_core::geometry::{PixelRect, Vec2};

/// How much of each pixel of `region` the closed polygon covers, 0 to 1, by exact area.
///
/// `points` are in pixels of the frame, in order, the last joined to the first. Parts that the outline goes around
/// more than once count as covered; where it crosses itself, both sides are.
#[must_use]
pub fn polygon_coverage(points: &[Vec2], region: PixelRect) -> ImageF32 {
    let mut mask = ImageF32::filled(region.width as usize, region.height as usize, 0.0);
    // From here on a pixel is the square from its index to the next.
    let offset = Vec2::new(region.x as f32 - 0.5, region.y as f32 - 0.5);
    for (a, b) in edges(points) {
        add_edge(&mut mask, a - offset, b - offset);
    }
    let width = mask.width.max(1);
    for row in mask.data.chunks_exact_mut(width) {
        let mut covered = 0.0;
        for value in row {
            covered += *value;
            *value = covered.abs().min(1.0);
        }
    }
    mask
}

/// The distance of each pixel centre of `region` from the outline of the closed polygon, in pixels: negative inside. No
/// distance is larger than `reach`: the nearer that is, the less there is to compute.
///
/// Masks made from it (see [`smoothstep`]) grow and shrink by fractions of a pixel, so they do not flicker.
#[must_use]
pub fn polygon_distance(points: &[Vec2], region: PixelRect, reach: f32) -> ImageF32 {
    widest(Distance { points, region, reach })
}

/// The rows of [`polygon_distance`].
struct Distance<'a> {
    points: &'a [Vec2],
    region: PixelRect,
    reach: f32,
}

impl WideLoop for Distance<'_> {
    type Output = ImageF32;

    #[inline(always)]
    fn run(self) -> ImageF32 {
        let Self { points, region, reach } = self;
        let (width, height) = (region.width as usize, region.height as usize);
        let mut distance = ImageF32::filled(width, height, reach * reach);
        let mut turns = vec![0_i32; width + 1];
        for (row, squares) in distance.data.chunks_exact_mut(width.max(1)).enumerate() {
            let y = (region.y as usize + row) as f32;
            turns.fill(0);
            for (a, b) in edges(points) {
                lower_to_edge(squares, region.x as f32, y, (a, b), reach);
                if (a.y <= y) != (b.y <= y) {
                    let x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x) - region.x as f32;
                    // The first pixel centre that is not left of the crossing.
                    let column = (x.ceil().max(0.0) as usize).min(width);
                    turns[column] += if a.y < b.y { 1 } else { -1 };
                }
            }
            let mut winding = 0;
            for (value, turn) in squares.iter_mut().zip(&turns) {
                winding += turn;
                *value = if winding == 0 { value.sqrt() } else { -value.sqrt() };
            }
        }
        distance
    }
}

/// 0 below `low`, 1 above `high`, and a smooth rise (3t² − 2t³) between them; falls when `low` is above `high`.
#[must_use]
#[inline]
pub fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The edges of a closed polygon.
fn edges(points: &[Vec2]) -> impl Iterator<Item = (Vec2, Vec2)> {
    points.iter().copied().zip(points.iter().copied().cycle().skip(1))
}

/// Adds what lies right of an edge, row by row, as differences along the row.
fn add_edge(mask: &mut ImageF32, a: Vec2, b: Vec2) {
    let (top, bottom, sign) = if a.y < b.y { (a, b, 1.0) } else { (b, a, -1.0) };
    if top.y >= bottom.y {
        return;
    }
    let slope = (bottom.x - top.x) / (bottom.y - top.y);
    let first = top.y.max(0.0) as usize;
    let end = (bottom.y.max(0.0).ceil() as usize).min(mask.height);
    for y in first..end {
        let (from, to) = (top.y.max(y as f32), bottom.y.min((y + 1) as f32));
        let (x0, x1) = (top.x + (from - top.y) * slope, top.x + (to - top.y) * slope);
        add_piece(mask.row_mut(y), x0.min(x1), x0.max(x1), sign * (to - from));
    }
}

/// Adds the piece of an edge within one row, which goes from `x0` to `x1` and is `height` high.
fn add_piece(row: &mut [f32], x0: f32, x1: f32, height: f32) {
    // The area left of `t` and right of the edge, per height.
    let area = |t: f32| {
        if t <= x0 {
            0.0
        } else if t >= x1 {
            t - 0.5 * (x0 + x1)
        } else {
            0.5 * (t - x0) * (t - x0) / (x1 - x0)
        }
    };
    let first = x0.max(0.0) as usize;
    let end = (x1.max(0.0) as usize + 2).min(row.len());
    let mut before = 0.0;
    for (x, value) in row.iter_mut().enumerate().take(end).skip(first) {
        let covered = area((x + 1) as f32) - area(x as f32);
        *value += height * (covered - before);
        before = covered;
    }
}

/// Lowers the squared distances of a row of pixels to those from one edge, where that is nearer. Further than `reach` from it
/// nothing is.
#[inline(always)]
fn lower_to_edge(squares: &mut [f32], left: f32, y: f32, (a, b): (Vec2, Vec2), reach: f32) {
    if y < a.y.min(b.y) - reach || y > a.y.max(b.y) + reach {
        return;
    }
    let column = |x: f32| (x - left).max(0.0) as usize;
    let first = column((a.x.min(b.x) - reach).floor()).min(squares.len());
    let end = column((a.x.max(b.x) + reach).ceil()).saturating_add(1).clamp(first, squares.len());
    let edge = b - a;
    let length = edge.dot(edge);
    let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
    let (ry, along_y) = (y - a.y, (y - a.y) * edge.y);
    for (x, square) in squares[first..end].iter_mut().enumerate() {
        let rx = left + (first + x) as f32 - a.x;
        let t = ((rx * edge.x + along_y) * inverse).clamp(0.0, 1.0);
        let (dx, dy) = (rx - t * edge.x, ry - t * edge.y);
        let candidate = dx * dx + dy * dy;
        *square = if candidate < *square { candidate } else { *square };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: PixelRect = PixelRect { x: 10, y: 20, width: 40, height: 30 };

    fn square(left: f32, top: f32, right: f32, bottom: f32) -> Vec<Vec2> {
        [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| Vec2::new(x, y)).to_vec()
    }

    fn area(points: &[Vec2]) -> f32 {
        edges(points).map(|(a, b)| a.x * b.y - a.y * b.x).sum::<f32>().abs() / 2.0
    }

    #[test]
    fn coverage_is_the_exact_area() {
        let polygon: Vec<Vec2> = (0..20)
            .map(|k| {
                let angle = k as f32 * std::f32::consts::TAU / 20.0;
                Vec2::new(29.3 + 11.7 * angle.cos(), 34.6 + 7.1 * angle.sin())
            })
            .collect();
        for points in [polygon.clone(), polygon.into_iter().rev().collect(), square(12.25, 22.5, 13.0, 40.75)]
        {
            let total: f32 = polygon_coverage(&points, REGION).data.iter().sum();
            assert!((total - area(&points)).abs() < 1e-2, "{total} instead of {}", area(&points));
        }
    }

    #[test]
    fn a_pixel_cut_in_quarters_is_covered_by_a_quarter() {
        let mask = polygon_coverage(&square(15.0, 25.0, 18.0, 27.0), REGION);
        for (x, y, expected) in
            [(5, 5, 0.25), (6, 5, 0.5), (6, 6, 1.0), (8, 7, 0.25), (9, 6, 0.0), (4, 6, 0.0)]
        {
            assert!((mask.at(x, y) - expected).abs() < 1e-5, "{x} {y} {}", mask.at(x, y));
        }
    }

    #[test]
    fn what_lies_outside_the_region_is_cut_off_exactly() {
        let mask = polygon_coverage(&square(-30.0, -5.0, 29.5, 500.0), REGION);
        for row in mask.rows() {
            assert!(row[..20].iter().all(|value| (value - 1.0).abs() < 1e-5));
            assert!(row[20..].iter().all(|value| value.abs() < 1e-5));
        }
        let slanted = [Vec2::new(0.0, 0.0), Vec2::new(100.0, 0.0), Vec2::new(0.0, 90.0)];
        let exact = ImageF32::from_fn(40, 30, |x, y| {
            let inside = |k: usize| {
                let (u, v) = ((k % 16) as f32 / 16.0, (k / 16) as f32 / 16.0);
                let p = Vec2::new(x as f32 + 9.5 + u + 0.03, y as f32 + 19.5 + v + 0.03);
                f32::from(u8::from(p.x / 100.0 + p.y / 90.0 < 1.0))
            };
            (0..256).map(inside).sum::<f32>() / 256.0
        });
        let mask = polygon_coverage(&slanted, REGION);
        assert!(mask.data.iter().zip(&exact.data).all(|(a, b)| (a - b).abs() < 0.05));
    }

    #[test]
    fn distance_is_signed_and_euclidean() {
        let distance = polygon_distance(&square(20.0, 30.0, 30.0, 40.0), REGION, f32::INFINITY);
        for (x, y, expected) in [(15, 15, -5.0), (5, 15, 5.0), (7, 6, 5.0), (11, 18, -1.0), (20, 15, 0.0)] {
            assert!((distance.at(x, y) - expected).abs() < 1e-4, "{x} {y} {}", distance.at(x, y));
        }
    }

    #[test]
    fn distances_within_reach_are_the_same_and_all_others_are_the_reach() {
        let points = [(4.0, 12.0), (31.5, 18.2), (28.1, 44.9), (47.7, 61.0), (12.4, 38.8)];
        let points = points.map(|(x, y)| Vec2::new(x, y));
        let whole = polygon_distance(&points, REGION, f32::INFINITY);
        for reach in [0.6_f32, 3.0, 7.25] {
            let near = polygon_distance(&points, REGION, reach);
            for (near, whole) in near.data.iter().zip(&whole.data) {
                assert!(
                    (near - whole.clamp(-reach, reach)).abs() < 1e-5,
                    "{near} for {whole} within {reach}"
                );
            }
        }
    }

    #[test]
    fn no_points_cover_nothing() {
        assert!(polygon_coverage(&[], REGION).data.iter().all(|&value| value == 0.0));
        let distance = polygon_distance(&[], REGION, f32::INFINITY);
        assert!(distance.data.iter().all(|value| value.is_infinite() && *value > 0.0));
    }

    #[test]
    fn smoothstep_falls_when_its_edges_are_swapped() {
        assert!((smoothstep(0.0, 2.0, 1.0) - 0.5).abs() < 1e-6);
        assert!((smoothstep(2.0, 0.0, 3.0)).abs() < 1e-6);
        assert!((smoothstep(2.0, 0.0, -1.0) - 1.0).abs() < 1e-6);
    }
}
