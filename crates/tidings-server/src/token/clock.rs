//! Detects that the wall clock was set or the machine slept. Timers run by the monotonic clock, which stands
//! still meanwhile, so expiries must be checked again.

use std::convert::Infallible;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// The time between two comparisons. A token that expired while the machine slept is noticed this soon after
/// it wakes.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

/// The most that the clocks can drift apart between two comparisons. `adjtime` slews a clock by half a
/// millisecond a second.
const TOLERANCE: Duration = Duration::from_millis(100);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct ClockReading {
    wall: SystemTime,
    monotonic: Instant,
}

impl ClockReading {
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            monotonic: Instant::now(),
        }
    }

    /// Whether the wall clock has advanced differently from the monotonic clock since `earlier`.
    fn jumped_since(self, earlier: Self) -> bool {
        let expected = self.monotonic.duration_since(earlier.monotonic);
        match self.wall.duration_since(earlier.wall) {
            Ok(passed) => passed.abs_diff(expected) > TOLERANCE,
            Err(_) => true,
        }
    }
}

/// Counts the jumps of the wall clock in `jumps`.
pub(super) async fn watch(jumps: watch::Sender<u64>) -> Infallible {
    let mut comparisons = tokio::time::interval(COMPARE_EVERY);
    comparisons.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = ClockReading::now();
    loop {
        comparisons.tick().await;
        let now = ClockReading::now();
        if now.jumped_since(last) {
            tracing::info!("the wall clock was set or the machine slept; tokens are checked again");
            jumps.send_modify(|jumps| *jumps += 1);
        }
        last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_a_difference_between_the_clocks() {
        let start = ClockReading::now();
        let after = |wall: i64, monotonic: u64| {
            let by = Duration::from_millis(wall.unsigned_abs());
            ClockReading {
                wall: if wall < 0 {
                    start.wall - by
                } else {
                    start.wall + by
                },
                monotonic: start.monotonic + Duration::from_millis(monotonic),
            }
        };
        for (wall, monotonic, jumped) in [
            (1_000, 1_000, false),
            (1_050, 1_000, false),
            (950, 1_000, false),
            // A late comparison.
            (60_000, 60_000, false),
            // The machine slept.
            (15_000, 1_000, true),
            // The clock was set back, by a little and by more than has passed.
            (500, 1_000, true),
            (-5_000, 1_000, true),
        ] {
            let jump = after(wall, monotonic).jumped_since(start);
            assert_eq!(jump, jumped, "{wall} {monotonic}");
        }
    }
}
