//! Head pose from 68 points in space, as `InsightFace` reads it off its landmark net 1k3d68.

use viseme_core::geometry::Vec3;

/// A 3 × 3 matrix by rows.
type Matrix = [[f64; 3]; 3];

/// `[pitch, yaw, roll]` in degrees: the angles of the affine map with the least squared distances that takes
/// `mean_shape` to `landmarks` (`insightface/utils/transform.py`: `estimate_affine_matrix_3d23d`, `P2sRt`,
/// `matrix2angle`).
///
/// `landmarks` are in pixels, x right, y down, z in the same unit; `mean_shape` is `meanshape_68.pkl` of `InsightFace`,
/// which decides the axes and thereby the signs. `None` when the points of either lie in a plane or are not finite.
#[must_use]
pub fn pose_of_68(mean_shape: &[Vec3; 68], landmarks: &[Vec3; 68]) -> Option<[f64; 3]> {
    let (shape, seen) = (centred(mean_shape), centred(landmarks));
    let spread = inverse(&products(&shape, &shape))?;
    let affine = product(&products(&seen, &shape), &spread);
    let (first, second) = (unit(affine[0])?, unit(affine[1])?);
    let third = cross(first, second);
    let upright = first[0].hypot(second[0]);
    let radians = if upright < 1e-6 {
        [(-second[2]).atan2(second[1]), (-third[0]).atan2(upright), 0.0]
    } else {
        [third[1].atan2(third[2]), (-third[0]).atan2(upright), second[0].atan2(first[0])]
    };
    let degrees = radians.map(f64::to_degrees);
    degrees.iter().all(|angle| angle.is_finite()).then_some(degrees)
}

/// The points, their mean taken away.
fn centred(points: &[Vec3; 68]) -> [[f64; 3]; 68] {
    let points = points.map(|p| [p.x, p.y, p.z].map(f64::from));
    let mean: [f64; 3] = std::array::from_fn(|k| points.iter().map(|p| p[k]).sum::<f64>() / 68.0);
    points.map(|p| std::array::from_fn(|k| p[k] - mean[k]))
}

/// The sum of the outer products of points in the same place.
fn products(a: &[[f64; 3]; 68], b: &[[f64; 3]; 68]) -> Matrix {
    let sum = |i: usize, j: usize| a.iter().zip(b).map(|(a, b)| a[i] * b[j]).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| sum(i, j)))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// The inverse by cofactors; `None` when the matrix flattens space.
fn inverse(m: &Matrix) -> Option<Matrix> {
    /// Of the product of the lengths of the rows: less volume than this is rounding.
    const LEAST_VOLUME: f64 = 1e-12;
    let rows = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = dot(m[0], rows[0]);
    let extent: f64 = m.iter().map(|&row| dot(row, row).sqrt()).product();
    let is_usable = determinant.abs() > LEAST_VOLUME * extent;
    is_usable.then(|| std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i] / determinant)))
}

fn unit(v: [f64; 3]) -> Option<[f64; 3]> {
    let length = dot(v, v).sqrt();
    (length > 0.0).then(|| v.map(|value| value / length))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape() -> [Vec3; 68] {
        std::array::from_fn(|i| {
            let t = i as f32;
            Vec3::new((t * 1.3).sin() * 5.0, (t * 0.7).cos() * 6.0, (t * 2.1).sin() * 3.0)
        })
    }

    proptest! {
        #[test]
        fn turns_about_the_viewing_axis_are_found_again(roll in -179.0..179.0_f32, scale in 0.1..50.0_f32) {
            let (sin, cos) = roll.to_radians().sin_cos();
            let turned = shape().map(|p| Vec3::new(cos * p.x - sin * p.y, sin * p.x + cos * p.y, p.z) * scale);
            let [pitch, yaw, found] = pose_of_68(&shape(), &turned).unwrap();
            prop_assert!(pitch.abs() < 1e-3 && yaw.abs() < 1e-3 && (found - f64::from(roll)).abs() < 1e-3);
        }
    }

    #[test]
    fn flat_or_broken_points_have_no_pose() {
        let flat = shape().map(|p| Vec3::new(p.x, p.y, 0.0));
        assert_eq!(pose_of_68(&flat, &shape()), None);
        assert_eq!(pose_of_68(&[Vec3::default(); 68], &shape()), None);
        assert_eq!(pose_of_68(&shape(), &[Vec3::new(f32::NAN, 0.0, 0.0); 68]), None);
    }
}
