//! The clocks of the engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tidings_event::Timestamp;

/// Includes the time in which the machine sleeps, so that waking up does not look like a jump of the wall
/// clock.
#[cfg(target_os = "linux")]
const MONOTONIC: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const MONOTONIC: ClockId = ClockId::Monotonic;

/// The two clocks of an engine: a wall clock, which can be wrong, and a monotonic clock.
///
/// [`Clock::default`] reads the clocks of the machine. Tests use a [`ManualClock`].
#[derive(Clone, Debug, Default)]
pub struct Clock(ClockSource);

#[derive(Clone, Debug, Default)]
enum ClockSource {
    #[default]
    Machine,
    Manual(Arc<Mutex<ClockReading>>),
}

/// The time of both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockReading {
    /// The time of the wall clock, right or wrong.
    pub(crate) wall: Timestamp,
    /// The time since some moment in the past; never decreases.
    pub(crate) monotonic: Duration,
}

impl Clock {
    pub(crate) fn read(&self) -> ClockReading {
        match &self.0 {
            ClockSource::Machine => ClockReading {
                wall: Timestamp::now(),
                monotonic: since_boot(),
            },
            ClockSource::Manual(reading) => *reading.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

fn since_boot() -> Duration {
    let time = clock_gettime(MONOTONIC);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

/// A clock for tests that moves only on request.
///
/// ```
/// use std::time::Duration;
/// use tidings::{Config, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
/// let config = Config::new("./data").with_clock(clock.clock());
/// clock.advance(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<ClockReading>>);

impl ManualClock {
    /// A clock that starts at `wall`.
    pub fn new(wall: Timestamp) -> Self {
        let monotonic = Duration::from_secs(1000);
        Self(Arc::new(Mutex::new(ClockReading { wall, monotonic })))
    }

    /// The clock for [`Config::clock`](crate::Config::clock). This handle moves it.
    pub fn clock(&self) -> Clock {
        Clock(ClockSource::Manual(Arc::clone(&self.0)))
    }

    /// Advances both clocks.
    ///
    /// # Panics
    ///
    /// The wall clock would pass the end of the calendar, in the year 9999.
    pub fn advance(&self, by: Duration) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.wall += by;
        reading.monotonic += by;
    }

    /// Sets the wall clock and leaves the monotonic clock.
    pub fn set_wall(&self, wall: Timestamp) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.wall = wall;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_clocks_of_the_machine() {
        let clock = Clock::default();
        let first = clock.read();
        let second = clock.read();
        assert!(second.monotonic >= first.monotonic);
        assert!(first.monotonic > Duration::ZERO);
    }
}
