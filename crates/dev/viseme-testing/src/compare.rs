//! How far two pictures are apart.

use viseme_imaging::{Frame, ImageU8, Plane, Samples};

fn values(samples: &Samples) -> Vec<u16> {
    match samples {
        Samples::U8(samples) => samples.iter().copied().map(u16::from).collect(),
        Samples::U16(samples) => samples.clone(),
    }
}

fn assert_alike(a: &Frame, b: &Frame) {
    assert_eq!((a.format, a.width, a.height), (b.format, b.width, b.height), "frames of two kinds");
}

/// The largest difference of two values in the same place of two interleaved pictures.
#[must_use]
pub fn max_step<const C: usize>(a: &ImageU8<C>, b: &ImageU8<C>) -> u8 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()), "pictures of two sizes");
    let values = a.pixels().as_flattened().iter().zip(b.pixels().as_flattened());
    values.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// The largest distance of two numbers in the same place, as `f64`.
#[must_use]
pub fn max_error<A: Copy + Into<f64>, B: Copy + Into<f64>>(actual: &[A], expected: &[B]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "lists of two lengths");
    let distances = actual.iter().zip(expected).map(|(&a, &b)| (a.into() - b.into()).abs());
    distances.fold(0.0, |largest, d| if d > largest || d.is_nan() { d } else { largest })
}

/// The largest difference of two samples in the same place.
#[must_use]
pub fn max_difference(a: &Frame, b: &Frame) -> u16 {
    assert_alike(a, b);
    let planes = a.planes.iter().zip(&b.planes);
    let of_planes = planes.map(|(a, b)| {
        let (a, b) = (values(&a.samples), values(&b.samples));
        a.iter().zip(&b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    });
    of_planes.max().unwrap_or(0)
}

/// Peak signal to noise ratio of the first plane in decibels; infinite for equal frames.
#[must_use]
pub fn psnr(a: &Frame, b: &Frame) -> f64 {
    assert_alike(a, b);
    let (x, y) = (values(&a.planes[0].samples), values(&b.planes[0].samples));
    let squares: f64 = x.iter().zip(&y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
    let peak = f64::from(a.format.max_value());
    10.0 * (peak * peak * x.len() as f64 / squares).log10()
}

/// Checks that every sample of every plane is the same in both frames, except where `mask`, an 8-bit gray frame of
/// the same size, is above 0. A subsampled sample counts as masked if any of its pixels is.
pub fn assert_planes_equal_outside_mask(source: &Frame, output: &Frame, mask: &Frame) {
    assert_alike(source, output);
    assert_eq!((mask.width, mask.height), (source.width, source.height), "a mask of another size");
    let mask = values(&mask.planes[0].samples);
    for (plane, (a, b)) in source.planes.iter().zip(&output.planes).enumerate() {
        let shift = source.format.plane_shift(plane);
        let (x, y) = (values(&a.samples), values(&b.samples));
        for index in (0..x.len()).filter(|&index| x[index] != y[index]) {
            let place = (index % a.width as usize, index / a.width as usize);
            let is_masked = is_masked(&mask, (source.width, source.height), place, shift);
            assert!(is_masked, "sample {place:?} of plane {plane} changed outside the mask");
        }
    }
}

/// How many samples of all planes differ.
#[must_use]
pub fn differing_samples(a: &Frame, b: &Frame) -> usize {
    assert_alike(a, b);
    let planes = a.planes.iter().zip(&b.planes);
    let of_plane = |(a, b): (&Plane, &Plane)| {
        values(&a.samples).iter().zip(values(&b.samples)).filter(|&(a, b)| *a != b).count()
    };
    planes.map(of_plane).sum()
}

/// Whether any pixel under the sample at `place` of a plane is masked.
fn is_masked(
    mask: &[u16],
    (width, height): (u32, u32),
    (column, row): (usize, usize),
    (shift_x, shift_y): (u32, u32),
) -> bool {
    let rows = (row << shift_y)..((row + 1) << shift_y).min(height as usize);
    let columns = (column << shift_x)..((column + 1) << shift_x).min(width as usize);
    rows.into_iter().any(|y| columns.clone().any(|x| mask[y * width as usize + x] > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::Pts;
    use viseme_imaging::{ChromaSampling, PixelFormat};

    fn frame(format: PixelFormat, change: impl Fn(&mut Vec<u8>)) -> Frame {
        let mut bytes = vec![100; format.frame_bytes(4, 4)];
        change(&mut bytes);
        Frame::from_bytes(Pts(0), format, 4, 4, &bytes).unwrap()
    }

    fn mask(pixel: usize) -> Frame {
        let gray = PixelFormat { chroma: ChromaSampling::Gray, bit_depth: 8, alpha: false };
        let mut mask = frame(gray, |bytes| bytes.fill(0));
        let Samples::U8(samples) = &mut mask.planes[0].samples else { panic!("8 bits") };
        samples[pixel] = 1;
        mask
    }

    #[test]
    fn a_chroma_sample_may_change_under_any_of_its_pixels() {
        let source = frame(PixelFormat::YUV420P, |_| {});
        // The last sample of the second plane belongs to the pixels of the lower right quarter.
        let output = frame(PixelFormat::YUV420P, |bytes| bytes[19] = 7);
        assert_planes_equal_outside_mask(&source, &output, &mask(15));
        assert_eq!(differing_samples(&source, &output), 1);
        assert_eq!(max_difference(&source, &output), 93);
        assert!(psnr(&source, &output).is_infinite());
    }

    #[test]
    #[should_panic(expected = "outside the mask")]
    fn a_change_beside_the_mask_is_found() {
        let source = frame(PixelFormat::YUV420P, |_| {});
        let output = frame(PixelFormat::YUV420P, |bytes| bytes[5] = 99);
        assert_planes_equal_outside_mask(&source, &output, &mask(6));
    }
}
