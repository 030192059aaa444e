//! Where one shot ends and another begins.

use viseme_imaging::{Frame, Samples};

/// Columns and rows of the thumbnail that frames are compared by.
const COLUMNS: usize = 32;
const ROWS: usize = 18;
/// Samples averaged into one value of the thumbnail, in each direction.
const SAMPLES: usize = 4;
/// The mean difference of brightness, 0 to 1, that a cut shows at least.
const LEAST_DIFFERENCE: f32 = 0.06;
/// A cut differs this many times more than the frames before it did from each other.
const TIMES_THE_USUAL: f32 = 2.5;
/// Thumbnails of one shot are correlated at least this well: light that changes keeps its pattern, a cut does not.
const LEAST_CORRELATION: f32 = 0.6;
/// Two people before one backdrop: the picture changes less, but all at once. It differs by this at least, …
const LEAST_JUMP: f32 = 0.034;
/// … this many times more than in the shot so far, of which so many frames have been seen, …
const TIMES_THE_CALM: f32 = 15.0;
const CALM_FRAMES: u32 = 8;
/// … and more of its pattern is gone than a flash takes. Over the clips of `docs/TESTING.md` two shots with one backdrop are at
/// 22 to 30 times and 0.90; motion within a shot at 8.4 times and less, or below [`LEAST_JUMP`].
const MOST_CORRELATION: f32 = 0.95;
/// How quickly the usual difference follows what is seen, per frame.
const FOLLOW: f32 = 0.15;

/// Tells cuts from motion and from flashes by a tiny gray copy of each frame.
#[derive(Debug, Clone, Default)]
pub struct CutDetector {
    previous: Option<Vec<f32>>,
    usual_difference: f32,
    /// Frames since the last cut.
    frames: u32,
}

impl CutDetector {
    /// Whether `frame` is the first of a new shot. Frames come in order; the first frame of all is no cut.
    pub fn is_cut(&mut self, frame: &Frame) -> bool {
        let current = thumbnail(frame);
        let Some(previous) = self.previous.replace(current.clone()) else {
            return false;
        };
        let difference =
            previous.iter().zip(&current).map(|(a, b)| (a - b).abs()).sum::<f32>() / current.len() as f32;
        // Asked for last: most frames hardly differ.
        let correlation = || correlation(&previous, &current);
        let is_other_place = difference > LEAST_DIFFERENCE
            && difference > TIMES_THE_USUAL * self.usual_difference
            && correlation() < LEAST_CORRELATION;
        let is_jump = difference > LEAST_JUMP
            && self.frames >= CALM_FRAMES
            && difference > TIMES_THE_CALM * self.usual_difference
            && correlation() < MOST_CORRELATION;
        let is_cut = is_other_place || is_jump;
        (self.usual_difference, self.frames) = if is_cut {
            (0.0, 0)
        } else {
            let usual = self.usual_difference + FOLLOW * (difference - self.usual_difference);
            (usual, self.frames.saturating_add(1))
        };
        is_cut
    }
}

/// Mean brightness, 0 to 1, of the cells of a coarse grid, from a few samples each.
fn thumbnail(frame: &Frame) -> Vec<f32> {
    let Some(plane) = frame.planes.first() else {
        return vec![0.0; COLUMNS * ROWS];
    };
    let (width, height) = (plane.width as usize, plane.height as usize);
    let at = |cell: usize, cells: usize, sample: usize, extent: usize| {
        ((cell * SAMPLES + sample) * 2 + 1) * extent / (2 * cells * SAMPLES)
    };
    let value = |index: usize| match &plane.samples {
        Samples::U8(samples) => f32::from(samples[index]),
        Samples::U16(samples) => f32::from(samples[index]),
    };
    let scale = 1.0 / (f32::from(frame.format.max_value()) * (SAMPLES * SAMPLES) as f32);
    let mut cells = Vec::with_capacity(COLUMNS * ROWS);
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let mut sum = 0.0;
            for y in (0..SAMPLES).map(|sample| at(row, ROWS, sample, height)) {
                for x in (0..SAMPLES).map(|sample| at(column, COLUMNS, sample, width)) {
                    sum += value(y * width + x);
                }
            }
            cells.push(sum * scale);
        }
    }
    cells
}

