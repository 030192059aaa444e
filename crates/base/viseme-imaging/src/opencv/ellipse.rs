//! `cv2.ellipse`, filled and upright: the masks of the `Wav2Lip` services.

use crate::image_u8::ImageU8;
use viseme_core::Result;

/// Bits after the point of a coordinate.
const SHIFT: u32 = 16;
const ONE: i64 = 1 << SHIFT;
const HALF: i64 = ONE / 2;

/// A mask of `width` × `height`: 255 on the ellipse around `centre` with half axes `axes` (columns, rows) in pixels, 0
/// elsewhere. As `cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)`, which fills a polygon and draws its outline.
///
/// # Errors
/// When the mask would be empty or too large.
pub fn filled_ellipse(
    width: usize,
    height: usize,
    centre: (u16, u16),
    axes: (u16, u16),
) -> Result<ImageU8<1>> {
    let mut mask = ImageU8::filled(width, height, [0])?;
    let corners = corners(centre, axes);
    for (&from, &to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        draw_line(&mut mask, from, to);
    }
    fill(&mut mask, &corners);
    Ok(mask)
}

/// The corners of the polygon that stands for the ellipse (`ellipse2Poly`), each once, with 16 bits after the point.
fn corners(centre: (u16, u16), axes: (u16, u16)) -> Vec<(i64, i64)> {
    let step_degrees = match axes.0.max(axes.1) {
        0..3 => 90,
        3..10 => 30,
        10..15 => 18,
        _ => 5,
    };
    let fixed = |middle: u16, axis: u16, ratio: f64| {
        ((f64::from(middle) + f64::from(axis) * ratio) * ONE as f64).round_ties_even() as i64
    };
    let mut corners: Vec<_> = (0..360)
        .step_by(step_degrees)
        .map(|degrees| {
            let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
            (fixed(centre.0, axes.0, cos), fixed(centre.1, axes.1, sin))
        })
        .collect();
    corners.dedup();
    corners
}

fn set(mask: &mut ImageU8<1>, x: i64, y: i64) {
    let inside = |value: i64, limit: usize| usize::try_from(value).ok().filter(|&value| value < limit);
    if let (Some(x), Some(y)) = (inside(x, mask.width()), inside(y, mask.height())) {
        mask.row_mut(y)[x] = [255];
    }
}

/// A line one pixel wide (`Line2`): along its longer direction one pixel per step.
fn draw_line(mask: &mut ImageU8<1>, from: (i64, i64), to: (i64, i64)) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let is_flat = dx.abs() > dy.abs();
    let (start, end) = if (if is_flat { dx } else { dy }) < 0 { (to, from) } else { (from, to) };
    set(mask, (end.0 + HALF) >> SHIFT, (end.1 + HALF) >> SHIFT);
    if is_flat {
        let step = (end.1 - start.1) * ONE / (dx.abs() | 1);
        let first = (start.0 + HALF) >> SHIFT;
        for i in 0..=(end.0 - start.0) >> SHIFT {
            set(mask, first + i, (start.1 + HALF + i * step) >> SHIFT);
        }
    } else {
        let step = (end.0 - start.0) * ONE / (dy.abs() | 1);
        let first = (start.1 + HALF) >> SHIFT;
        for i in 0..=(end.1 - start.1) >> SHIFT {
            set(mask, (start.0 + HALF + i * step) >> SHIFT, first + i);
        }
    }
}

/// One side of a convex polygon, from its top corner down.
struct Side {
    /// The corner that the present edge leads to.
    corner: usize,
    /// Where the edge is on the present row.
    x: i64,
    /// What is added to it per row.
    slope: i64,
    /// The row on which the edge ends.
    end: i64,
}

/// Fills a convex polygon row by row (`FillConvexPoly`).
fn fill(mask: &mut ImageU8<1>, corners: &[(i64, i64)]) {
    let row_of = |corner: usize| (corners[corner].1 + HALF) >> SHIFT;
    let Some(top) = (0..corners.len()).min_by_key(|&corner| corners[corner].1) else { return };
    let (first, last) = (row_of(top), (0..corners.len()).map(row_of).max().unwrap_or_default());
    let mut sides = [(); 2].map(|()| Side { corner: top, x: -ONE, slope: 0, end: first });
    let mut edges_left = corners.len();
    for y in first..=last {
        for (side, step) in sides.iter_mut().zip([1, corners.len() - 1]) {
            while y >= side.end && edges_left > 0 {
                edges_left -= 1;
                let from = side.corner;
                side.corner = (from + step) % corners.len();
                let rows = row_of(side.corner) - y;
                if rows > 0 {
                    side.slope = ((corners[side.corner].0 - corners[from].0) * 2 + rows) / (2 * rows);
                    side.x = corners[from].0;
                    side.end = row_of(side.corner);
                }
            }
        }
        let [a, b] = [&sides[0], &sides[1]].map(|side| (side.x + HALF) >> SHIFT);
        for x in a.min(b).max(0)..=a.max(b).min(mask.width() as i64 - 1) {
            set(mask, x, y);
        }
        for side in &mut sides {
            side.x += side.slope;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_ellipse_can_be_drawn_and_has_about_its_area(
            centre in (20_u16..80, 20_u16..80), axes in (10_u16..20, 10_u16..20),
        ) {
            let mask = filled_ellipse(100, 100, centre, axes).unwrap();
            let set = mask.pixels().iter().filter(|[value]| *value > 0).count() as f64;
            let area = std::f64::consts::PI * (f64::from(axes.0) + 0.5) * (f64::from(axes.1) + 0.5);
            prop_assert!((set / area - 1.0).abs() < 0.1, "{} of {}", set, area);
        }

        #[test]
        fn what_lies_outside_is_left_out(centre: (u16, u16), axes: (u16, u16)) {
            prop_assert!(filled_ellipse(9, 7, centre, axes).is_ok());
        }
    }
}
