//! So much a second, and for each caller.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tidings_event::OwnerId;

use super::CallerLimits;

/// After so many checks those callers are forgotten who have all of their burst again. So there are
/// never more of them in memory, at 50 bytes each, than have asked within the time in which a burst
/// comes back, and these.
const SWEEP_CHECKS: u32 = 4_096;

/// A caller with `own_publish_rate` can send the events of this many seconds at once, such as a script that
/// reports all it did when it ends.
const OWN_BURST_SECONDS: u32 = 10;

/// So few callers are not worth a sweep.
const SWEEP_CALLERS: usize = 1_024;

/// How fast each caller may go on, by the generic cell rate algorithm: what was not asked for is saved
/// up to the burst, which is where a caller begins.
#[derive(Debug)]
pub(super) struct Rate<C: Clock = MonotonicClock> {
    per_second: NonZeroU32,
    burst: NonZeroU32,
    callers: RateLimiter<OwnerId, HashMapStateStore<OwnerId>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    checks: AtomicU32,
}

impl Rate {
    /// The rates of publishers, of callers who publish to themselves only, and of other requests.
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

    /// At most `burst` at once.
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

    /// In which time one comes back.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs(1) / self.per_second.get()
    }

    /// Takes so many at once, or none of them; more than the burst count as that.
    ///
    /// # Errors
    ///
    /// In which time there will be so many.
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

    /// Forgets callers now and then.
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
        // The room of a crowd that has gone is given back, that of one that comes and goes is not.
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
    fn a_burst_is_served_and_comes_back_in_time() {
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
    fn what_is_refused_takes_nothing() {
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
    fn one_caller_leaves_the_others_theirs() {
        let (rate, _) = rate(1, 3);
        for _ in 0..3 {
            assert_eq!(rate.take(A, 1), Ok(()));
        }
        assert!(rate.take(A, 1).is_err());
        assert_eq!(rate.take(B, 3), Ok(()));
    }

    #[test]
    fn nothing_is_always_served_and_too_much_counts_as_the_burst() {
        let (rate, clock) = rate(1, 3);
        assert_eq!(rate.take(A, 100), Ok(()));
        assert_eq!(rate.take(A, 0), Ok(()));
        assert_eq!(rate.take(A, 100), Err(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(3));
        assert_eq!(rate.take(A, 100), Ok(()));
    }

    #[test]
    fn a_rate_beyond_a_clock_s_ticks_is_any_number() {
        let (rate, clock) = rate(u32::MAX, u32::MAX);
        for _ in 0..10 {
            clock.advance(Duration::from_secs(5));
            assert_eq!(rate.take(A, u32::MAX), Ok(()));
        }
    }

    #[test]
    fn callers_are_forgotten_and_those_who_are_held_back_are_not() {
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
