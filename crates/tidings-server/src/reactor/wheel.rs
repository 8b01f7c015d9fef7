//! Which entries are due when.

use std::time::Duration;

use tokio::time::Instant;

/// The time of one slot: 8 ms. Deadlines are late by at most this.
const TICK: Duration = Duration::from_nanos(1_000_000_000 / TICKS_PER_SECOND);
const TICKS_PER_SECOND: u64 = 125;

/// Covers 16 seconds, more than the default silence before a keepalive. An entry with a later deadline is
/// looked at after this time, and put in again.
const SLOTS: usize = 2048;

/// A moment in ticks since the wheel was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u64);

impl Tick {
    /// For an entry that is in no slot.
    pub(super) const NEVER: Self = Self(u64::MAX);
}

/// A timer wheel: a slot for each tick, with the numbers of the entries that are due then.
///
/// Nothing is taken out before its time. An entry whose deadline has changed, and one that took over a
/// number, can be named more often than once: only the first mention after the entry's own tick
/// [counts](Self::disarm).
#[derive(Debug)]
pub(super) struct Wheel {
    begun: Instant,
    slots: Vec<Vec<u32>>,
    /// A bit for each slot that is not empty.
    occupied: [u64; SLOTS / 64],
    /// All slots before it have been emptied.
    next: u64,
}

impl Wheel {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            slots: vec![Vec::new(); SLOTS],
            occupied: [0; SLOTS / 64],
            next: 0,
        }
    }

    /// The tick at which a deadline has passed.
    fn tick_of(&self, deadline: Instant) -> Tick {
        // Rounded up.
        let ticks = self.ticks_until(deadline + (TICK - Duration::from_nanos(1)));
        Tick(ticks.clamp(self.next, self.next + SLOTS as u64 - 1))
    }

    /// The whole ticks until a moment. This is computed for every delivery, so it divides small numbers.
    fn ticks_until(&self, moment: Instant) -> u64 {
        let time = moment.saturating_duration_since(self.begun);
        let within_second = u64::from(time.subsec_nanos()) * TICKS_PER_SECOND / 1_000_000_000;
        time.as_secs() * TICKS_PER_SECOND + within_second
    }

    /// Names an entry at its deadline, unless it is armed for an earlier tick.
    pub(super) fn arm(&mut self, entry: u32, armed: &mut Tick, deadline: Instant) {
        let tick = self.tick_of(deadline);
        if tick < *armed {
            *armed = tick;
            self.insert(tick, entry);
        }
    }

    /// Whether an entry that was named is due: its tick has passed. It is disarmed then, so that further
    /// mentions of it do not count.
    pub(super) fn disarm(&self, armed: &mut Tick) -> bool {
        let is_due = armed.0 < self.next;
        if is_due {
            *armed = Tick::NEVER;
        }
        is_due
    }

    /// Names an entry at this tick, which is one of [`Self::tick_of`] since the last
    /// [`Self::take_due`].
    fn insert(&mut self, Tick(tick): Tick, entry: u32) {
        let slot = slot_of(tick);
        self.slots[slot].push(entry);
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// When the next entry is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let first = slot_of(self.next);
        let is_occupied = |slot: usize| self.occupied[slot / 64] & 1 << (slot % 64) != 0;
        let mut ahead = 0;
        while ahead < SLOTS {
            let slot = (first + ahead) % SLOTS;
            if slot.is_multiple_of(64) && self.occupied[slot / 64] == 0 {
                ahead += 64;
            } else if is_occupied(slot) {
                return Some(self.begun + time_of(self.next + ahead as u64));
            } else {
                ahead += 1;
            }
        }
        None
    }

    /// Moves the entries that are due into `due`.
    pub(super) fn take_due(&mut self, now: Instant, due: &mut Vec<u32>) {
        let passed = self.ticks_until(now);
        if passed < self.next {
            return;
        }
        let slots = (passed - self.next + 1).min(SLOTS as u64);
        for tick in self.next..self.next + slots {
            let slot = slot_of(tick);
            if self.occupied[slot / 64] & 1 << (slot % 64) != 0 {
                due.append(&mut self.slots[slot]);
                self.occupied[slot / 64] &= !(1 << (slot % 64));
            }
        }
        self.next = passed + 1;
    }
}

/// The time of a tick since the wheel was made.
const fn time_of(tick: u64) -> Duration {
    Duration::from_millis(tick * (1_000 / TICKS_PER_SECOND))
}

/// The slots are used in turn.
fn slot_of(tick: u64) -> usize {
    usize::try_from(tick % SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(wheel: &mut Wheel, now: Instant) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.take_due(now, &mut due);
        due
    }

    #[test]
    fn names_an_entry_when_its_deadline_has_passed() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut wheel = Wheel::new(begun);
        assert_eq!(wheel.next_due(), None);
        for (ms, entry) in [(0, 1), (5_000, 2), (5_001, 3), (60_000, 4)] {
            wheel.insert(wheel.tick_of(at(ms)), entry);
        }
        assert_eq!(wheel.next_due(), Some(begun));
        assert_eq!(due(&mut wheel, at(4_999)), [1]);
        assert_eq!(wheel.next_due(), Some(at(5_000)));
        assert_eq!(due(&mut wheel, at(5_000)), [2]);
        assert_eq!(wheel.next_due(), Some(at(5_008)));
        assert_eq!(due(&mut wheel, at(5_008)), [3]);
        // Beyond the wheel: it is looked at after one turn.
        assert_eq!(due(&mut wheel, at(16_000)), [0_u32; 0]);
        assert_eq!(due(&mut wheel, at(16_384)), [4]);
        // After a long silence all slots are emptied once.
        wheel.insert(wheel.tick_of(at(17_000)), 5);
        assert_eq!(due(&mut wheel, at(1_000_000)), [5]);
        assert_eq!(wheel.next_due(), None);
        // Beyond 2^32 ticks.
        let year = 400 * 24 * 3_600 * 1_000;
        wheel.take_due(at(year), &mut Vec::new());
        let tick = wheel.tick_of(at(year + 80));
        wheel.insert(tick, 7);
        assert_eq!(wheel.next_due(), Some(at(year + 80)));
        assert_eq!(due(&mut wheel, at(year + 80)), [7]);
    }

    #[test]
    fn an_entry_with_a_number_of_many_others_is_due_once() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut wheel = Wheel::new(begun);
        for _ in 0..100 {
            wheel.arm(1, &mut Tick::NEVER.clone(), at(1));
        }
        let mut armed = Tick::NEVER;
        wheel.arm(1, &mut armed, at(2));
        // An earlier deadline replaces a later one.
        wheel.arm(1, &mut armed, at(1));
        for turn in 1..10 {
            let mut times = 0;
            for _ in due(&mut wheel, at(turn)) {
                if wheel.disarm(&mut armed) {
                    times += 1;
                    wheel.arm(1, &mut armed, at(turn + 1));
                }
            }
            assert_eq!(times, 1, "{turn}");
        }
        assert_eq!(due(&mut wheel, at(10)), [1]);
    }

    #[test]
    fn a_passed_deadline_is_due_at_the_next_tick() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let mut wheel = Wheel::new(begun);
        wheel.take_due(at(1_000_000), &mut Vec::new());
        wheel.insert(wheel.tick_of(at(17_000)), 6);
        assert_eq!(due(&mut wheel, at(1_000_008)), [6]);
    }
}
