//! Times along a picture.

/// Steps between marks, in milliseconds.
const STEPS_MS: [u64; 13] =
    [200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/// Round moments from `start_ms` to `end_ms`, at most `most` and one.
pub(super) fn marks(start_ms: u64, end_ms: u64, most: u64) -> Vec<u64> {
    let length = end_ms.saturating_sub(start_ms);
    let least = length.div_ceil(most.max(1)).max(1);
    let step = STEPS_MS.into_iter().find(|&step| step >= least).unwrap_or(least);
    (start_ms.div_ceil(step)..=end_ms / step).map(|nth| nth * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(marks(0, 4_000, 8), [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000]);
        assert_eq!(marks(61_000, 90_000, 3), [70_000, 80_000, 90_000]);
        for length in [1, 999, 3_600_000, 40_000_000_000] {
            assert!(marks(7, 7 + length, 8).len() <= 9, "{length}");
        }
        assert_eq!(marks(5, 5, 8), [0; 0]);
    }
}
