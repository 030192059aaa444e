//! Loops over samples, compiled for the widest vectors that the processor at hand has.
//!
//! A binary for any x86-64 may use vectors of 128 bits only. A loop that the compiler turns into vectors by itself is compiled here a
//! few times, and the fastest that runs is chosen when it starts. What is computed stays the same to the bit: nothing is
//! fused or reordered.

use rten_simd::{Isa, SimdOp};

/// A loop with all that it works on.
///
/// [`run`](Self::run), and what it calls for every sample, must be `#[inline(always)]`: what stays a function of its own is compiled
/// once, for any processor.
pub trait WideLoop {
    /// What it gives.
    type Output;

    /// Runs it.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the widest vectors there are.
pub fn widest<L: WideLoop>(work: L) -> L::Output {
    Dispatched(work).dispatch()
}

struct Dispatched<L>(L);

impl<L: WideLoop> SimdOp for Dispatched<L> {
    type Output = L::Output;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the body must be compiled with the features of the instruction set"
    )]
    fn eval<I: Isa>(self, _: I) -> L::Output {
        self.0.run()
    }
}
