//! Lanes: short reads do not wait for long ones, or for those of an owner who reads a lot.
//!
//! A read begins in the first lane. If it takes longer than that lane's limit, it is interrupted and starts
//! over in the next lane, where it waits for its owner's turn. In the last lane more reads are under way than
//! run at a time, and they take turns, so that nobody waits until others have ended. After it a read is rejected. Every
//! attempt is a read of its own with one snapshot, so its result is exact. An owner whose reads have taken
//! a lot of time recently begins in a later lane.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_event::OwnerId;
use tokio::time::Instant;

use super::StoreError;
use crate::turns::{Bounds, NoTurn, Turn, Turns};

/// An owner whose debt is beyond these begins in the second and in the third lane.
const DEBTS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// A debt grows by the time that reads take, and falls by 1 second in this many.
const PAYING: u32 = 10;

/// The highest debt of an owner.
const MAX_DEBT: Duration = Duration::from_secs(3);

/// With fewer debtors than this, paid debts are not removed.
const SWEEP_DEBTORS: usize = 1_024;

/// The lanes of a set of connections.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) lanes: Vec<Lane>,
    debts: Debts,
}

/// One lane.
#[derive(Debug)]
pub(super) struct Lane {
    /// Its number, from 0.
    pub(super) number: usize,
    /// `None` is the store itself.
    pub(super) turns: Turns<Option<OwnerId>>,
    /// The most reads of one owner that wait here.
    waiting_each: usize,
    /// How long a read may take here.
    pub(super) limit: Duration,
    /// How many reads run at the same time.
    pub(super) running: usize,
    /// How many reads are under way.
    pub(super) under_way: usize,
}

impl Lane {
    /// Waits for the turn of a read of `owner`; `None` is the store itself.
    pub(super) async fn take_turn(
        &self,
        owner: Option<OwnerId>,
    ) -> Result<Turn<Option<OwnerId>>, StoreError> {
        let turn = self.turns.take(owner).await;
        turn.map_err(|rejected| match rejected {
            NoTurn::OwnersLineIsFull => StoreError::TooManyReads {
                limit: self.waiting_each,
            },
            NoTurn::AllLinesAreFull => StoreError::Overloaded,
            NoTurn::Closed => StoreError::Closed,
        })
    }
}

/// How many reads a set of connections serves at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Widths {
    /// The number in each lane. A lane with 0 is left out.
    pub(super) lanes: [u32; 3],
    /// How many reads share the place of one in the last lane.
    pub(super) sharing: u32,
    /// The most reads of one owner that wait in one lane.
    pub(super) waiting_each: usize,
    /// The most reads that wait in one lane.
    pub(super) waiting: usize,
}

impl Widths {
    /// The connections for all lanes.
    pub(super) fn connections(&self) -> u32 {
        (0..self.lanes.len()).map(|lane| self.under_way(lane)).sum()
    }

    /// The reads that are under way in a lane.
    fn under_way(&self, lane: usize) -> u32 {
        let is_last = lane + 1 == self.lanes.len();
        self.lanes[lane] * if is_last { self.sharing } else { 1 }
    }
}

impl Lanes {
    /// Lanes in which a read may take as long as these limits.
    pub(super) fn new(widths: Widths, limits: [Duration; 3]) -> Self {
        let lane = |(number, (width, limit)): (usize, (u32, Duration))| {
            let under_way = widths.under_way(number) as usize;
            let bounds = Bounds {
                running: under_way,
                // After the first lane, an owner's reads run one after the other.
                running_each: if number == 0 {
                    (under_way / 2).max(1)
                } else {
                    1
                },
                waiting_each: widths.waiting_each,
                waiting: widths.waiting,
            };
            Lane {
                number,
                turns: Turns::new(bounds),
                waiting_each: widths.waiting_each,
                limit,
                running: width as usize,
                under_way,
            }
        };
        let lanes = widths.lanes.into_iter().zip(limits).enumerate();
        Self {
            lanes: lanes
                .filter(|(_, (width, _))| *width > 0)
                .map(lane)
                .collect(),
            debts: Debts::default(),
        }
    }

    /// The lanes in which a read of `owner` is tried, one after the other.
    pub(super) fn of(&self, owner: OwnerId) -> &[Lane] {
        let first = self.debts.lane_of(owner).min(self.lanes.len() - 1);
        &self.lanes[first..]
    }

    /// The lane of the store's own reads.
    pub(super) fn first(&self) -> &Lane {
        &self.lanes[0]
    }

    /// Adds the time of a read to the debt of `owner`.
    pub(super) fn charge(&self, owner: OwnerId, time: Duration) {
        self.debts.add(owner, time);
    }

    /// Rejects new reads, and waits for running reads.
    pub(super) async fn close(&self) {
        for lane in &self.lanes {
            lane.turns.reject();
        }
        for lane in &self.lanes {
            lane.turns.close().await;
        }
    }
}

/// The debts of owners: the time that their reads took recently.
#[derive(Debug, Default)]
struct Debts(Mutex<Debtors>);

#[derive(Debug, Default)]
struct Debtors {
    owners: HashMap<OwnerId, Debt>,
    /// With this many debtors, paid debts are removed.
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    time: Duration,
    since: Instant,
}

impl Debt {
    fn left(self, now: Instant) -> Duration {
        let paid = now.duration_since(self.since) / PAYING;
        self.time.saturating_sub(paid)
    }
}

impl Debts {
    fn add(&self, owner: OwnerId, time: Duration) {
        let now = Instant::now();
        let mut debtors = self.lock();
        let debt = debtors.owners.entry(owner).or_insert(Debt {
            time: Duration::ZERO,
            since: now,
        });
        *debt = Debt {
            time: (debt.left(now) + time).min(MAX_DEBT),
            since: now,
        };
        if debtors.owners.len() >= debtors.sweep_at.max(SWEEP_DEBTORS) {
            debtors.owners.retain(|_, debt| !debt.left(now).is_zero());
            debtors.sweep_at = debtors.owners.len() * 2;
        }
    }

    fn lane_of(&self, owner: OwnerId) -> usize {
        let left = match self.lock().owners.get(&owner) {
            Some(debt) => debt.left(Instant::now()),
            None => return 0,
        };
        DEBTS.iter().filter(|most| left > **most).count()
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Debtors> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_owner_who_reads_a_lot_begins_in_a_later_lane_for_a_while() {
        let debts = Debts::default();
        let (greedy, other) = (OwnerId::mint(), OwnerId::mint());
        debts.add(other, Duration::from_millis(1));
        for lane in [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2] {
            assert_eq!(debts.lane_of(greedy), lane);
            debts.add(greedy, Duration::from_millis(100) + Duration::from_nanos(1));
        }
        assert_eq!(debts.lane_of(other), 0);
        debts.add(greedy, Duration::from_secs(3_600));
        tokio::time::advance((MAX_DEBT - DEBTS[1]) * PAYING).await;
        assert_eq!(debts.lane_of(greedy), 1);
        tokio::time::advance(DEBTS[1] * PAYING).await;
        assert_eq!(debts.lane_of(greedy), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn paid_debts_are_removed() {
        let debts = Debts::default();
        for _ in 0..10 {
            for _ in 0..SWEEP_DEBTORS {
                debts.add(OwnerId::mint(), Duration::from_millis(1));
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let debtors = debts.lock().owners.len();
        assert!(debtors <= 2 * SWEEP_DEBTORS, "{debtors} are remembered");
    }
}
