//! Replies that wait until the subscribers of this node have what other nodes committed before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tidings_event::OwnerId;
use tokio::sync::mpsc;

use super::request::{FanOutResult, PublishResult, Reply, StepResult, UpdateResult};
use crate::hub::{Hub, Late};
use crate::sync::{now, sleep_until, spawn};

/// How long a reply waits for a refill of its feed. After that the subscribers read the store themselves.
const LATE_LIMIT: Duration = Duration::from_secs(2);

/// The outcomes of requests, each with its reply.
#[derive(Debug, Default)]
pub(super) struct LateReplies {
    pub(super) published: Vec<(Reply<PublishResult>, PublishResult)>,
    pub(super) fanned_out: Vec<(Reply<FanOutResult>, FanOutResult)>,
    pub(super) updated: Vec<(Reply<UpdateResult>, UpdateResult)>,
    pub(super) changed: Vec<(Reply<StepResult>, StepResult)>,
}

impl LateReplies {
    fn send(self) {
        for (reply, outcome) in self.published {
            reply.send(outcome);
        }
        for (reply, outcome) in self.fanned_out {
            reply.send(outcome);
        }
        for (reply, outcome) in self.updated {
            reply.send(outcome);
        }
        for (reply, outcome) in self.changed {
            reply.send(outcome);
        }
    }
}

/// The tasks that send late replies, so that the next group need not wait for them. The replies hold their
/// room in the committer's queue, which bounds their number.
#[derive(Debug)]
pub(super) struct LateTasks {
    hub: Arc<Hub>,
    /// Each task has a clone.
    running: mpsc::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl LateTasks {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        let (running, ended) = mpsc::channel(1);
        Self {
            hub,
            running,
            ended,
        }
    }

    /// Sends the replies when the feeds have arrived.
    pub(super) fn send(&self, replies: LateReplies, late: HashMap<OwnerId, Vec<Late>>) {
        let (hub, running) = (Arc::clone(&self.hub), self.running.clone());
        spawn(async move {
            let owners: Vec<_> = late.keys().copied().collect();
            let arrivals = join_all(late.into_values().flatten().map(Late::arrives));
            tokio::select! {
                biased;
                _ = arrivals => {}
                () = sleep_until(now() + LATE_LIMIT) => {
                    for owner in owners {
                        hub.give_up(owner);
                    }
                }
            }
            replies.send();
            drop(running);
        });
    }

    /// Waits for all tasks.
    pub(super) async fn end(self) {
        let Self {
            running, mut ended, ..
        } = self;
        drop(running);
        // Nobody sends.
        let _ = ended.recv().await;
    }
}
