//! Which part of a frame SyncNet looks at: `run_pipeline.py`, `crop_video` of `joonson/syncnet_python`.

use super::median::median_filter;

/// The margin round the face, as a share of half its size (`crop_scale`).
const MARGIN: f64 = 0.40;

/// Frames that sizes and places are the running median of.
const MEDIAN: usize = 13;

/// The value of what is beyond the frame, in all channels.
pub const PADDING_VALUE: u8 = 110;

/// The width and height of the picture that the crop is scaled to, in pixels.
pub const CROP_SIZE: u32 = 224;

/// A rectangle of a frame that is padded by `padding` pixels of [`PADDING_VALUE`] on every side; its right and bottom are not part
/// of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CropRect {
    /// Pixels that are added on every side of the frame.
    pub padding: i64,
    /// First row of the padded frame.
    pub top: i64,
    /// Row after the last.
    pub bottom: i64,
    /// First column of the padded frame.
    pub left: i64,
    /// Column after the last.
    pub right: i64,
}

/// The crops of the frames of a track, from its face boxes (left, top, right, bottom; pixels). Below the face there is more margin than
/// above it.
#[must_use]
pub fn crop_rects(boxes: &[[f64; 4]]) -> Vec<CropRect> {
    let track =
        |value: fn(&[f64; 4]) -> f64| median_filter(&boxes.iter().map(value).collect::<Vec<_>>(), MEDIAN);
    let half_sizes = track(|[left, top, right, bottom]| (bottom - top).max(right - left) / 2.0);
    let xs = track(|[left, _, right, _]| f64::midpoint(*left, *right));
    let ys = track(|[_, top, _, bottom]| f64::midpoint(*top, *bottom));
    half_sizes.iter().zip(xs).zip(ys).map(|((&half_size, x), y)| crop_rect(half_size, x, y)).collect()
}

fn crop_rect(half_size: f64, x: f64, y: f64) -> CropRect {
    // `as` rounds towards zero, as the reference does.
    let padding = (half_size * (1.0 + 2.0 * MARGIN)) as i64;
    let (x, y) = (x + padding as f64, y + padding as f64);
    CropRect {
        padding,
        top: (y - half_size) as i64,
        bottom: (y + half_size * (1.0 + 2.0 * MARGIN)) as i64,
        left: (x - half_size * (1.0 + MARGIN)) as i64,
        right: (x + half_size * (1.0 + MARGIN)) as i64,
    }
}
