//! The time by which old things are deleted: the wall clock's, as far as it can be believed.
//!
//! What is deleted on the word of a wrong clock is gone for good. So the trusted time goes on with the
//! monotonic clock and across restarts from where it was. The wall clock may differ by a few seconds;
//! if it differs by more, it must stay the same for [`GRACE`] before the trusted time moves towards it,
//! and then by [`CATCH_UP`] seconds in each second at most. Whichever of the two is earlier decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tidings_event::{Change, Timestamp};

use crate::clock::Clock;

/// By how much the wall clock may differ without being in doubt: more than the steps with which time
/// synchronization corrects a running clock.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// How long a server may have been off without a doubt of the clock it starts with.
const DOWNTIME: SignedDuration = SignedDuration::from_secs(10 * 60);

/// For how long a wall clock in doubt must run steadily before it counts.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// The most seconds by which the trusted time moves towards the wall clock in a second. A hundred days
/// take about four days, in which an operator can notice a wrong clock while most events are still there.
const CATCH_UP: u32 = 24;

/// At most one line in the log about the clock in this time, however often it jumps.
const BETWEEN_NOTICES: Duration = Duration::from_secs(60);

/// Clocks that were never set show a time before this one: 1970, 1980 or 2000, and some time since the
/// machine was switched on.
const FIRST_PLAUSIBLE: Timestamp = Timestamp::constant(978_307_200, 0);

/// What a look at the clocks has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// As before.
    Nothing,
    /// The wall clock has moved by this against the trusted time.
    Jumped(SignedDuration),
    /// They agree again.
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

/// The wall clock shows something else than the trusted time.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The monotonic clock when it began.
    since: Duration,
    /// Between the two clocks, which stays the same as long as the wall clock runs steadily.
    offset: SignedDuration,
}

impl Timekeeper {
    /// Begins with the time at which the store was in use last; a new store believes the wall clock.
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

    /// The time of day as the machine has it.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// The trusted time.
    pub(crate) fn trusted(&self) -> Timestamp {
        let state = self.state();
        let monotonic = self.clock.read().monotonic;
        later(state.trusted, monotonic.saturating_sub(state.at))
    }

    /// The time that it is at least: what was due by then can be deleted.
    pub(crate) fn at_least(&self) -> Timestamp {
        self.trusted().min(self.wall())
    }

    /// When a change is made, for those who read it. A deletion is remembered by this time, so a wall
    /// clock that is ahead must not make it last.
    pub(crate) fn moment_of(&self, change: Change) -> Timestamp {
        match change {
            Change::Status(_) => self.wall(),
            Change::Delete => self.at_least(),
        }
    }

    /// From when the age of an event counts that is stored now, if not from its `created_at`: that one
    /// lies in the future, or is of a clock that was never set, or this machine's clock is behind, which
    /// most likely made it.
    pub(crate) fn aged_from(&self, created_at: Timestamp) -> Option<Timestamp> {
        let trusted = self.trusted();
        let is_ahead = created_at.duration_since(trusted) > TOLERANCE;
        let is_behind = trusted.duration_since(self.wall()) > TOLERANCE;
        (is_ahead || is_behind || created_at < FIRST_PLAUSIBLE).then_some(trusted)
    }

    /// By how much the wall clock is ahead of the trusted time, in seconds; behind it if negative.
    #[cfg(feature = "metrics")]
    pub(crate) fn wall_ahead_seconds(&self) -> f64 {
        let trusted = self.trusted();
        self.wall().duration_since(trusted).as_secs_f64()
    }

    /// Compares the clocks. To be called often: between two looks the wall clock is not known.
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

    /// Whether a finding may be logged now.
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

/// How long the trusted time needs to catch up with a gap, the time in which it waits included.
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

    /// Looks once a second for as long as this.
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
    fn a_wall_clock_that_jumps_ahead_and_back_moves_nothing() {
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
    fn a_wall_clock_that_stays_ahead_is_followed_slowly() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), Some(noon() - DAY * 100));
        let findings = pass(&clock, &keeper, GRACE);
        assert!(matches!(findings[..], [Finding::Jumped(_)]), "{findings:?}");
        let (before, then) = (keeper.at_least(), noon() - DAY * 100 + GRACE);
        assert!(before <= then, "not yet followed");
        pass(&clock, &keeper, GRACE);
        let followed = keeper.at_least().duration_since(before).unsigned_abs();
        assert!(followed > DAY && followed < DAY + 2 * GRACE, "{followed:?}");
        let findings = pass(&clock, &keeper, DAY * 5);
        assert_eq!(findings, [Finding::Agrees]);
        assert_eq!(keeper.at_least(), clock.clock().read().wall);
    }

    #[test]
    fn a_clock_that_keeps_jumping_is_never_believed() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        for hour in 1..100 {
            clock.set_wall(noon() + DAY * hour);
            pass(&clock, &keeper, GRACE - Duration::from_secs(1));
        }
        assert!(keeper.at_least() < noon() + GRACE * 100);
    }

    #[test]
    fn many_small_steps_gain_no_more_than_the_catching_up() {
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
    fn a_clock_behind_keeps_everything_and_is_followed_slowly() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let keeper = Timekeeper::start(clock.clock(), Some(noon()));
        assert!(matches!(keeper.look(), Finding::Jumped(gap) if gap.is_negative()));
        assert_eq!(keeper.at_least(), Timestamp::UNIX_EPOCH);
        assert_eq!(keeper.trusted(), noon());
        // Set right before the grace is over, it is as if nothing had been.
        clock.advance(Duration::from_secs(60));
        keeper.look();
        clock.set_wall(noon() + Duration::from_secs(65));
        assert_eq!(keeper.look(), Finding::Agrees);
        assert!(keeper.at_least() >= noon() + Duration::from_secs(60));
    }

    #[test]
    fn a_short_stop_is_no_reason_to_doubt() {
        let clock = ManualClock::new(noon());
        let last = noon() - Duration::from_secs(500);
        let keeper = Timekeeper::start(clock.clock(), Some(last));
        assert_eq!(keeper.look(), Finding::Nothing);
        assert_eq!(keeper.at_least(), noon());
    }

    #[test]
    fn events_of_the_future_and_of_unset_clocks_age_from_when_they_are_stored() {
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
    fn events_of_a_time_in_which_the_clock_was_behind_are_no_older_for_it() {
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
    fn the_log_is_told_of_a_flapping_clock_once_a_minute() {
        let clock = ManualClock::new(noon());
        let keeper = Timekeeper::start(clock.clock(), None);
        let noticed = (0..180).filter(|_| {
            clock.advance(Duration::from_secs(1));
            keeper.may_notice()
        });
        assert_eq!(noticed.count(), 3);
    }
}
