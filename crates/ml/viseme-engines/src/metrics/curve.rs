//! From a measure to a score.

/// A score from 0 to 1 that follows a measure by straight lines between points (measure, score), which ascend.
#[derive(Debug, Clone, Copy)]
pub struct Curve(pub &'static [(f64, f64)]);

impl Curve {
    /// The score of a measure; beyond the ends that of the end, 0 for what is not a number.
    #[must_use]
    pub fn at(&self, measure: f64) -> f64 {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return 0.0 };
        if measure.is_nan() {
            return 0.0;
        }
        let pair = self.0.windows(2).find(|pair| measure < pair[1].0);
        match pair {
            Some(_) if measure <= first.0 => first.1,
            Some(pair) => {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                y0 + (y1 - y0) * (measure - x0) / (x1 - x0)
            }
            None => last.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_points_it_is_straight_and_beyond_them_level() {
        let curve = Curve(&[(1.0, 0.0), (3.0, 1.0), (5.0, 0.5)]);
        for (measure, score) in [(0.0, 0.0), (1.0, 0.0), (2.0, 0.5), (3.0, 1.0), (4.0, 0.75), (9.0, 0.5)] {
            assert!((curve.at(measure) - score).abs() < 1e-12, "{measure}");
        }
        assert!(curve.at(f64::NAN).abs() < 1e-12 && curve.at(f64::NEG_INFINITY).abs() < 1e-12);
        assert!((curve.at(f64::INFINITY) - 0.5).abs() < 1e-12);
    }
}
