//! The reads of the store that a follower asks for.

use std::fmt;
use std::sync::Arc;

use tidings_event::OwnerId;

use crate::store::{ReplayPage, RevRange, Side, Snapshot, Store, StoreError};

/// A read of the store for one [`Follower`](crate::wire::Follower).
#[derive(Debug)]
pub struct StoreRead {
    pub(super) store: Arc<dyn Store>,
    pub(super) owner: OwnerId,
    pub(super) wanted: ReadKind,
}

/// The result of a [`StoreRead`].
pub struct ReadDone {
    pub(super) wanted: ReadKind,
    pub(super) read: Result<ReadResult, StoreError>,
}

/// The kind of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadKind {
    /// A piece of this feed.
    Page(Side, RevRange),
    /// A snapshot, to catch up with it.
    CatchUp,
    /// A snapshot, to start again from there.
    Reset,
}

pub(super) enum ReadResult {
    Page(ReplayPage),
    Snapshot(Box<Snapshot>),
}

impl fmt::Debug for ReadDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDone")
            .field("wanted", &self.wanted)
            .field("error", &self.read.as_ref().err())
            .finish_non_exhaustive()
    }
}

impl StoreRead {
    /// Reads the store. Dropping the future loses nothing if [`Follower::forget_read`](crate::wire::Follower::forget_read) is called.
    pub fn run(self) -> impl Future<Output = ReadDone> + Send + 'static + use<> {
        let Self {
            store,
            owner,
            wanted,
        } = self;
        async move {
            let read = match wanted {
                ReadKind::Page(side, range) => {
                    store.replay(owner, side, range).await.map(ReadResult::Page)
                }
                ReadKind::CatchUp | ReadKind::Reset => {
                    let snapshot = store.snapshot(owner).await;
                    snapshot.map(|snapshot| ReadResult::Snapshot(Box::new(snapshot)))
                }
            };
            ReadDone { wanted, read }
        }
    }
}
