//! When a job is tried again.

use std::time::Duration;

/// How long a job waits after a try that failed: longer each time, and never the same for two jobs that failed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest wait after the first try; it doubles with each further one.
    pub first: Duration,
    /// The longest wait of all.
    pub most: Duration,
}

impl Default for RetryPolicy {
    /// Two seconds, doubled up to five minutes.
    fn default() -> Self {
        Self { first: Duration::from_secs(2), most: Duration::from_mins(5) }
    }
}

impl RetryPolicy {
    /// The wait after `tries` tries, 1 and more: between half of the longest and all of it (the *equal jitter* of
    /// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    #[must_use]
    pub fn wait(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let longest = self.first.saturating_mul(doubled).min(self.most);
        longest.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_lies_between_half_of_the_longest_and_all_of_it(tries in 1_u32..200) {
            let policy = RetryPolicy::default();
            let longest = (2.0 * 2_f64.powi(tries.min(20) as i32 - 1)).min(300.0);
            let wait = policy.wait(tries).as_secs_f64();
            prop_assert!(wait >= 0.499 * longest && wait <= 1.001 * longest, "{wait} of {longest}");
        }
    }

    #[test]
    fn jobs_that_failed_together_are_not_tried_together() {
        let policy = RetryPolicy::default();
        let waits: Vec<Duration> = (0..20).map(|_| policy.wait(3)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
