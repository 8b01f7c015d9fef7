//! When the newest events of a feed go from its row to its lists.

use tidings_event::{OwnerId, SystemId};

/// The most bytes of a feed's newest events, whose types can be long. A row of more than a page would be
/// written in two places.
const MOST_BYTES: usize = 3_000;

/// When the newest events of a feed go from its row to its lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settling {
    /// The owner whose events all go to the lists at once. All users list them through their overlays,
    /// which the lists make cheap, and one feed has its lists in few pages.
    pub(crate) system: SystemId,
    /// The most events that stay in a feed's row.
    pub(crate) newest: usize,
}

impl Settling {
    /// Whether the newest events of a feed go to its lists.
    pub(super) fn is_due(&self, owner: OwnerId, key: i64, newest: usize, bytes: usize) -> bool {
        newest > 0
            && (owner == OwnerId::from(self.system)
                || newest >= self.limit_of(key)
                || bytes > MOST_BYTES)
    }

    /// The number of newest events that is one too many, from half of [`Self::newest`] to all of it. It
    /// differs by feed, or feeds that fill at the same rate would settle in the same commit.
    fn limit_of(&self, key: i64) -> usize {
        let spread = self.newest / 2 + 1;
        // Knuth's multiplicative hash.
        let mixed = key.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let less = usize::try_from(mixed).unwrap_or(0) % spread;
        self.newest.saturating_sub(less).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_of_the_same_length_do_not_settle_together() {
        let system = SystemId::mint();
        let settling = Settling { system, newest: 64 };
        let owner = OwnerId::mint();
        let mut settled = [0; 65];
        for key in 1..=3_300 {
            let due = (0..=64).find(|n| settling.is_due(owner, key, *n, 0));
            settled[due.expect("each feed settles")] += 1;
        }
        assert_eq!(settled[..32], [0; 32]);
        for number in &settled[32..] {
            assert!((50..200).contains(number), "{settled:?}");
        }
    }

    #[test]
    fn the_system_and_long_rows_settle_at_once() {
        let system = SystemId::mint();
        let settling = Settling { system, newest: 64 };
        assert!(settling.is_due(system.into(), 1, 1, 0));
        assert!(!settling.is_due(system.into(), 1, 0, 0));
        assert!(settling.is_due(OwnerId::mint(), 1, 2, MOST_BYTES + 1));
        for newest in [0, 1] {
            let settling = Settling { system, newest };
            assert!(settling.is_due(OwnerId::mint(), 5, 1, 0));
        }
    }
}
