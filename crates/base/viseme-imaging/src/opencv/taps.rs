//! Which samples of a row each sample of a resized row is made of, and how much of each.

/// Bits after the point of a weight (`INTER_RESIZE_COEF_BITS`).
pub(super) const WEIGHT_BITS: u32 = 11;
/// A weight of 1.
const ONE: f64 = (1 << WEIGHT_BITS) as f64;

/// `N` neighbouring samples and their weights, in steps of 2⁻¹¹; the weights of one tap sum to about 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tap<const N: usize> {
    /// The samples, the nearest one where the kernel reaches over the edge.
    pub(super) samples: [usize; N],
    pub(super) weights: [i32; N],
}

impl<const N: usize> Tap<N> {
    /// The tap around the gap after sample `before`.
    fn new(before: isize, weights: [f32; N], extent: usize) -> Self {
        let first = before - (N as isize / 2 - 1);
        Self {
            samples: std::array::from_fn(|k| (first + k as isize).clamp(0, extent as isize - 1) as usize),
            weights: weights.map(|weight| (f64::from(weight) * ONE).round_ties_even() as i32),
        }
    }
}

/// The taps of an axis that goes from `from` to `to` samples, its edges on its edges. `kernel` gives the weights for a
/// position 0 to 1 after the middle sample.
pub(super) fn centred<const N: usize>(
    from: usize,
    to: usize,
    kernel: impl Fn(f32) -> [f32; N],
) -> Vec<Tap<N>> {
    let scale = from as f64 / to as f64;
    let tap = |i: usize| {
        let position = ((i as f64 + 0.5) * scale - 0.5) as f32;
        let before = position.floor();
        Tap::new(before as isize, kernel(position - before), from)
    };
    (0..to).map(tap).collect()
}

/// The taps that `INTER_AREA` uses where it enlarges: samples stay blocks with a narrow slope between them.
pub(super) fn blocks(from: usize, to: usize) -> Vec<Tap<2>> {
    let (scale, inverse) = (from as f64 / to as f64, to as f64 / from as f64);
    let tap = |i: usize| {
        let before = (i as f64 * scale).floor();
        let along = ((i + 1) as f64 - (before + 1.0) * inverse) as f32;
        let along = if along <= 0.0 { 0.0 } else { along - along.floor() };
        Tap::new(before as isize, linear(along), from)
    };
    (0..to).map(tap).collect()
}

/// Weights of the two samples around a position.
pub(super) fn linear(t: f32) -> [f32; 2] {
    [1.0 - t, t]
}

/// Weights of the eight samples at −3 to 4: sinc(x) sinc(x / 4), their sum 1 (Lanczos; Duchon 1979).
pub(super) fn lanczos4(t: f32) -> [f32; 8] {
    /// Nearer to a sample than this, the kernel is that sample alone.
    const ON_SAMPLE: f32 = 1e-6;
    let distance = |k: usize| t + 3.0 - k as f32;
    if let Some(on) = (0..8).find(|&k| distance(k).abs() < ON_SAMPLE) {
        return std::array::from_fn(|k| f32::from(u8::from(k == on)));
    }
    // sin(π x) is the same for all samples but for its sign, and drops out with the sum.
    let weights: [f32; 8] = std::array::from_fn(|k| {
        let angle = f64::from(distance(k)) * std::f64::consts::FRAC_PI_4;
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        (sign * angle.sin() / (angle * angle)) as f32
    });
    let sum: f32 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_step_by_step() {
        for step in 0..=32 {
            let t = step as f32 / 32.0;
            let sum: f32 = lanczos4(t).iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{t}: {sum}");
        }
        for tap in centred(7, 50, linear).iter().chain(&blocks(7, 50)) {
            assert_eq!(tap.weights.iter().sum::<i32>(), 1 << WEIGHT_BITS);
        }
    }

    #[test]
    fn an_axis_that_keeps_its_length_keeps_its_samples() {
        for (i, tap) in centred(9, 9, lanczos4).iter().enumerate() {
            assert_eq!((tap.samples[3], tap.weights[3]), (i, 1 << WEIGHT_BITS));
        }
    }
}