/// Pearson's correlation; 1 when one of them is even, because then there is no pattern that could have changed.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    /// Deviation of brightness, 0 to 1, below which a picture has no pattern.
    const EVEN: f32 = 0.02;
    let count = a.len() as f32;
    let (mean_a, mean_b) = (a.iter().sum::<f32>() / count, b.iter().sum::<f32>() / count);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let least = EVEN * EVEN * count;
    match (aa < least, bb < least) {
        (true, true) => 1.0,
        (false, false) => ab / (aa * bb).sqrt(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_core::Pts;
    use viseme_imaging::PixelFormat;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Frame {
        let (width, height) = (160_usize, 90_usize);
        let mut bytes: Vec<u8> =
            (0..width * height).map(|i| value(i % width, i / width).clamp(0.0, 255.0) as u8).collect();
        bytes.resize(PixelFormat::YUV420P.frame_bytes(160, 90), 128);
        Frame::from_bytes(Pts(0), PixelFormat::YUV420P, 160, 90, &bytes).unwrap()
    }

    fn waves(x: usize, y: usize, shift: f32) -> f32 {
        128.0 + 60.0 * ((x as f32 + shift) / 17.0).sin() + 40.0 * (y as f32 / 11.0).cos()
    }

    #[test]
    fn a_new_scene_is_a_cut_and_only_its_first_frame() {
        let mut cuts = CutDetector::default();
        assert!(!cuts.is_cut(&picture(|x, y| waves(x, y, 0.0))));
        assert!(!cuts.is_cut(&picture(|x, y| waves(x, y, 1.0))));
        let other = picture(|x, y| if (x / 40 + y / 30) % 2 == 0 { 30.0 } else { 220.0 });
        assert!(cuts.is_cut(&other));
        assert!(!cuts.is_cut(&other));
    }

    #[test]
    fn a_flash_and_a_pan_are_no_cuts() {
        let mut cuts = CutDetector::default();
        cuts.is_cut(&picture(|x, y| waves(x, y, 0.0)));
        assert!(!cuts.is_cut(&picture(|x, y| waves(x, y, 0.0) * 0.6 + 95.0)), "flash");
        let mut cuts = CutDetector::default();
        assert!((0..60).all(|t| !cuts.is_cut(&picture(|x, y| waves(x, y, t as f32 * 6.0)))), "pan");
    }

    #[test]
    fn another_head_before_the_same_backdrop_is_a_cut_and_motion_is_none() {
        let head = |x: usize, y: usize, at: usize, light: f32| {
            let is_head = (at..at + 40).contains(&x) && (20..80).contains(&y);
            if is_head { light + 20.0 * (y as f32 / 6.0).sin() } else { waves(x, y, 0.0) }
        };
        let mut cuts = CutDetector::default();
        let nods = |t: usize| picture(move |x, y| head(x, y + t % 2, 60, 200.0));
        assert!((0..20).all(|t| !cuts.is_cut(&nods(t))), "nodding");
        assert!(cuts.is_cut(&picture(|x, y| head(x, y, 56, 60.0))));
        let mut restless = CutDetector::default();
        let walks = |t: usize| picture(move |x, y| head(x, y, 20 + 12 * (t % 8), 200.0));
        assert!((0..40).all(|t| !restless.is_cut(&walks(t))), "walking");
    }

    #[test]
    fn black_to_picture_is_a_cut() {
        let mut cuts = CutDetector::default();
        cuts.is_cut(&picture(|_, _| 0.0));
        assert!(cuts.is_cut(&picture(|x, y| waves(x, y, 0.0))));
    }
}
