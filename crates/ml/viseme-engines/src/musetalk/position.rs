//! What tells MuseTalk's denoising net the place of each of its 50 audio tokens: `unet.py`, `PositionalEncoding`.

use super::audio::{STATES, WINDOW_ROWS};

/// Audio tokens of a frame: each of the hidden states of each row of its window.
pub const TOKENS: usize = WINDOW_ROWS * STATES;

/// Values of a token: the width of whisper-tiny.
pub const WIDTH: usize = 384;

/// The longest wave is about this many times 2π tokens ("Attention Is All You Need", section 3.5).
const BASE: f64 = 10_000.0;

/// What is added to the tokens: 50 × 384 values, row-major; sines and cosines in turn, from short waves to long ones.
#[must_use]
pub fn positional_encoding() -> Vec<f32> {
    let value = |token: usize, i: usize| {
        let even = (i - i % 2) as f64;
        let angle = token as f64 * BASE.powf(-even / WIDTH as f64);
        (if i.is_multiple_of(2) { angle.sin() } else { angle.cos() }) as f32
    };
    (0..TOKENS).flat_map(|token| (0..WIDTH).map(move |i| value(token, i))).collect()
}
