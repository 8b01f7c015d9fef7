//! The trusted time, by which retention deletes events.
//!
//! If the wall clock is wrong, retention could delete events that it must keep. The trusted time therefore
//! advances with the monotonic clock, and continues across restarts. It follows the wall clock while the two
//! differ by at most [`TOLERANCE`]. If they differ by more, the wall clock must run steadily for [`GRACE`];
//! then the trusted time approaches it by at most [`CATCH_UP`] seconds per second. Retention uses the
//! earlier of the two times.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tidings_event::{Change, Timestamp};

use crate::clock::Clock;

/// The maximum difference at which the wall clock is trusted. Time synchronization corrects a running clock
/// in smaller steps.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// The maximum time since the last use of the store at which the wall clock is trusted on startup.
const DOWNTIME: SignedDuration = SignedDuration::from_secs(10 * 60);

/// The time for which a doubted wall clock must run steadily before the trusted time approaches it.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// The maximum number of seconds by which the trusted time approaches the wall clock per second. A
/// difference of 100 days takes about 4 days, so that an operator can notice a wrong clock while most
/// events still exist.
const CATCH_UP: u32 = 24;

/// The minimum time between two log lines about the clock.
const BETWEEN_NOTICES: Duration = Duration::from_secs(60);

/// 2001-01-01. A clock that was never set shows an earlier time: 1970, 1980 or 2000 plus the uptime of its
/// machine.
const FIRST_PLAUSIBLE: Timestamp = Timestamp::constant(978_307_200, 0);

/// The result of a comparison of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// No change since the previous comparison.
    Nothing,
    /// The wall clock jumped and is now ahead of the trusted time by this much; behind it if negative.
    Jumped(SignedDuration),
    /// The two times agree again.
    Agrees,
}

/// Keeps the trusted time.
#[derive(Debug)]
pub(crate) struct Timekeeper {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The trusted time when the monotonic clock showed `at`.
    trusted: Timestamp,
    at: Duration,
    doubt: Option<Doubt>,
    noticed: Option<Duration>,
}

/// A difference between the wall clock and the trusted time.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The monotonic time at which the difference began.
    since: Duration,
    /// The wall clock minus the monotonic clock. Constant while the wall clock runs steadily.
    offset: SignedDuration,
}

impl Timekeeper {
    /// Starts at `last`, the time of the last use of the store. A new store starts at the wall clock.
    pub(crate) fn start(clock: Clock, last: Option<Timestamp>) -> Self {
        let reading = clock.read();
        let trusted = match last {
            Some(last) if !is_within(reading.wall.duration_since(last), DOWNTIME) => last,
            _ => reading.wall,
        };
        let state = State {
            trusted,
            at: reading.monotonic,
            doubt: None,
            noticed: None,
        };
        Self {
            clock,
            state: Mutex::new(state),
        }
    }

    /// The time of the wall clock, right or wrong.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// The trusted time.
    pub(crate) fn trusted(&self) -> Timestamp {
        let state = self.state();
        let monotonic = self.clock.read().monotonic;
        later(state.trusted, monotonic.saturating_sub(state.at))
    }

    /// The earlier of the trusted time and the wall clock. Retention deletes what expired before it.
    pub(crate) fn at_least(&self) -> Timestamp {
        self.trusted().min(self.wall())
    }

    /// The time that a change records. The retention of deletions counts from it, so for a deletion it must
    /// not come from a wall clock that is ahead.
    pub(crate) fn moment_of(&self, change: Change) -> Timestamp {
        match change {
            Change::Status(_) => self.wall(),
            Change::Delete => self.at_least(),
        }
    }

    /// The time from which the age of a new event counts, if its `created_at` cannot be trusted: if it is in
    /// the future, comes from a clock that was never set, or the wall clock is behind and probably made it.
    pub(crate) fn aged_from(&self, created_at: Timestamp) -> Option<Timestamp> {
        let trusted = self.trusted();
        let is_ahead = created_at.duration_since(trusted) > TOLERANCE;
        let is_behind = trusted.duration_since(self.wall()) > TOLERANCE;
        (is_ahead || is_behind || created_at < FIRST_PLAUSIBLE).then_some(trusted)
    }

