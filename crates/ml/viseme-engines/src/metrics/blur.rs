//! How blurred a picture is, without another to compare it with.
//!
//! After Crété-Roffet, Dolmiere, Ladret, Nicolas: "The Blur Effect: Perception and Estimation with a New No-Reference
//! Perceptual Blur Metric" (2007): a sharp picture loses much of its variation when it is blurred once more, a blurred one
//! little.

use viseme_imaging::ImageF32;

/// Pixels of the mean that blurs once more (odd), as in the paper.
const LENGTH: usize = 9;

/// Sums the variation of areas of pictures, and what of it is left after another blur.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BlurSums {
    /// By direction: across, down.
    variation: [f64; 2],
    lost: [f64; 2],
}

impl BlurSums {
    /// The blur, 0 (sharp) to 1, of the direction in which it is worse. None where nothing varies.
    #[must_use]
    pub fn blur(&self) -> Option<f64> {
        let of = |direction: usize| {
            let all = self.variation[direction];
            (all > 0.0).then(|| (all - self.lost[direction]) / all)
        };
        Some(of(0)?.max(of(1)?))
    }
}

/// Adds a gray picture to the sums of the areas that `area` puts its pixels in; pixels of no area do not count.
pub fn add<const AREAS: usize>(
    gray: &ImageF32,
    sums: &mut [BlurSums; AREAS],
    area: impl Fn(usize, usize) -> Option<usize>,
) {
    let turned = ImageF32::from_fn(gray.height, gray.width, |x, y| gray.row(x)[y]);
    add_rows(gray, sums, 0, &area);
    add_rows(&turned, sums, 1, |x, y| area(y, x));
}

fn add_rows<const AREAS: usize>(
    image: &ImageF32,
    sums: &mut [BlurSums; AREAS],
    direction: usize,
    area: impl Fn(usize, usize) -> Option<usize>,
) {
    let mut blurred = vec![0.0; image.width];
    for (y, row) in image.rows().enumerate() {
        blur_row(row, &mut blurred);
        for x in 1..row.len() {
            let Some(area) = area(x, y).and_then(|area| sums.get_mut(area)) else { continue };
            let before = f64::from((row[x] - row[x - 1]).abs());
            let after = f64::from((blurred[x] - blurred[x - 1]).abs());
            area.variation[direction] += before;
            area.lost[direction] += (before - after).max(0.0);
        }
    }
}

/// Means over [`LENGTH`] around each value, the ends repeated.
fn blur_row(row: &[f32], blurred: &mut [f32]) {
    let half = (LENGTH / 2) as i64;
    let value = |x: i64| row[x.clamp(0, row.len() as i64 - 1) as usize];
    let mut sum: f32 = (-half..=half).map(value).sum();
    for (x, out) in blurred.iter_mut().enumerate() {
        *out = sum / LENGTH as f32;
        let x = x as i64;
        sum += value(x + half + 1) - value(x - half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern of squares, blurred by means of `length` pixels across and down.
    fn pattern(length: i64) -> ImageF32 {
        let square =
            |x: i64, y: i64| if (x.div_euclid(11) + y.div_euclid(13)) % 2 == 0 { 40.0 } else { 200.0 };
        ImageF32::from_fn(96, 96, |x, y| {
            let around = (0..length * length).map(|i| (x as i64 + i % length, y as i64 + i / length));
            around.map(|(x, y)| square(x, y)).sum::<f32>() / (length * length) as f32
        })
    }

    fn blur(image: &ImageF32) -> Option<f64> {
        let mut sums = [BlurSums::default()];
        add(image, &mut sums, |_, _| Some(0));
        sums[0].blur()
    }

    #[test]
    fn more_blur_is_more_blur() {
        let found = [1, 3, 5, 8].map(|length| blur(&pattern(length)).unwrap());
        assert!(found.is_sorted() && found[0] < 0.3 && found[3] > 0.5, "{found:?}");
    }

    #[test]
    fn areas_are_told_apart_and_an_even_picture_says_nothing() {
        let (sharp, soft) = (pattern(1), pattern(7));
        let half = ImageF32::from_fn(96, 96, |x, y| if x < 48 { sharp.row(y)[x] } else { soft.row(y)[x] });
        let mut sums = [BlurSums::default(); 2];
        add(&half, &mut sums, |x, _| (x != 48).then_some(usize::from(x > 48)));
        assert!(sums[0].blur().unwrap() + 0.2 < sums[1].blur().unwrap());
        assert_eq!(blur(&ImageF32::filled(20, 20, 90.0)), None);
    }
}
