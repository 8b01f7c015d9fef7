//! Which events have arrived at all subscribers.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use tokio::sync::Semaphore;

use crate::waiting::soon;

pub(super) const SUBSCRIBERS: usize = 1000;

/// Which events have arrived where.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// How many subscribers have received each event.
    events: Mutex<Vec<usize>>,
    /// Permits for events in flight.
    room: Semaphore,
}

impl Arrivals {
    pub(super) fn new(events: usize, outstanding: usize) -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::new(vec![0; events]),
            room: Semaphore::new(outstanding),
        })
    }

    /// Records that a subscriber has received more events.
    pub(super) fn count(&self, range: std::ops::Range<usize>) -> anyhow::Result<()> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let got = events
            .get_mut(range)
            .context("received more frames than events were published")?;
        for subscribers in got {
            *subscribers += 1;
            if *subscribers == SUBSCRIBERS {
                self.room.add_permits(1);
            }
        }
        Ok(())
    }

    /// Waits until another event can be sent.
    pub(super) async fn take_room(&self) -> anyhow::Result<()> {
        soon("all to have an event", self.room.acquire())
            .await?
            .context("the subscribers have ended")?
            .forget();
        Ok(())
    }

    /// Waits until all events have arrived.
    pub(super) async fn all(&self, outstanding: usize) -> anyhow::Result<()> {
        for _ in 0..outstanding {
            self.take_room().await?;
        }
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let complete = events.iter().all(|got| *got == SUBSCRIBERS);
        ensure!(complete, "some subscribers did not receive every event");
        Ok(())
    }
}
