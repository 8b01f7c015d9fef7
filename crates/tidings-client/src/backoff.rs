//! The wait before the next attempt.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::ClientError;

/// The base if neither the caller nor the server has set one.
const DEFAULT_BASE: Duration = Duration::from_secs(1);

/// The maximum wait, unless the base is longer, so that a user who repairs a network does not wait for
/// minutes.
const CEILING: Duration = Duration::from_secs(30);

/// The range in which a server can set the base. Lower values would overload it; higher ones would let one
/// faulty frame stop its readers.
const SERVER_BASE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(300);

/// Exponential backoff with full jitter: a random wait between zero and a limit that doubles with each
/// failure, so that readers that lost a server together do not return together.
///
/// [`Subscription`](crate::Subscription) uses it between connections. Callers can use it to repeat a request: an event
/// with an id can be published again after any [temporary](crate::ClientError::is_temporary) error.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    failures: u32,
    random: fastrand::Rng,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// A backoff with a first wait of at most 1 second and a maximum wait of 30 seconds.
    pub fn new() -> Self {
        Self::with_random(fastrand::Rng::new())
    }

    fn with_random(random: fastrand::Rng) -> Self {
        Self {
            base: DEFAULT_BASE,
            failures: 0,
            random,
        }
    }

    /// Sets the limit of the first wait.
    pub(crate) fn set_base(&mut self, base: Duration) {
        self.base = base;
    }

    /// Sets the limit of the first wait to the server's `retry:`, from 100 ms to 5 minutes.
    pub(crate) fn set_server_base(&mut self, retry: Duration) {
        self.base = retry.clamp(*SERVER_BASE.start(), *SERVER_BASE.end());
    }

    /// Resets the backoff after a success.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure and returns the wait after it.
    pub fn failed(&mut self) -> Duration {
        let limit = self
            .base
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(CEILING.max(self.base));
        self.failures = self.failures.saturating_add(1);
        limit.mul_f64(self.random.f64())
    }

    /// Counts a failure and returns the wait after `error`: the time that the server requires
    /// ([`retry_after`](ClientError::retry_after)) plus the random wait, so that clients that received the
    /// same time do not return together.
    pub fn failed_with(&mut self, error: &ClientError) -> Duration {
        error.retry_after().unwrap_or_default() + self.failed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seeded(seed: u64) -> Backoff {
        Backoff::with_random(fastrand::Rng::with_seed(seed))
    }

    /// The longest of many waits after `failures` failures.
    fn longest(failures: usize) -> Duration {
        (0..2_000)
            .filter_map(|seed| {
                let mut backoff = seeded(seed);
                std::iter::repeat_with(|| backoff.failed()).nth(failures)
            })
            .max()
            .unwrap()
    }

    #[test]
    fn doubles_the_limit_up_to_the_maximum() {
        for (failures, limit) in [(0, 1), (1, 2), (3, 8), (4, 16), (5, 30), (90, 30)] {
            let limit = Duration::from_secs(limit);
            let longest = longest(failures);
            assert!(longest <= limit, "{failures}: {longest:?}");
            assert!(longest > limit.mul_f64(0.95), "{failures}: {longest:?}");
        }
    }

    #[test]
    fn spreads_waits_over_the_whole_range() {
        let mut backoff = seeded(1);
        let waits: Vec<_> = (0..1_000)
            .map(|_| {
                backoff.succeeded();
                backoff.failed()
            })
            .collect();
        let in_lower_half = waits
            .iter()
            .filter(|wait| **wait < DEFAULT_BASE / 2)
            .count();
        assert!((400..600).contains(&in_lower_half), "{in_lower_half}");
    }

    #[test]
    fn resets_after_a_success() {
        let mut backoff = seeded(7);
        for _ in 0..40 {
            backoff.failed();
        }
        backoff.succeeded();
        assert!(backoff.failed() <= DEFAULT_BASE);
    }

    #[test]
    fn clamps_the_base_of_the_server() {
        let mut backoff = seeded(7);
        for (retry_ms, base_ms) in [(0, 100), (2_731, 2_731), (u64::MAX, 300_000)] {
            backoff.set_server_base(Duration::from_millis(retry_ms));
            assert_eq!(backoff.base, Duration::from_millis(base_ms));
        }
    }

    proptest! {
        #[test]
        fn never_exceeds_the_maximum_or_a_longer_base(
            seed: u64,
            base_ms in 0..600_000_u64,
            failures in 1..80_usize,
        ) {
            let base = Duration::from_millis(base_ms);
            let mut backoff = seeded(seed);
            backoff.set_base(base);
            for _ in 0..failures {
                prop_assert!(backoff.failed() <= CEILING.max(base));
            }
        }
    }
}
