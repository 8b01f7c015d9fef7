//! Compares the live feeds with the store, so that no change of another node stays unseen, whatever the bus
//! loses.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tidings_event::OwnerId;

use crate::hub::{Finder, Hub};
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use crate::sync::{Notify, now, sleep_until};

/// The most feeds that are compared by one read.
const BATCH: usize = 1_000;

/// The shortest time between two comparisons of all feeds at once, and the pause after a failed one.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Compares heads at intervals, and at once when asked to.
#[derive(Debug)]
pub(crate) struct Heads {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    interval: Duration,
    wanted: Notify,
}

/// The end of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    ByTime,
    ByNeed,
}

impl Heads {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        interval: Duration,
    ) -> Self {
        Self {
            store,
            hub,
            metrics,
            interval,
            wanted: Notify::new(),
        }
    }

    /// Asks for a comparison of all feeds, because hints may be lost.
    pub(crate) fn compare_soon(&self) {
        self.wanted.notify_one();
    }

    /// Compares until it is dropped.
    pub(crate) async fn run(self: Arc<Self>) -> Infallible {
        let mut woken = Woken::ByTime;
        let mut is_failing = false;
        let mut rested = now();
        loop {
            let compared = match woken {
                Woken::ByTime => self.compare_in_turn().await,
                Woken::ByNeed => {
                    sleep_until(rested).await;
                    let compared = self.compare_all().await;
                    rested = now() + MIN_PAUSE;
                    compared.map(|()| Woken::ByTime)
                }
            };
            match compared {
                Ok(next) => {
                    if std::mem::take(&mut is_failing) {
                        tracing::info!("the heads of the live feeds can be compared again");
                    }
                    woken = next;
                }
                Err(StoreError::Closed) => std::future::pending().await,
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "the heads of the live feeds could not be compared");
                    }
                    // All at once when the store is back.
                    rested = now() + MIN_PAUSE;
                    woken = Woken::ByNeed;
                }
            }
        }
    }

    /// Compares batch by batch, evenly over the interval. Ends early if a comparison is needed at once.
    ///
    /// A feed that goes live meanwhile is compared when its turn comes, so every feed is compared within the
    /// interval.
    async fn compare_in_turn(&self) -> Result<Woken, StoreError> {
        let turns = self.hub.owners().len().div_ceil(BATCH).max(1);
        // So that the nodes do not ask together.
        let interval = self.interval.mul_f64(0.6 + 0.4 * fastrand::f64());
        let pause = interval / u32::try_from(turns).unwrap_or(u32::MAX);
        let mut compared = None;
        for turn in 1..=turns {
            if self.pause(pause).await == Woken::ByNeed {
                return Ok(Woken::ByNeed);
            }
            let mut owners = self.hub.owners();
            owners.retain(|owner| compared.is_none_or(|last| *owner > last));
            owners.sort_unstable();
            if turn < turns {
                owners.truncate(BATCH);
            }
            for batch in owners.chunks(BATCH) {
                self.compare(batch).await?;
            }
            compared = owners.last().copied().or(compared);
        }
        Ok(Woken::ByTime)
    }

    async fn pause(&self, pause: Duration) -> Woken {
        tokio::select! {
            biased;
            () = self.wanted.notified() => Woken::ByNeed,
            () = sleep_until(now() + pause) => Woken::ByTime,
        }
    }

    /// Compares all live feeds.
    pub(crate) async fn compare_all(&self) -> Result<(), StoreError> {
        for batch in self.hub.owners().chunks(BATCH) {
            self.compare(batch).await?;
        }
        Ok(())
    }

    async fn compare(&self, owners: &[OwnerId]) -> Result<(), StoreError> {
        let heads = self.store.heads(owners).await?;
        self.metrics.heads_compared.inc_by(owners.len() as u64);
        for (owner, head) in heads {
            self.hub.hear_of(owner, head, Finder::Heads);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use tempfile::TempDir;

    use super::*;
    use crate::hub::Holes;
    use crate::store::sqlite::SqliteStore;
    use crate::store::watched::WatchedStore;

    #[tokio::test]
    async fn compares_a_thousand_feeds_in_one_read() {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let store = Arc::new(WatchedStore::shared(store));
        let hub = Arc::new(Hub::new(1024, Holes::Refill));
        let owners = std::iter::repeat_with(OwnerId::mint).take(10 * BATCH);
        let seats: Vec<_> = owners.map(|owner| hub.join(owner, owner)).collect();
        let heads = Heads::new(
            Arc::clone(&store) as _,
            hub,
            Arc::new(Metrics::new()),
            Duration::MAX,
        );
        heads.compare_all().await.unwrap();
        assert_eq!(store.comparisons.load(Ordering::Relaxed), 10);
        assert_eq!(heads.metrics.heads_compared.get(), seats.len() as u64);
        // Those that nobody follows any more are left out.
        drop(seats);
        heads.compare_all().await.unwrap();
        assert_eq!(store.comparisons.load(Ordering::Relaxed), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_feed_that_goes_live_is_compared_within_the_interval() {
        let directory = TempDir::new().unwrap();
        let store = Arc::new(WatchedStore::shared(
            SqliteStore::open(directory.path()).unwrap(),
        ));
        let hub = Arc::new(Hub::new(1024, Holes::Refill));
        let interval = Duration::from_secs(5);
        let metrics = Arc::new(Metrics::new());
        let heads = Heads::new(
            Arc::clone(&store) as _,
            Arc::clone(&hub),
            Arc::clone(&metrics),
            interval,
        );
        // More than one batch, with the last feeds of all in the middle of a round.
        let owners = std::iter::repeat_with(OwnerId::mint).take(BATCH + 1);
        let mut seats: Vec<_> = owners.map(|owner| hub.join(owner, owner)).collect();
        let round = heads.compare_in_turn();
        let late = async {
            tokio::time::sleep(interval / 5).await;
            for _ in 0..10 {
                let owner = OwnerId::mint();
                seats.push(hub.join(owner, owner));
            }
        };
        let begun = now();
        let (compared, ()) = tokio::join!(round, late);
        compared.unwrap();
        assert!(now() <= begun + interval);
        // Minted ids rise, so the later feeds come last.
        assert_eq!(metrics.heads_compared.get(), seats.len() as u64);
    }
}