    /// The wall clock minus the trusted time, in seconds.
    #[cfg(feature = "metrics")]
    pub(crate) fn wall_ahead_seconds(&self) -> f64 {
        let trusted = self.trusted();
        self.wall().duration_since(trusted).as_secs_f64()
    }

    /// Compares the clocks. Call it often: it cannot see jumps between two calls.
    pub(crate) fn look(&self) -> Finding {
        let reading = self.clock.read();
        let mut state = self.state();
        let elapsed = reading.monotonic.saturating_sub(state.at);
        state.at = state.at.max(reading.monotonic);
        state.trusted = later(state.trusted, elapsed);
        let gap = reading.wall.duration_since(state.trusted);
        let step = at_most(gap, elapsed.saturating_mul(CATCH_UP));
        if is_within(gap, TOLERANCE) {
            state.trusted = state.trusted.saturating_add(step).unwrap_or(state.trusted);
            return match state.doubt.take() {
                Some(_) => Finding::Agrees,
                None => Finding::Nothing,
            };
        }
        let offset = reading
            .wall
            .duration_since(later(Timestamp::UNIX_EPOCH, reading.monotonic));
        match state.doubt {
            Some(doubt) if is_within(offset.saturating_sub(doubt.offset), TOLERANCE) => {
                if reading.monotonic.saturating_sub(doubt.since) >= GRACE {
                    state.trusted = state.trusted.saturating_add(step).unwrap_or(state.trusted);
                }
                Finding::Nothing
            }
            _ => {
                let since = reading.monotonic;
                state.doubt = Some(Doubt { since, offset });
                Finding::Jumped(gap)
            }
        }
    }

