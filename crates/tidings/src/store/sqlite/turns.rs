//! How many reads of one owner run at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_event::OwnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Gives every owner so many turns.
#[derive(Debug)]
pub(super) struct Turns {
    each: usize,
    owners: Owners,
}

/// Only owners who read or wait to.
type Owners = Arc<Mutex<HashMap<OwnerId, Reads>>>;

/// The reads of one owner.
#[derive(Debug)]
struct Reads {
    turns: Arc<Semaphore>,
    /// Those that run and those that wait; never 0.
    number: usize,
}

/// One read that may run, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    // Dropped in this order: the turn is given back while its owner is still known.
    _turn: OwnedSemaphorePermit,
    _read: Read,
}

/// One read, counted among those of its owner.
#[derive(Debug)]
struct Read {
    owner: OwnerId,
    owners: Owners,
}

impl Turns {
    pub(super) fn new(each: usize) -> Self {
        Self {
            each,
            owners: Owners::default(),
        }
    }

    /// Waits until fewer than so many reads of `owner` run.
    pub(super) async fn take(&self, owner: OwnerId) -> Turn {
        let (read, turns) = self.enter(owner);
        let turn = turns.acquire_owned().await;
        Turn {
            _turn: turn.expect("turns are never closed"),
            _read: read,
        }
    }

    fn enter(&self, owner: OwnerId) -> (Read, Arc<Semaphore>) {
        let mut owners = lock(&self.owners);
        let reads = owners.entry(owner).or_insert_with(|| Reads {
            turns: Arc::new(Semaphore::new(self.each)),
            number: 0,
        });
        reads.number += 1;
        let turns = Arc::clone(&reads.turns);
        drop(owners);
        let read = Read {
            owner,
            owners: Arc::clone(&self.owners),
        };
        (read, turns)
    }

    /// How many owners are remembered.
    #[cfg(test)]
    pub(super) fn owners(&self) -> usize {
        lock(&self.owners).len()
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        let mut owners = lock(&self.owners);
        match owners.get_mut(&self.owner) {
            Some(reads) if reads.number > 1 => reads.number -= 1,
            _ => {
                owners.remove(&self.owner);
            }
        }
    }
}

/// Nothing panics while it is held.
fn lock(owners: &Owners) -> MutexGuard<'_, HashMap<OwnerId, Reads>> {
    owners.lock().unwrap_or_else(PoisonError::into_inner)
}
