//! A rate limit for each caller.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tidings_event::OwnerId;

use super::CallerLimits;

/// The number of checks between two sweeps, which drop the callers whose burst is full again. At 50
/// bytes each, memory holds at most this many callers besides those whose burst is still refilling.
const SWEEP_CHECKS: u32 = 4_096;

/// The burst of `own_publish_rate` in seconds, for scripts that send all their events when they end.
const OWN_BURST_SECONDS: u32 = 10;

/// Up to this number of callers a sweep is not worth its time.
const SWEEP_CALLERS: usize = 1_024;

/// The generic cell rate algorithm for each caller. Unused events are saved up to the burst, and a new
/// caller begins with the whole burst.
#[derive(Debug)]
pub(super) struct Rate<C: Clock = MonotonicClock> {
    per_second: NonZeroU32,
    burst: NonZeroU32,
    callers: RateLimiter<OwnerId, HashMapStateStore<OwnerId>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    checks: AtomicU32,
}

impl Rate {
    /// The limits for publishing to every owner, for publishing to oneself, and for other requests.
    pub(super) fn all(limits: &CallerLimits, batch_events: usize) -> [Option<Self>; 3] {
        let batch = u32::try_from(batch_events).unwrap_or(u32::MAX);
        let publishes = |seconds: u32| {
            move |rate: NonZeroU32| Self::new(rate, rate.get().saturating_mul(seconds).max(batch))
        };
        [
            limits.publish_rate.map(publishes(1)),
            limits.own_publish_rate.map(publishes(OWN_BURST_SECONDS)),
            limits.request_rate.map(|rate| Self::new(rate, rate.get())),
        ]
    }

    /// A limit with a burst.
    fn new(per_second: NonZeroU32, burst: u32) -> Self {
        Self::with_clock(per_second, burst, MonotonicClock)
    }
}

impl<C: Clock + Clone> Rate<C> {
    fn with_clock(per_second: NonZeroU32, burst: u32, clock: C) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            per_second,
            burst,
            callers: RateLimiter::hashmap_with_clock(quota, clock.clone()),
            clock,
            checks: AtomicU32::new(0),
        }
    }

    pub(super) const fn per_second(&self) -> NonZeroU32 {
        self.per_second
    }

    /// The time in which the rate allows one more event or request.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs(1) / self.per_second.get()
    }

    /// Takes `number` events or requests, or none of them. A number above the burst counts as the
    /// burst.
    ///
    /// # Errors
    ///
    /// The time until `number` are available.
    pub(super) fn take(&self, caller: OwnerId, number: u32) -> Result<(), Duration> {
        let Some(number) = NonZeroU32::new(number) else {
            return Ok(());
        };
        let number = number.min(self.burst);
        let taken = if number == NonZeroU32::MIN {
            self.callers.check_key(&caller)
        } else {
            let taken = self.callers.check_key_n(&caller, number);
            taken.expect("it is no more than the burst")
        };
        self.sweep();
        taken.map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Drops the callers whose burst is full again, once every [`SWEEP_CHECKS`] checks.
    fn sweep(&self) {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if !checks.is_multiple_of(SWEEP_CHECKS) {
            return;
        }
        let before = self.callers.len();
        if before <= SWEEP_CALLERS {
            return;
        }
        self.callers.retain_recent();
        // Memory is given back only after most callers have gone, so that the map does not grow again
        // and again.
        if self.callers.len() < before / 4 {
            self.callers.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use uuid::Uuid;

    use super::*;

    const A: OwnerId = owner(1);
    const B: OwnerId = owner(2);

    const fn owner(number: u128) -> OwnerId {
        OwnerId::from_uuid(Uuid::from_u128(number))
    }

    fn rate(per_second: u32, burst: u32) -> (Rate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let per_second = NonZeroU32::new(per_second).unwrap();
        (Rate::with_clock(per_second, burst, clock.clone()), clock)
    }

    #[test]
    fn accepts_a_burst_that_refills_over_time() {
        let (rate, clock) = rate(10, 20);
        assert_eq!(rate.take(A, 20), Ok(()));
        assert_eq!(rate.take(A, 1), Err(Duration::from_millis(100)));
        assert_eq!(rate.take(A, 15), Err(Duration::from_millis(1_500)));
        clock.advance(Duration::from_millis(99));
        assert_eq!(rate.take(A, 1), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(rate.take(A, 1), Ok(()));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(rate.take(A, 20), Ok(()));
        assert!(rate.take(A, 1).is_err());
    }

    #[test]
    fn a_rejection_takes_nothing() {
        let (rate, clock) = rate(10, 10);
        assert_eq!(rate.take(A, 5), Ok(()));
        for _ in 0..100 {
            assert_eq!(rate.take(A, 6), Err(Duration::from_millis(100)));
        }
        assert_eq!(rate.take(A, 5), Ok(()));
        clock.advance(Duration::from_millis(100));
        assert_eq!(rate.take(A, 1), Ok(()));
    }

    #[test]
    fn limits_each_caller_separately() {
        let (rate, _) = rate(1, 3);
        for _ in 0..3 {
            assert_eq!(rate.take(A, 1), Ok(()));
        }
        assert!(rate.take(A, 1).is_err());
        assert_eq!(rate.take(B, 3), Ok(()));
    }

    #[test]
    fn accepts_zero_and_caps_a_number_at_the_burst() {
        let (rate, clock) = rate(1, 3);
        assert_eq!(rate.take(A, 100), Ok(()));
        assert_eq!(rate.take(A, 0), Ok(()));
        assert_eq!(rate.take(A, 100), Err(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(3));
        assert_eq!(rate.take(A, 100), Ok(()));
    }

    #[test]
    fn does_not_limit_a_rate_above_the_clock_resolution() {
        let (rate, clock) = rate(u32::MAX, u32::MAX);
        for _ in 0..10 {
            clock.advance(Duration::from_secs(5));
            assert_eq!(rate.take(A, u32::MAX), Ok(()));
        }
    }

    #[test]
    fn drops_callers_with_a_full_burst_only() {
        let (rate, clock) = rate(1, 1);
        let crowd = 100_000_u32;
        for number in 0..crowd {
            assert_eq!(rate.take(owner(number.into()), 1), Ok(()));
        }
        assert_eq!(rate.callers.len(), 100_000);
        clock.advance(Duration::from_secs(10));
        let held_back = owner(u128::MAX);
        assert_eq!(rate.take(held_back, 1), Ok(()));
        for _ in 0..SWEEP_CHECKS {
            assert!(rate.take(held_back, 1).is_err());
        }
        assert_eq!(rate.callers.len(), 1);
        assert!(rate.take(held_back, 1).is_err());
    }
}
