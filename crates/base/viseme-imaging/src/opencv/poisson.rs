//! Poisson's equation on a rectangle whose edge is given.

use super::sine_transform::SineTransform;
use std::f64::consts::PI;
use viseme_core::Result;

/// The values on a grid of `width` × `height` whose five-point Laplacian is `laplacian`, those around the grid being 0.
///
/// Exact up to rounding: the sines diagonalise the Laplacian (Hockney 1965).
pub(super) fn solve(width: usize, height: usize, mut laplacian: Vec<f64>) -> Result<Vec<f64>> {
    debug_assert_eq!(laplacian.len(), width * height);
    let (mut along_rows, mut along_columns) = (SineTransform::new(width), SineTransform::new(height));
    along_rows.apply(&mut laplacian)?;
    let mut spectrum = transposed(&laplacian, width);
    along_columns.apply(&mut spectrum)?;
    let eigenvalues = |length: usize| -> Vec<f64> {
        (1..=length).map(|k| 2.0 * (PI * k as f64 / (length + 1) as f64).cos() - 2.0).collect()
    };
    let (across, down) = (eigenvalues(width), eigenvalues(height));
    let scale = 4.0 / ((width + 1) as f64 * (height + 1) as f64);
    for (column, across) in spectrum.chunks_exact_mut(height).zip(across) {
        column.iter_mut().zip(&down).for_each(|(value, down)| *value *= scale / (across + down));
    }
    along_columns.apply(&mut spectrum)?;
    let mut solution = transposed(&spectrum, height);
    along_rows.apply(&mut solution)?;
    Ok(solution)
}

/// Rows of `width` values become columns.
fn transposed(values: &[f64], width: usize) -> Vec<f64> {
    let height = values.len() / width;
    (0..width).flat_map(|x| (0..height).map(move |y| values[y * width + x])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laplacian_of_the_solution_is_what_was_given() {
        for (width, height) in [(1, 1), (1, 5), (13, 7), (32, 3)] {
            let given: Vec<f64> = (0..width * height).map(|i| ((i * 7919) % 255) as f64 - 100.0).collect();
            let solution = solve(width, height, given.clone()).unwrap();
            let at = |x: isize, y: isize| {
                let is_inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
                if is_inside { solution[y as usize * width + x as usize] } else { 0.0 }
            };
            for (i, given) in given.iter().enumerate() {
                let (x, y) = ((i % width) as isize, (i / width) as isize);
                let sum = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
                assert!((sum - given).abs() < 1e-8, "{width} × {height}: {sum} instead of {given}");
            }
        }
    }
}
