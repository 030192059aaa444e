//! From what the motion extractor says to the keypoints that the warping net takes.

/// Keypoints of a face.
pub const KEYPOINT_COUNT: usize = 21;
/// Bins in which the motion extractor tells an angle.
pub const ANGLE_BINS: usize = 66;
/// The keypoints that move the lips (`live_portrait_pipeline.py`, animation region "lip").
pub const LIP_KEYPOINTS: [usize; 6] = [6, 12, 14, 17, 19, 20];

/// Degrees from one bin to the next, and of the first (`camera.py`, `headpose_pred_to_degree`).
const BIN_DEGREES: f32 = 3.0;
const FIRST_BIN_DEGREES: f32 = -97.5;

/// x, y and z of each keypoint, `[21, 3]`, in the units of the net: the crop spans about −1 to 1.
pub type Keypoints = [[f32; 3]; KEYPOINT_COUNT];

/// The angle that a distribution over bins tells, in degrees: its mean, after a softmax.
#[must_use]
pub fn degrees_of_logits(logits: &[f32; ANGLE_BINS]) -> f32 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares = logits.map(|logit| (logit - greatest).exp());
    let mean: f32 = (0_u8..).zip(&shares).map(|(bin, share)| f32::from(bin) * share).sum();
    mean / shares.iter().sum::<f32>() * BIN_DEGREES + FIRST_BIN_DEGREES
}

/// The rotation `(Rz Ry Rx)ᵀ` of a head, to be multiplied from the right: rows of keypoints come first
/// (`camera.py`, `get_rotation_matrix`). Angles are in degrees.
#[must_use]
pub fn rotation(pitch: f32, yaw: f32, roll: f32) -> [[f32; 3]; 3] {
    let [(sx, cx), (sy, cy), (sz, cz)] = [pitch, yaw, roll].map(|angle| angle.to_radians().sin_cos());
    [
        [cz * cy, sz * cy, -sy],
        [cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx],
        [cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx],
    ]
}

/// What the motion extractor says of a face, angles already turned into a [`rotation`].
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// The keypoints of the person without pose and expression (`kp`).
    pub canonical: Keypoints,
    /// What the expression adds to them (`exp`).
    pub expression: Keypoints,
    /// The turn of the head, as [`rotation`] makes it.
    pub rotation: [[f32; 3]; 3],
    /// The size of the face (`scale`).
    pub scale: f32,
    /// Where the face is (`t`). The third value is not used, as in the reference.
    pub translation: [f32; 3],
}

impl Motion {
    /// The keypoints in the crop: `scale (kp R + exp)`, and the translation added to x and y
    /// (`live_portrait_wrapper.py`, `transform_keypoint`).
    #[must_use]
    pub fn keypoints(&self) -> Keypoints {
        let [tx, ty, _] = self.translation;
        std::array::from_fn(|i| {
            let (point, expression) = (self.canonical[i], self.expression[i]);
            let turned = |k: usize| (0..3).map(|j| point[j] * self.rotation[j][k]).sum::<f32>();
            let [x, y, z] = std::array::from_fn(|k| self.scale * (turned(k) + expression[k]));
            [x + tx, y + ty, z]
        })
    }
}

/// The expression of `source`, its lips moved by what `driving` differs from `neutral` (`live_portrait_pipeline.py`,
/// animation region "lip" driven by a picture; `neutral` is the reference's `lip_array.pkl`).
#[must_use]
pub fn with_lips_of(source: &Keypoints, driving: &Keypoints, neutral: &Keypoints) -> Keypoints {
    let mut moved = *source;
    for i in LIP_KEYPOINTS {
        moved[i] = std::array::from_fn(|k| source[i][k] + (driving[i][k] - neutral[i][k]));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_bin_is_its_angle() {
        for (bin, degrees) in [(0, -97.5), (33, 1.5), (65, 97.5)] {
            let mut logits = [0.0; ANGLE_BINS];
            logits[bin] = 200.0;
            assert!((degrees_of_logits(&logits) - degrees).abs() < 1e-4);
        }
        assert!(degrees_of_logits(&[0.0; ANGLE_BINS]).abs() < 1e-4);
    }

    #[test]
    fn no_turn_leaves_the_keypoints_where_scale_and_translation_take_them() {
        let canonical: Keypoints = std::array::from_fn(|i| [i as f32, -1.0, 0.5]);
        let motion = Motion {
            canonical,
            expression: [[0.0; 3]; KEYPOINT_COUNT],
            rotation: rotation(0.0, 0.0, 0.0),
            scale: 2.0,
            translation: [10.0, 20.0, 30.0],
        };
        for (moved, point) in motion.keypoints().iter().zip(canonical) {
            let expected = [2.0 * point[0] + 10.0, 2.0 * point[1] + 20.0, 2.0 * point[2]];
            assert!(moved.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn only_the_lips_follow_a_driving_face() {
        let (source, driving) = ([[1.0; 3]; KEYPOINT_COUNT], [[5.0; 3]; KEYPOINT_COUNT]);
        let moved = with_lips_of(&source, &driving, &[[3.0; 3]; KEYPOINT_COUNT]);
        for (i, point) in moved.iter().enumerate() {
            let expected: f32 = if LIP_KEYPOINTS.contains(&i) { 3.0 } else { 1.0 };
            assert!(point.iter().all(|value| (value - expected).abs() < 1e-6), "keypoint {i}");
        }
    }
}
