//! Where `LivePortrait` looks: a square around the landmarks, upright or turned with the face (`src/utils/crop.py`).

use viseme_core::geometry::{AffineF64, Vec2};
use viseme_core::{Error, Result};

/// How a crop lies around the landmarks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropFraming {
    /// Length of a side of the crop, in pixels of the crop.
    pub size: u32,
    /// Side of the crop over the longer side of the box around the landmarks.
    pub scale: f64,
    /// How far down the face the middle of the crop lies from that of the box, in sides of the crop; below 0 shows more
    /// of the forehead.
    pub down: f64,
    /// Whether the crop is turned so that the face is upright in it.
    pub is_upright: bool,
}

impl CropFraming {
    /// What the motion and appearance nets see, before it is halved to 256 (`crop_config.py`).
    pub const SOURCE: Self = Self { size: 512, scale: 2.3, down: -0.125, is_upright: true };
    /// What the net of 203 landmarks sees (`human_landmark_runner.py`).
    pub const LANDMARKS: Self = Self { size: 224, scale: 1.5, down: -0.1, is_upright: true };
}

/// The map from the image to the crop (`M_o2c`) of a face with 5, 68, 101, 106 or 203 landmarks in pixels of the image.
///
/// Its inverse is the reference's `M_c2o`.
///
/// # Errors
/// For any other number of landmarks, and when they lie in one place or are not finite.
pub fn crop_from_image(landmarks: &[Vec2], framing: &CropFraming) -> Result<AffineF64> {
    let points: Vec<[f64; 2]> = landmarks.iter().map(|p| [f64::from(p.x), f64::from(p.y)]).collect();
    let down = down_the_face(&points)?;
    let across = [down[1], -down[0]];
    // The box around the landmarks, seen upright, from their mean.
    let mean = centre(&points, 0..points.len());
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in &points {
        let from_mean = [point[0] - mean[0], point[1] - mean[1]];
        for (k, axis) in [across, down].into_iter().enumerate() {
            let along = axis[0] * from_mean[0] + axis[1] * from_mean[1];
            (low[k], high[k]) = (low[k].min(along), high[k].max(along));
        }
    }
    let side = (high[0] - low[0]).max(high[1] - low[1]) * framing.scale;
    let (right, below) =
        (f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1]) + framing.down * side);
    let [x, y] = [0, 1].map(|k| mean[k] + across[k] * right + down[k] * below);

    let scale = f64::from(framing.size) / side;
    let middle = f64::from(framing.size) / 2.0;
    let [cos, sin] = if framing.is_upright { across.map(|value| scale * value) } else { [scale, 0.0] };
    let rows = [cos, sin, middle - (cos * x + sin * y), -sin, cos, middle - (-sin * x + cos * y)];
    let map = AffineF64 { rows };
    if map.inverse().is_some() && rows.iter().all(|value| value.is_finite()) {
        Ok(map)
    } else {
        Err(Error::invalid_input("landmarks that are no face").with_hint("Give landmarks in pixels."))
    }
}

/// The direction from the eyes to the lips, of length 1; straight down where it cannot be told
/// (`parse_pt2_from_pt_x`).
fn down_the_face(points: &[[f64; 2]]) -> Result<[f64; 2]> {
    /// Pixels between eyes and lips below which there is no direction.
    const LEAST_DISTANCE: f64 = 1e-3;
    let (left_eye, right_eye, lips): (&[usize], &[usize], [usize; 2]) = match points.len() {
        5 => (&[0], &[1], [3, 4]),
        68 => (&[36, 39], &[42, 45], [48, 54]),
        101 => (&[39, 42, 45, 48], &[51, 54, 57, 60], [75, 81]),
        106 => (&[33, 35, 40, 39], &[87, 89, 94, 93], [52, 61]),
        203 => (&[0, 6, 12, 18], &[24, 30, 36, 42], [48, 66]),
        count => {
            return Err(Error::invalid_input(format!("a face of {count} landmarks"))
                .with_hint("Give 5, 68, 101, 106 or 203 landmarks."));
        }
    };
    let of = |indices: &[usize]| centre(points, indices.iter().copied());
    let (left, right, lips) = (of(left_eye), of(right_eye), of(&lips));
    let down = [0, 1].map(|k| lips[k] - f64::midpoint(left[k], right[k]));
    let length = down[0].hypot(down[1]);
    Ok(if length <= LEAST_DISTANCE { [0.0, 1.0] } else { down.map(|value| value / length) })
}

/// The mean of some of the points.
fn centre(points: &[[f64; 2]], indices: impl ExactSizeIterator<Item = usize>) -> [f64; 2] {
    let count = indices.len() as f64;
    let sum = indices.fold([0.0; 2], |sum, i| [sum[0] + points[i][0], sum[1] + points[i][1]]);
    sum.map(|value| value / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> [Vec2; 5] {
        [(40.0, 40.0), (80.0, 40.0), (60.0, 60.0), (45.0, 80.0), (75.0, 80.0)].map(|(x, y)| Vec2::new(x, y))
    }

    #[test]
    fn an_upright_face_comes_to_the_middle() {
        let framing = CropFraming { size: 100, scale: 2.0, down: 0.0, is_upright: true };
        let map = crop_from_image(&face(), &framing).unwrap();
        for (point, expected) in [([60.0, 60.0], [50.0, 50.0]), ([100.0, 20.0], [100.0, 0.0])] {
            let seen = map.apply(point);
            assert!((seen[0] - expected[0]).abs() < 1e-9 && (seen[1] - expected[1]).abs() < 1e-9);
        }
    }

    #[test]
    fn landmarks_that_are_no_face_are_errors() {
        for landmarks in [vec![], vec![Vec2::new(1.0, 2.0); 7], vec![Vec2::new(1.0, 2.0); 68]] {
            assert!(crop_from_image(&landmarks, &CropFraming::SOURCE).is_err());
        }
        let mut broken = face();
        broken[2].x = f32::NAN;
        assert!(crop_from_image(&broken, &CropFraming::SOURCE).is_err());
        broken[0].x = f32::INFINITY;
        assert!(crop_from_image(&broken, &CropFraming::LANDMARKS).is_err());
        let nothing = CropFraming { size: 0, ..CropFraming::SOURCE };
        assert!(crop_from_image(&face(), &nothing).is_err());
    }
}
