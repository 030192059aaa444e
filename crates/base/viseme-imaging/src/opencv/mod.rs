//! What `OpenCV` does to interleaved pictures of 8 bits, to the same numbers.
//!
//! The public models (`Wav2Lip`, `MuseTalk`, `LivePortrait`, GFPGAN, `InsightFace`) were trained on pictures that went
//! through these functions, and their reference implementations blend with them. `OpenCV` computes them in fixed point;
//! so does this module. Our own rendering does not go this way: it stays in the planes of the frame, in floats.

mod ellipse;
mod gaussian;
mod morphology;
mod poisson;
mod resize;
mod seamless_clone;
mod sine_transform;
mod taps;
mod warp_affine;

pub use ellipse::filled_ellipse;
pub use gaussian::gaussian_blur;
pub use morphology::{StructuringElement, dilate, erode};
pub use resize::{Interpolation, resize};
pub use seamless_clone::seamless_clone;
pub use warp_affine::warp_affine;

/// The index that `OpenCV`'s `BORDER_REFLECT_101` reads for `index` on an axis of `extent` samples: the edge itself is
/// not repeated.
fn reflect_101(index: isize, extent: usize) -> usize {
    if extent < 2 {
        return 0;
    }
    let period = 2 * (extent as isize - 1);
    let folded = index.rem_euclid(period);
    folded.min(period - folded) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_turns_at_the_edge_samples() {
        let read: Vec<usize> = (-4..8).map(|index| reflect_101(index, 4)).collect();
        assert_eq!(read, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(reflect_101(-9, 1), 0);
    }
}
