//! The similarity of the plane that best carries one set of points to another.

use viseme_core::geometry::AffineF64;

/// Below this share of their squared distance from the origin the points lie in one place: what is left is rounding.
const LEAST_SPREAD: f64 = 1e-12;

/// The similarity (turn, scale, shift; no reflection) that takes `source` to `target` with the least squared distances.
///
/// The answer of Umeyama's method (1991), which `skimage.transform.SimilarityTransform` and `InsightFace` use, in closed
/// form: in the plane no singular values are needed. `None` when the points coincide, are not finite, or there is no
/// turn that is better than another. Points beyond the shorter list are not looked at.
#[must_use]
pub fn similarity(source: &[[f64; 2]], target: &[[f64; 2]]) -> Option<AffineF64> {
    let count = source.len().min(target.len());
    let (source, target) = (&source[..count], &target[..count]);
    let ([sx, sy], [tx, ty]) = (mean(source), mean(target));
    // The sums of scalar products, of cross products, and of squares.
    let (mut along, mut across, mut spread, mut extent) = (0.0, 0.0, 0.0, 0.0);
    for (p, q) in source.iter().zip(target) {
        let (px, py, qx, qy) = (p[0] - sx, p[1] - sy, q[0] - tx, q[1] - ty);
        along += px * qx + py * qy;
        across += px * qy - py * qx;
        spread += px * px + py * py;
        extent += p[0] * p[0] + p[1] * p[1];
    }
    let (a, b) = (along / spread, across / spread);
    let rows = [a, -b, tx - (a * sx - b * sy), b, a, ty - (b * sx + a * sy)];
    let is_usable = spread > LEAST_SPREAD * extent && a.hypot(b) > f64::MIN_POSITIVE;
    (is_usable && rows.iter().all(|value| value.is_finite())).then_some(AffineF64 { rows })
}

fn mean(points: &[[f64; 2]]) -> [f64; 2] {
    let sum = points.iter().fold([0.0; 2], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
    sum.map(|value| value / points.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_similarity_is_found_again(
            points in proptest::collection::vec([-500.0..500.0, -500.0..500.0], 3..9),
            angle in -3.1..3.1_f64, scale in 0.05..20.0_f64, x in -900.0..900.0, y in -900.0..900.0,
        ) {
            let (sin, cos) = angle.sin_cos();
            let truth = AffineF64 { rows: [scale * cos, -scale * sin, x, scale * sin, scale * cos, y] };
            let moved: Vec<_> = points.iter().map(|&p| truth.apply(p)).collect();
            let found = similarity(&points, &moved).unwrap();
            for (actual, expected) in found.rows.iter().zip(truth.rows) {
                prop_assert!((actual - expected).abs() < 1e-6, "{:?} instead of {:?}", found, truth);
            }
        }

        #[test]
        fn nothing_makes_it_panic(source: Vec<[f64; 2]>, target: Vec<[f64; 2]>) {
            if let Some(found) = similarity(&source, &target) {
                prop_assert!(found.rows.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn points_in_one_place_have_no_similarity() {
        let spread = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        assert_eq!(similarity(&[[0.1, 0.7]; 3], &spread), None);
        assert_eq!(similarity(&spread, &[[3.0, 3.0]; 3]), None);
        assert_eq!(similarity(&[], &[]), None);
    }
}
