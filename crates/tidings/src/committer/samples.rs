//! Sample requests for tests.

use std::sync::Arc;

use tidings_event::{Change, EventId, EventRef, OwnerId, Timestamp};
use tokio::sync::{Semaphore, oneshot};

use super::request::{Asker, ChangeRequest, PublishRequest, Reply, Request};
use crate::store::{ChangeStep, Publication};

/// A reply without a waiting caller.
fn reply<T>() -> Reply<T> {
    let room = Arc::new(Semaphore::new(1)).try_acquire_many_owned(1);
    Reply {
        caller: oneshot::channel().0,
        _room: room.expect("the semaphore has a permit"),
    }
}

/// A publish request of a backend.
pub(super) fn publish() -> Request {
    publish_by(None, 100)
}

/// A publish request of `bytes`.
pub(super) fn publish_by(by_owner: Option<OwnerId>, bytes: usize) -> Request {
    Request::Publish(PublishRequest {
        publication: Publication {
            submissions: Vec::new(),
            quota: None,
        },
        by_owner,
        bytes,
        reply: reply(),
    })
}

/// A deletion of `events` events.
pub(super) fn change_by(asker: Asker, events: usize) -> Request {
    Request::Change(ChangeRequest {
        step: ChangeStep {
            owner: OwnerId::mint(),
            targets: std::iter::repeat_with(|| EventRef::from(EventId::mint()).into())
                .take(events)
                .collect(),
            change: Change::Delete,
            only: None,
            systems: None,
            at: Timestamp::UNIX_EPOCH,
        },
        asker,
        reply: reply(),
    })
}

/// A deletion of `events` events by a new owner.
pub(super) fn change(events: usize) -> Request {
    change_by(Asker::Owner(OwnerId::mint()), events)
}
