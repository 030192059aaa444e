//! Convolution without the detour over a matrix: for a few dozen channels that detour costs more than the sums.

use super::map::{BLOCK, Map};
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

/// Values that belong to the outputs of a block, in one line of the cache: a vector across two lines takes twice as long.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Block([f32; BLOCK]);

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
    weights: Vec<Block>,
    /// By block of outputs.
    bias: Vec<Block>,
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
                    packed.push(Block(std::array::from_fn(|lane| {
                        let output = block * BLOCK + lane;
                        if output < outputs { weights[(output * inputs + input) * taps + tap] } else { 0.0 }
                    })));
                }
            }
        }
        let bias = (0..outputs.div_ceil(BLOCK))
            .map(|block| {
                Block(std::array::from_fn(|lane| bias.get(block * BLOCK + lane).copied().unwrap_or(0.0)))
            })
            .collect();
        Self { inputs, outputs, kernel, stride, relu: false, weights: packed, bias }
    }

    /// A map of zeros for what it makes of `input`.
    pub(super) fn target(&self, input: &Map) -> Map {
        let extent = |size: usize| size.saturating_sub(1) / self.stride + 1;
        Map::of_blocks(self.outputs, extent(input.height), extent(input.width))
    }

    /// Applies it to a map of `inputs` channels; `output` is a [`target`](Self::target) for it.
    pub(super) fn apply(&self, input: &Map, output: &mut Map) {
        Sums { conv: self, input, output }.dispatch();
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
    fn eval<I: Isa>(mut self, isa: I) {
        // Vectors per block, blocks at once, and pixels side by side: as many sums as registers can hold beside the weights,
        // which hides how long each takes and loads few values for it.
        let blocks = self.conv.bias.len();
        match isa.f32().len() {
            16 => {
                (0..blocks / 2).for_each(|pair| self.blocks::<I, 1, 2, 8>(isa, 2 * pair));
                (blocks / 2 * 2..blocks).for_each(|block| self.blocks::<I, 1, 1, 8>(isa, block));
            }
            8 => (0..blocks).for_each(|block| self.blocks::<I, 2, 1, 6>(isa, block)),
            _ => (0..blocks).for_each(|block| self.blocks::<I, 4, 1, 2>(isa, block)),
        }
    }
}

impl Sums<'_> {
    /// Computes `BLOCKS` blocks of outputs of all pixels, from `block` on.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the body must be compiled with the features of the instruction set"
    )]
    fn blocks<I: Isa, const VECTORS: usize, const BLOCKS: usize, const PIXELS: usize>(
        &mut self,
        isa: I,
        block: usize,
    ) {
        let ops = isa.f32();
        let Self { conv, input, .. } = *self;
        // Pixels without gaps between their channels: a whole row of the kernel is one run of values.
        let taps_per_run = if input.stride == conv.inputs { conv.kernel } else { 1 };
        let run_length = taps_per_run * conv.inputs;
        let runs_per_row = conv.kernel / taps_per_run;
        let per_block = conv.kernel * conv.kernel * conv.inputs;
        let weights: [&[Block]; BLOCKS] =
            std::array::from_fn(|b| &conv.weights[(block + b) * per_block..][..per_block]);
        let bias: [[_; VECTORS]; BLOCKS] = std::array::from_fn(|b| ops.load_many(&conv.bias[block + b].0));
        let mut pixels = Pixels::new(self);
        for _ in (0..pixels.rows_left * pixels.width).step_by(PIXELS) {
            let places: [Place; PIXELS] = std::array::from_fn(|_| pixels.next());
            let mut sums = [bias; PIXELS];
            for run in 0..conv.kernel * runs_per_row {
                let shift = run / runs_per_row * input.row_stride() + run % runs_per_row * input.stride;
                let values: [&[f32]; PIXELS] =
                    std::array::from_fn(|p| &input.data[places[p].from + shift..][..run_length]);
                let weights: [&[Block]; BLOCKS] =
                    std::array::from_fn(|b| &weights[b][run * run_length..][..run_length]);
                for i in 0..run_length {
                    let weights: [[_; VECTORS]; BLOCKS] =
                        std::array::from_fn(|b| ops.load_many(&weights[b][i].0));
                    for (sums, values) in sums.iter_mut().zip(values) {
                        let value = ops.splat(values[i]);
                        for (sums, weights) in sums.iter_mut().zip(weights) {
                            for (sum, weight) in sums.iter_mut().zip(weights) {
                                *sum = ops.mul_add(value, weight, *sum);
                            }
                        }
                    }
                }
            }
            for (sums, place) in sums.iter().zip(places) {
                conv.store(isa, sums.as_flattened(), &mut self.output.data[place.to + block * BLOCK..]);
            }
        }
    }
}

impl Conv {
    /// Writes the sums of a pixel, rectified where that is asked for.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the body must be compiled with the features of the instruction set"
    )]
    fn store<I: Isa>(&self, isa: I, sums: &[I::F32], targets: &mut [f32]) {
        let ops = isa.f32();
        for (&sum, target) in sums.iter().zip(targets.chunks_exact_mut(ops.len())) {
            ops.store(if self.relu { ops.max(sum, ops.zero()) } else { sum }, target);
        }
    }
}

/// Where the values of a pixel lie.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The first value under the kernel, in the input.
    from: usize,
    /// The first value in the output.
    to: usize,
}

/// The pixels of the output, row by row; the last again and again.
struct Pixels {
    next: Place,
    /// From one pixel to the next.
    step: Place,
    /// From the last pixel of a row to the first of the next.
    line_feed: Place,
    width: usize,
    left_in_row: usize,
    rows_left: usize,
}

impl Pixels {
    fn new(Sums { conv, input, output }: &Sums<'_>) -> Self {
        // The border counts as one pixel of padding.
        let first = 1 - conv.kernel / 2;
        let step = Place { from: conv.stride * input.stride, to: output.stride };
        let before_last = output.width.saturating_sub(1);
        Self {
            next: Place { from: first * (input.row_stride() + input.stride), to: output.offset(0, 0) },
            step,
            line_feed: Place {
                from: conv.stride * input.row_stride() - before_last * step.from,
                to: output.row_stride() - before_last * step.to,
            },
            width: output.width,
            left_in_row: output.width,
            rows_left: output.height,
        }
    }

    #[inline]
    fn next(&mut self) -> Place {
        let place = self.next;
        let step = if self.left_in_row > 1 {
            self.left_in_row -= 1;
            self.step
        } else if self.rows_left > 1 {
            self.rows_left -= 1;
            self.left_in_row = self.width;
            self.line_feed
        } else {
            return place;
        };
        self.next = Place { from: place.from + step.from, to: place.to + step.to };
        place
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
            let mut input = Map::of_picture(c, h, w);
            input.fill(&image);
            let mut output = conv.target(&input);
            conv.apply(&input, &mut output);
            let found = output.to_planes();
            let wanted = plain(&weights, &bias, &image, [c, h, w], kernel, stride);
            assert_eq!(found.len(), wanted.len());
            let worst = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{c} {h} {w} {o} {kernel} {stride}: {worst}");
        }
    }
}
