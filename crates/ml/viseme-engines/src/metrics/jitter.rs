//! How much the lips tremble from frame to frame.

use viseme_core::geometry::Vec2;
use viseme_face::FaceObservation;
use viseme_face::points::LIP_COUNT;

/// Collects the second differences of the lips of one face. It keeps 4 bytes for each frame.
#[derive(Debug, Clone, Default)]
pub struct JitterMeter {
    before: Option<[Vec2; LIP_COUNT]>,
    last: Option<[Vec2; LIP_COUNT]>,
    found: Vec<f32>,
}

impl JitterMeter {
    /// Takes the face of the next frame.
    pub fn push(&mut self, face: &FaceObservation) {
        let lips: [Vec2; LIP_COUNT] =
            std::array::from_fn(|i| face.pose.canonical_from_image(face.points[i]).xy());
        if let (Some(a), Some(b)) = (&self.before, &self.last) {
            let second = |i: usize| (lips[i] - b[i] * 2.0 + a[i]).length();
            let squares: f32 = (0..LIP_COUNT).map(|i| second(i).powi(2)).sum();
            self.found.push((squares / LIP_COUNT as f32).sqrt());
        }
        self.before = self.last.replace(lips);
    }

    /// The median over the frames of the root mean square of the second differences of the lip points, in the head's
    /// own frame: percent of the distance between the eyes. None for fewer than three frames.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        let mut sorted = self.found.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).map(|&median| f64::from(median) * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::face;

    fn jitter(tremble_px: f32) -> Option<f64> {
        let mut meter = JitterMeter::default();
        for i in 0..20 {
            let mut face = face(100.0 + 3.0 * i as f32, 90.0, 80.0, 0.1);
            let sign = if i % 2 == 0 { tremble_px } else { -tremble_px };
            face.points[..LIP_COUNT].iter_mut().for_each(|p| p.y += sign);
            meter.push(&face);
        }
        meter.percent()
    }

    #[test]
    fn trembling_is_measured_and_steady_motion_is_none() {
        assert!(jitter(0.0).unwrap() < 0.01);
        // Up and down by 0.4 px: second differences of 1.6 px of 80.
        assert!((jitter(0.4).unwrap() - 2.0).abs() < 0.05);
        assert_eq!(JitterMeter::default().percent(), None);
    }
}
