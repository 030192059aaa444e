//! Convolution without the detour over a matrix: for a few dozen channels that detour costs more than the sums.

use super::map::{BLOCK, Map};
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

/// A convolution with a square kernel of odd size, padded so that stride 1 keeps the extent, and a bias.
#[derive(Debug, Clone)]
pub(super) struct Conv {
    pub(super) inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    /// Whether negative sums become zero.
    pub(super) relu: bool,
    /// By block of outputs, kernel row, kernel column and input: the weights to the outputs of the block.
    weights: Vec<[f32; BLOCK]>,
    /// By block of outputs.
    bias: Vec<[f32; BLOCK]>,
}

impl Conv {
    /// `weights` is `[outputs, inputs, kernel, kernel]`; `kernel` is 1 or 3: the border of a map is one pixel wide.
    pub(super) fn new(weights: &[f32], bias: &[f32], inputs: usize, kernel: usize, stride: usize) -> Self {
        let outputs = bias.len();
        let taps = kernel * kernel;
        let mut packed = Vec::with_capacity(outputs.div_ceil(BLOCK) * taps * inputs);
        for block in 0..outputs.div_ceil(BLOCK) {
            for tap in 0..taps {
                for input in 0..inputs {
                    packed.push(std::array::from_fn(|lane| {
                        let output = block * BLOCK + lane;
                        if output < outputs { weights[(output * inputs + input) * taps + tap] } else { 0.0 }
                    }));
                }
            }
        }
        let bias = (0..outputs.div_ceil(BLOCK))
            .map(|block| std::array::from_fn(|lane| bias.get(block * BLOCK + lane).copied().unwrap_or(0.0)))
            .collect();
        Self { inputs, outputs, kernel, stride, relu: false, weights: packed, bias }
    }

    /// Applies it to a map of `inputs` channels.
    pub(super) fn apply(&self, input: &Map) -> Map {
        let extent = |size: usize| size.saturating_sub(1) / self.stride + 1;
        let mut output = Map::zeros(self.outputs, extent(input.height), extent(input.width));
        Sums { conv: self, input, output: &mut output }.dispatch();
        output
    }
}

/// The sums of one convolution, to be computed with the widest vectors that the processor has.
struct Sums<'a> {
    conv: &'a Conv,
    input: &'a Map,
    output: &'a mut Map,
}

impl SimdOp for Sums<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the body must be compiled with the features of the instruction set"
    )]
    fn eval<I: Isa>(self, isa: I) {
        // Vectors per block, and pixels side by side: eight sums fill the registers and hide the latency of each.
        match isa.f32().len() {
            16 => self.blocks::<I, 1, 8>(isa),
            8 => self.blocks::<I, 2, 4>(isa),
            _ => self.blocks::<I, 4, 2>(isa),
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the body must be compiled with the features of the instruction set"
    )]
    fn blocks<I: Isa, const VECTORS: usize, const PIXELS: usize>(self, isa: I) {
        let ops = isa.f32();
        let Self { conv, input, output } = self;
        let row_stride = input.row_stride();
        // Pixels without gaps between their channels: a whole row of the kernel is one run of values.
        let taps_per_run = if input.stride == conv.inputs { conv.kernel } else { 1 };
        let run_length = taps_per_run * conv.inputs;
        let runs_per_row = conv.kernel / taps_per_run;
        let weights_per_block = conv.kernel * conv.kernel * conv.inputs;
        let count = output.height * output.width;
        // The border counts as one pixel of padding.
        let first = 1 - conv.kernel / 2;
        for (block, bias) in conv.bias.iter().enumerate() {
            let weights = &conv.weights[block * weights_per_block..][..weights_per_block];
            for tile in (0..count).step_by(PIXELS) {
                let place: [usize; PIXELS] = std::array::from_fn(|p| (tile + p).min(count - 1));
                let starts = place.map(|pixel| {
                    let (y, x) = (pixel / output.width, pixel % output.width);
                    (y * conv.stride + first) * row_stride + (x * conv.stride + first) * input.stride
                });
                let mut sums = [ops.load_many::<VECTORS>(bias); PIXELS];
                for (run, weights) in weights.chunks_exact(run_length).enumerate() {
                    let shift = run / runs_per_row * row_stride + run % runs_per_row * input.stride;
                    let values: [&[f32]; PIXELS] =
                        std::array::from_fn(|p| &input.data[starts[p] + shift..][..run_length]);
                    for i in 0..run_length {
                        let weights = ops.load_many::<VECTORS>(&weights[i]);
                        for (sums, values) in sums.iter_mut().zip(values) {
                            let value = ops.splat(values[i]);
                            for (sum, weight) in sums.iter_mut().zip(weights) {
                                *sum = ops.mul_add(value, weight, *sum);
                            }
                        }
                    }
                }
                for (sums, pixel) in sums.into_iter().zip(place) {
                    let start = output.offset(pixel / output.width, pixel % output.width) + block * BLOCK;
                    for (sum, target) in
                        sums.into_iter().zip(output.data[start..].chunks_exact_mut(ops.len()))
                    {
                        let sum = if conv.relu { ops.max(sum, ops.zero()) } else { sum };
                        ops.store(sum, target);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums by the definition.
    fn plain(
        weights: &[f32],
        bias: &[f32],
        image: &[f32],
        [c, h, w]: [usize; 3],
        kernel: usize,
        stride: usize,
    ) -> Vec<f32> {
        let pad = (kernel / 2) as isize;
        let mut out = Vec::new();
        for (o, bias) in bias.iter().enumerate() {
            for y in (0..h as isize).step_by(stride) {
                for x in (0..w as isize).step_by(stride) {
                    let mut sum = f64::from(*bias);
                    for i in 0..c {
                        for t in 0..kernel * kernel {
                            let (iy, ix) = (y + (t / kernel) as isize - pad, x + (t % kernel) as isize - pad);
                            if (0..h as isize).contains(&iy) && (0..w as isize).contains(&ix) {
                                let value = image[(i * h + iy as usize) * w + ix as usize];
                                sum +=
                                    f64::from(weights[(o * c + i) * kernel * kernel + t]) * f64::from(value);
                            }
                        }
                    }
                    out.push(sum as f32);
                }
            }
        }
        out
    }

    #[test]
    fn sums_are_those_of_the_definition() {
        let wave = |n: usize, f: f32| -> Vec<f32> { (0..n).map(|i| (i as f32 * f).sin()).collect() };
        for (c, h, w, o, kernel, stride) in [
            (3, 9, 7, 16, 3, 2),
            (24, 8, 8, 24, 3, 1),
            (17, 5, 4, 5, 1, 1),
            (16, 6, 11, 40, 3, 1),
            (1, 1, 1, 2, 3, 1),
        ] {
            let (weights, bias) = (wave(o * c * kernel * kernel, 0.7), wave(o, 1.3));
            let image = wave(c * h * w, 0.31);
            let conv = Conv::new(&weights, &bias, c, kernel, stride);
            let found = conv.apply(&Map::from_planes(&image, c, h, w)).to_planes();
            let wanted = plain(&weights, &bias, &image, [c, h, w], kernel, stride);
            assert_eq!(found.len(), wanted.len());
            let worst = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{c} {h} {w} {o} {kernel} {stride}: {worst}");
        }
    }
}
