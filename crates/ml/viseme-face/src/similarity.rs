//! The similarity in space that best carries one set of points to another (Horn 1987, "Closed-form solution of
//! absolute orientation using unit quaternions").

use viseme_core::geometry::Vec3;

/// `target = scale * rotation * source + translation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    pub(crate) scale: f32,
    /// Rows of the rotation matrix.
    pub(crate) rotation: [[f32; 3]; 3],
    pub(crate) translation: Vec3,
}

/// Below this spread of the points (in square units of the source) no rotation can be told.
const LEAST_SPREAD: f64 = 1e-9;

/// Fits the similarity that minimises the weighted squared distances. The three slices are of one length.
///
/// `None` when the points coincide, are not finite, or all weights vanish.
pub(crate) fn fit(source: &[Vec3], target: &[Vec3], weights: &[f64]) -> Option<Similarity> {
    let total: f64 = weights.iter().sum();
    let source_mean = mean(source, weights, total);
    let target_mean = mean(target, weights, total);
    let mut covariance = [[0.0; 3]; 3];
    let mut spread = 0.0;
    for ((p, q), &weight) in source.iter().zip(target).zip(weights) {
        let p = difference(*p, source_mean);
        let q = difference(*q, target_mean);
        for (row, a) in covariance.iter_mut().zip(p) {
            for (cell, b) in row.iter_mut().zip(q) {
                *cell += weight * a * b;
            }
        }
        spread += weight * (p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
    }
    let usable =
        spread.is_finite() && spread > LEAST_SPREAD && covariance.iter().flatten().all(|c| c.is_finite());
    if !usable {
        return None;
    }
    let rotation = rotation_of(greatest_eigenvector(quaternion_matrix(&covariance)));
    let along: f64 = (0..3)
        .flat_map(|i| (0..3).map(move |j| (i, j)))
        .map(|(i, j)| rotation[j][i] * covariance[i][j])
        .sum();
    let scale = along / spread;
    let turned = rotation.map(|row| (0..3).map(|k| row[k] * source_mean[k]).sum::<f64>() * scale);
    let translation = Vec3::new(
        (target_mean[0] - turned[0]) as f32,
        (target_mean[1] - turned[1]) as f32,
        (target_mean[2] - turned[2]) as f32,
    );
    (scale > 0.0).then(|| Similarity {
        scale: scale as f32,
        rotation: rotation.map(|row| row.map(|value| value as f32)),
        translation,
    })
}

fn mean(points: &[Vec3], weights: &[f64], total: f64) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for (p, weight) in points.iter().zip(weights) {
        sum[0] += weight * f64::from(p.x);
        sum[1] += weight * f64::from(p.y);
        sum[2] += weight * f64::from(p.z);
    }
    sum.map(|value| value / total)
}

fn difference(p: Vec3, origin: [f64; 3]) -> [f64; 3] {
    [f64::from(p.x) - origin[0], f64::from(p.y) - origin[1], f64::from(p.z) - origin[2]]
}

/// Horn's symmetric matrix N: the quaternion of the best rotation is its eigenvector of the greatest eigenvalue.
fn quaternion_matrix(s: &[[f64; 3]; 3]) -> [[f64; 4]; 4] {
    let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = *s;
    [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]
}

/// Cyclic Jacobi rotations; a 4 × 4 matrix is diagonal to machine precision after about six sweeps.
fn greatest_eigenvector(mut matrix: [[f64; 4]; 4]) -> [f64; 4] {
    const SWEEPS: usize = 10;
    let mut vectors = [[0.0; 4]; 4];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..SWEEPS {
        for p in 0..3 {
            for q in p + 1..4 {
                annihilate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    let best = (1..4).fold(0, |best, i| if matrix[i][i] > matrix[best][best] { i } else { best });
    vectors.map(|row| row[best])
}

/// One Jacobi rotation in the plane of axes `p` and `q` that makes `matrix[p][q]` zero.
fn annihilate(matrix: &mut [[f64; 4]; 4], vectors: &mut [[f64; 4]; 4], p: usize, q: usize) {
    if matrix[p][q] == 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cos = 1.0 / tangent.hypot(1.0);
    let sin = tangent * cos;
    for row in matrix.iter_mut() {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
    let (row_p, row_q) = (matrix[p], matrix[q]);
    matrix[p] = std::array::from_fn(|k| cos * row_p[k] - sin * row_q[k]);
    matrix[q] = std::array::from_fn(|k| sin * row_p[k] + cos * row_q[k]);
    for row in vectors.iter_mut() {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
}

/// The rotation matrix of a unit quaternion (w, x, y, z).
fn rotation_of([w, x, y, z]: [f64; 4]) -> [[f64; 3]; 3] {
    [
        [w * w + x * x - y * y - z * z, 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), w * w - x * x + y * y - z * z, 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coinciding_or_broken_points_have_no_fit() {
        let same = [Vec3::new(1.0, 2.0, 3.0); 5];
        assert_eq!(fit(&same, &same, &[1.0; 5]), None);
        let broken = [Vec3::new(f32::NAN, 0.0, 0.0); 5];
        assert_eq!(fit(&broken, &same, &[1.0; 5]), None);
        let spread = [Vec3::new(0.0, 0.0, 0.0), Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0)];
        assert_eq!(fit(&spread, &spread, &[0.0; 3]), None);
    }

    #[test]
    fn a_quarter_turn_is_found_exactly() {
        let source = [
            Vec3::new(0.0, 0.0, 0.0),
            Vec3::new(1.0, 0.0, 0.0),
            Vec3::new(0.0, 1.0, 0.0),
            Vec3::new(0.0, 0.0, 1.0),
        ];
        let target = source.map(|p| Vec3::new(-2.0 * p.y + 5.0, 2.0 * p.x - 1.0, 2.0 * p.z));
        let found = fit(&source, &target, &[1.0; 4]).unwrap();
        assert!((found.scale - 2.0).abs() < 1e-6);
        assert!((found.rotation[0][1] + 1.0).abs() < 1e-6 && (found.rotation[1][0] - 1.0).abs() < 1e-6);
        assert!((found.translation - Vec3::new(5.0, -1.0, 0.0)).length() < 1e-6);
    }
}
