//! The running median.

/// The median of `length` (odd) values around each, zeros beyond the ends: `scipy.signal.medfilt`.
#[must_use]
pub fn median_filter<T: PartialOrd + Copy + Default>(values: &[T], length: usize) -> Vec<T> {
    let half = length / 2;
    let mut window = Vec::with_capacity(length);
    (0..values.len())
        .map(|k| {
            window.clear();
            window.extend_from_slice(&values[k.saturating_sub(half)..(k + half + 1).min(values.len())]);
            window.resize(length, T::default());
            median(&mut window)
        })
        .collect()
}

/// The middle of an odd number of values, the lower of the two middle ones of an even number (as torch); sorts them.
pub(super) fn median<T: PartialOrd + Copy + Default>(values: &mut [T]) -> T {
    values.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_filled_up_with_zeros() {
        assert_eq!(median_filter(&[5, 3, 9, 4], 3), [3, 5, 4, 4]);
        assert_eq!(median_filter(&[5], 13), [0]);
        assert!(median_filter::<f64>(&[], 9).is_empty());
    }
}
