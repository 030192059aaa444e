//! How Wav2Lip steadies its face boxes: `inference.py`, `get_smoothened_boxes`.

/// Boxes that are averaged: the box itself and the ones after it (the reference's `T`).
pub const WINDOW: usize = 5;

/// Replaces each box, in pixels, by the mean of itself and the four after it, rounded towards zero. The last four take the mean of the
/// last five boxes.
///
/// It works in place, as the reference does: the windows of the last boxes hold boxes that are smoothed already. Fewer boxes than
/// a window are averaged all together, where the reference's slice wraps round.
pub fn smooth(boxes: &mut [[i64; 4]]) {
    // Whole pixels only because the reference keeps them in an array of integers.
    smooth_by(boxes, |pixel| pixel as f64, |mean| mean as i64);
}

/// As [`smooth`], for boxes of fractions of pixels, which are not rounded.
pub fn smooth_exact(boxes: &mut [[f64; 4]]) {
    smooth_by(boxes, |pixel| pixel, |mean| mean);
}

fn smooth_by<T: Copy>(boxes: &mut [[T; 4]], value: impl Fn(T) -> f64, stored: impl Fn(f64) -> T) {
    let last_start = boxes.len().saturating_sub(WINDOW);
    for i in 0..boxes.len() {
        let window = &boxes[i.min(last_start)..];
        let window = &window[..window.len().min(WINDOW)];
        let mean = |side: usize| window.iter().map(|b| value(b[side])).sum::<f64>() / window.len() as f64;
        boxes[i] = std::array::from_fn(|side| stored(mean(side)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_boxes_are_averaged_all_together() {
        let mut boxes = [[0, 0, 10, 10], [2, 1, 12, 15]];
        smooth(&mut boxes);
        assert_eq!(boxes, [[1, 0, 11, 12], [1, 0, 11, 13]]);
        smooth(&mut []);
    }
}
