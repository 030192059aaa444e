//! How far eyes and lips are open, read off the 203 landmarks of `LivePortrait` (`retargeting_utils.py`).

use viseme_core::geometry::Vec2;

/// Keeps the ratio finite where a face has no width.
const LEAST_WIDTH: f32 = 1e-6;

/// Height over width of the left and the right eye. An open eye has about 0.3.
#[must_use]
pub fn eye_close_ratios(landmarks: &[Vec2; 203]) -> [f32; 2] {
    [ratio(landmarks, (6, 18), (0, 12)), ratio(landmarks, (30, 42), (24, 36))]
}

/// Height of the gap between the lips over the width of the mouth. Closed lips have 0.
#[must_use]
pub fn lip_close_ratio(landmarks: &[Vec2; 203]) -> f32 {
    ratio(landmarks, (90, 102), (48, 66))
}

/// The distance of one pair of landmarks over that of another.
fn ratio(landmarks: &[Vec2; 203], high: (usize, usize), wide: (usize, usize)) -> f32 {
    let distance = |(a, b): (usize, usize)| (landmarks[a] - landmarks[b]).length();
    distance(high) / (distance(wide) + LEAST_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_in_one_place_are_closed() {
        let landmarks = [Vec2::new(3.0, 4.0); 203];
        assert!(eye_close_ratios(&landmarks).iter().all(|ratio| ratio.abs() < f32::EPSILON));
        assert!(lip_close_ratio(&landmarks).abs() < f32::EPSILON);
    }
}
