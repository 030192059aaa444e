//! One colour per person, far from those of the others.

/// Hues of neighbours lie this far apart, in turns of the circle: by the golden section no hue comes again and each falls
/// into the largest gap.
const GOLDEN_SECTION: f32 = 0.618_034;
/// The first hue: a green that is seen on skin.
const FIRST_HUE: f32 = 0.36;
/// How much of the brightest channel the darkest has.
const PALE: f32 = 0.2;

/// The colour (red, green, blue) that stands for the person of that number: always the same.
#[must_use]
pub fn person_colour(number: usize) -> [u8; 3] {
    let hue = (FIRST_HUE + GOLDEN_SECTION * (number % 1000) as f32).fract();
    // Each channel is brightest at its own third of the circle (Smith 1978, the hexcone).
    let channel = |third: f32| {
        let distance = (hue - third / 3.0 + 0.5).rem_euclid(1.0) - 0.5;
        let share = (2.0 - 6.0 * distance.abs()).clamp(0.0, 1.0);
        (255.0 * (PALE + (1.0 - PALE) * share)).round() as u8
    };
    [channel(0.0), channel(1.0), channel(2.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_colours_that_are_told_apart() {
        let colours: Vec<[u8; 3]> = (0..8).map(person_colour).collect();
        for (i, a) in colours.iter().enumerate() {
            assert!(a.iter().max() > Some(&240), "{a:?} is bright");
            for b in &colours[..i] {
                let distance: i32 = a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).sum();
                assert!(distance > 60, "{a:?} and {b:?}");
            }
        }
    }
}