    /// Whether a finding can be logged now, at most once per [`BETWEEN_NOTICES`].
    pub(crate) fn may_notice(&self) -> bool {
        let monotonic = self.clock.read().monotonic;
        let mut state = self.state();
        let last = state.noticed;
        let may = last.is_none_or(|last| monotonic.saturating_sub(last) >= BETWEEN_NOTICES);
        if may {
            state.noticed = Some(monotonic);
        }
        may
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time that the trusted time needs to close a gap, including [`GRACE`].
pub(crate) fn time_to_catch_up(gap: SignedDuration) -> Duration {
    GRACE.saturating_add(gap.unsigned_abs() / CATCH_UP)
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn is_within(gap: SignedDuration, most: SignedDuration) -> bool {
    gap.unsigned_abs() <= most.unsigned_abs()
}

fn at_most(gap: SignedDuration, most: Duration) -> SignedDuration {
    let most = SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX);
    gap.clamp(-most, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn noon() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    /// Advances the clocks by `time` and compares them once per second.
    fn pass(clock: &ManualClock, keeper: &Timekeeper, time: Duration) -> Vec<Finding> {
        let mut findings = Vec::new();
        for _ in 0..time.as_secs() {
            clock.advance(Duration::from_secs(1));
            findings.push(keeper.look());
        }
        findings.retain(|finding| *finding != Finding::Nothing);
        findings
    }

    #[test]
    fn ignores_a_wall_clock_that_jumps_ahead_and_back() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        clock.set_wall(noon() + DAY * 100);
        let jumped = Finding::Jumped(SignedDuration::from_hours(2400));
        assert_eq!(keeper.look(), jumped);
        assert!(pass(&clock, &keeper, Duration::from_secs(3000)).is_empty());
        assert_eq!(keeper.at_least(), noon() + Duration::from_secs(3000));
        clock.set_wall(noon() + Duration::from_secs(3001));
        assert_eq!(keeper.look(), Finding::Agrees);
        assert!(keeper.at_least() <= noon() + Duration::from_secs(3001));
    }

    #[test]
    fn follows_a_steady_wall_clock_slowly() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), Some(noon() - DAY * 100));
        let findings = pass(&clock, &keeper, GRACE);
        assert!(matches!(findings[..], [Finding::Jumped(_)]), "{findings:?}");
        let (before, then) = (keeper.at_least(), noon() - DAY * 100 + GRACE);
        assert!(before <= then, "{before} is after {then}");
        pass(&clock, &keeper, GRACE);
        let followed = keeper.at_least().duration_since(before).unsigned_abs();
        assert!(followed > DAY && followed < DAY + 2 * GRACE, "{followed:?}");
        let findings = pass(&clock, &keeper, DAY * 5);
        assert_eq!(findings, [Finding::Agrees]);
        assert_eq!(keeper.at_least(), clock.clock().read().wall);
    }

    #[test]
    fn ignores_a_wall_clock_that_keeps_jumping() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        for hour in 1..100 {
            clock.set_wall(noon() + DAY * hour);
            pass(&clock, &keeper, GRACE - Duration::from_secs(1));
        }
        assert!(keeper.at_least() < noon() + GRACE * 100);
    }

    #[test]
    fn limits_the_gain_from_many_small_steps() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        for _ in 0..100 {
            clock.set_wall(clock.clock().read().wall + Duration::from_secs(9));
            clock.advance(Duration::from_millis(10));
            keeper.look();
        }
        assert!(keeper.at_least() <= noon() + Duration::from_secs(26));
    }

    #[test]
    fn expires_nothing_early_while_the_wall_clock_is_behind() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let keeper = Timekeeper::start(clock.clock(), Some(noon()));
        assert!(matches!(keeper.look(), Finding::Jumped(gap) if gap.is_negative()));
        assert_eq!(keeper.at_least(), Timestamp::UNIX_EPOCH);
        assert_eq!(keeper.trusted(), noon());
        // The wall clock is corrected within the grace period.
        clock.advance(Duration::from_secs(60));
        keeper.look();
        clock.set_wall(noon() + Duration::from_secs(65));
        assert_eq!(keeper.look(), Finding::Agrees);
        assert!(keeper.at_least() >= noon() + Duration::from_secs(60));
    }

    #[test]
    fn trusts_the_wall_clock_after_a_short_downtime() {
        let clock = ManualClock::new(noon());
        let last = noon() - Duration::from_secs(500);
        let keeper = Timekeeper::start(clock.clock(), Some(last));
        assert_eq!(keeper.look(), Finding::Nothing);
        assert_eq!(keeper.at_least(), noon());
    }

    #[test]
    fn ages_events_with_implausible_times_from_their_storage() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        for (created_at, from) in [
            ("2099-01-01T00:00:00Z", Some(noon())),
            ("2026-08-01T12:00:11Z", Some(noon())),
            ("2026-08-01T12:00:09Z", None),
            ("2001-01-01T00:00:00Z", None),
            ("2000-12-31T23:59:59Z", Some(noon())),
            ("1970-01-01T00:00:00Z", Some(noon())),
        ] {
            assert_eq!(
                keeper.aged_from(created_at.parse().unwrap()),
                from,
                "{created_at}"
            );
        }
    }

    #[test]
    fn ages_events_from_their_storage_while_the_wall_clock_is_behind() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        clock.set_wall(noon() - DAY * 1000);
        keeper.look();
        assert_eq!(keeper.aged_from(noon() - DAY * 1000), Some(noon()));
        clock.set_wall(noon());
        keeper.look();
        assert_eq!(keeper.aged_from(noon() - DAY * 1000), None);
    }

    #[test]
    fn allows_one_log_line_per_minute() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        let noticed = (0..180).filter(|_| {
            clock.advance(Duration::from_secs(1));
            keeper.may_notice()
        });
        assert_eq!(noticed.count(), 3);
    }
}
