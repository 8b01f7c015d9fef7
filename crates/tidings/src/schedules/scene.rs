//! The parts of every scene: an engine, publishers and subscribers.

use std::sync::Arc;

use shuttle::rand::Rng as _;
use tidings_event::{
    Change, Event, EventId, EventRef, OwnerId, Rev, Severity, Start, Status, Timestamp,
};
use uuid::Uuid;

use super::store::MemoryStore;
use crate::activity::Activity;
use crate::bus::Outbox;
use crate::committer::{Asker, Committer, Parts};
use crate::error::{ChangeError, PublishError};
use crate::follower::{self, FollowerContext};
use crate::frame::StreamFrame;
use crate::hub::{Holes, Hub};
use crate::metrics::Metrics;
use crate::store::{ChangeStep, Publication, Store as _, Submission};
use crate::subscription::Subscription;
use crate::vitals::Vitals;

/// The parts of an engine around a store in memory.
pub(super) struct Scene {
    pub(super) store: Arc<MemoryStore>,
    pub(super) hub: Arc<Hub>,
    pub(super) committer: Committer,
    pub(super) activity: Arc<Activity>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) metrics: Arc<Metrics>,
    window_bytes: usize,
}

/// The capacity of a window: nothing, about one event, or everything.
const WINDOW_BYTES: [usize; 3] = [0, 800, 1 << 20];

impl Scene {
    pub(super) fn open() -> Arc<Self> {
        Self::open_on(Arc::new(MemoryStore::new()), None)
    }

    /// The schedule chooses how much a window holds.
    pub(super) fn open_on(store: Arc<MemoryStore>, outbox: Option<Arc<Outbox>>) -> Arc<Self> {
        let window = shuttle::rand::thread_rng().gen_range(0..WINDOW_BYTES.len());
        let window_bytes = WINDOW_BYTES[window];
        let holes = match store.is_shared() {
            true => Holes::Refill,
            false => Holes::Skip,
        };
        let hub = Arc::new(Hub::new(window_bytes, holes));
        let metrics = Arc::new(Metrics::new());
        let (activity, vitals) = (Arc::<Activity>::default(), Arc::<Vitals>::default());
        let committer = Committer::start(&Parts {
            store: Arc::clone(&store) as _,
            hub: Arc::clone(&hub),
            metrics: Arc::clone(&metrics),
            activity: Arc::clone(&activity),
            vitals: Arc::clone(&vitals),
            outbox,
        });
        Arc::new(Self {
            store,
            hub,
            committer,
            activity,
            vitals,
            metrics,
            window_bytes,
        })
    }

    /// Whether a window holds all frames of a scene, so that a live subscriber need not read the store.
    pub(super) fn has_large_windows(&self) -> bool {
        Some(&self.window_bytes) == WINDOW_BYTES.last()
    }

    pub(super) fn system(&self) -> OwnerId {
        self.store.identity().system.into()
    }

    /// Publishes an event.
    pub(super) async fn publish(&self, owner: OwnerId) -> Result<(EventId, Rev), PublishError> {
        let publication = self.publication(owner);
        let mut receipts = self.committer.publish(publication, None).await?;
        let receipt = receipts.remove(0);
        Ok((receipt.id, receipt.rev.expect("an engine knows the rev")))
    }

    pub(super) fn publication(&self, owner: OwnerId) -> Publication {
        let event = Event::builder()
            .for_user(owner)
            .acted_upon(Uuid::from_u128(1))
            .with_category("scene")
            .with_action("play")
            .with_severity(Severity::Informational)
            .build()
            .expect("the event satisfies the rules");
        let (event, digests) = event.resolve(self.store.identity().system);
        let json = event.to_json().into();
        Publication {
            submissions: vec![Submission {
                event,
                metadata: None,
                digests,
                json,
                aged_from: None,
            }],
            quota: None,
        }
    }

    /// Changes system events for an owner.
    pub(super) async fn change(
        &self,
        owner: OwnerId,
        ids: &[EventId],
        change: Change,
    ) -> Result<(), ChangeError> {
        let step = ChangeStep {
            owner,
            targets: ids.iter().map(|id| EventRef::from(*id).into()).collect(),
            change,
            only: None,
            systems: None,
            at: Timestamp::UNIX_EPOCH,
        };
        self.committer.change(step, Asker::Owner(owner)).await?;
        Ok(())
    }

    pub(super) async fn mark(&self, owner: OwnerId, id: EventId) -> Result<(), ChangeError> {
        self.change(owner, &[id], Change::Status(Status::Read))
            .await
    }

    pub(super) async fn subscribe(self: &Arc<Self>, owner: OwnerId, start: Start) -> FrameChecker {
        let source = FollowerContext {
            store: Arc::clone(&self.store) as _,
            hub: Arc::clone(&self.hub),
            metrics: Arc::clone(&self.metrics),
            identity: self.store.identity(),
        };
        let follower = follower::Follower::open(Arc::new(source), owner, start).await;
        let subscription = Subscription::of(follower.expect("the store can be read"));
        FrameChecker {
            scene: Arc::clone(self),
            owner,
            position: None,
            lives: 0,
            subscription,
        }
    }
}

/// A reader that checks each frame.
pub(super) struct FrameChecker {
    scene: Arc<Scene>,
    owner: OwnerId,
    /// The revs of the last frame, own and system; `None` before the first frame.
    position: Option<Position>,
    /// How often it went live.
    lives: usize,
    subscription: Subscription,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) own: u64,
    pub(super) system: u64,
}

/// A frame about one event: its name, and where the reader is with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) name: Option<&'static str>,
    pub(super) at: Position,
}

impl FrameChecker {
    /// Follows until both feeds are where `end` says, and returns the frames about events.
    pub(super) async fn follow_to(&mut self, end: Position) -> Vec<Seen> {
        let mut seen = Vec::new();
        while self.position.is_none_or(|position| position != end) {
            let frames = self.subscription.next_frames().await;
            let frames = frames.expect("the store can be read");
            let frames = frames.expect("the hub is open");
            seen.extend(frames.iter().filter_map(|frame| self.check(frame)));
        }
        seen
    }

    /// Follows until the subscription ends.
    pub(super) async fn follow_to_end(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(frames) = self
            .subscription
            .next_frames()
            .await
            .expect("the store is open")
        {
            seen.extend(frames.iter().filter_map(|frame| self.check(frame)));
        }
        seen
    }

    pub(super) const fn lives(&self) -> usize {
        self.lives
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Checks that the frame is on disk, and that it is the next one. Each change of a scene that is followed
    /// has one event, so each frame advances one feed by one rev.
    fn check(&mut self, frame: &StreamFrame) -> Option<Seen> {
        let cursor = frame.cursor();
        let at = Position {
            own: cursor.own.get(),
            system: cursor.system.get(),
        };
        let store = &self.scene.store;
        assert!(
            at.own <= store.head(self.owner).get(),
            "{at:?} is delivered early"
        );
        let system_head = store.head(self.scene.system()).get();
        assert!(at.system <= system_head, "{at:?} is delivered early");

        let before = self.position.replace(at);
        let name = frame.name();
        assert_ne!(name, Some("reset"));
        if matches!(name, Some("ready" | "live")) {
            assert!(
                before.is_none_or(|before| before == at),
                "{before:?} to {at:?}"
            );
            self.lives += usize::from(name == Some("live"));
            return None;
        }
        let before = before.expect("a stream begins with `ready`");
        let steps = (at.own - before.own, at.system - before.system);
        assert!(matches!(steps, (1, 0) | (0, 1)), "{before:?} to {at:?}");
        Some(Seen { name, at })
    }
}
