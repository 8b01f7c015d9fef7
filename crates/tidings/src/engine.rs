//! The engine: the only place that knows both the store and the hub.

use std::sync::Arc;

use bytes::Bytes;
use tidings_event::{
    CursorTag, Draft, Event, EventFilter, EventId, EventPage, Limits, OwnerId, PageRequest, Paging,
    Rev, SeverityCount, Start, Status, SystemId, Violations,
};

use crate::committer::Committer;
use crate::config::Config;
use crate::error::{OpenError, PublishError};
use crate::hub::Hub;
use crate::store::sqlite::{OpenStoreError, SqliteStore};
use crate::store::{Identity, ListPage, Store, StoreError, Submission};
use crate::subscription::{Subscription, cursor_at};

/// A handle on the engine; clones share it.
///
/// When the last one is dropped, what was accepted is still committed, in the background;
/// [`Tidings::close`] waits for it.
#[derive(Clone, Debug)]
pub struct Tidings {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    identity: Identity,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    committer: Committer,
}

/// What publish returns: the stored event and its place.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The event as it is stored. A repeat gets the event that was stored first, as it is now.
    pub event: Event,
    /// Its JSON.
    pub json: Bytes,
    /// Its position in its owner's feed.
    pub rev: Rev,
    /// Whether it had been there before, so that nothing was stored now.
    pub repeated: bool,
}

impl Tidings {
    /// Opens the store, bringing its schema up to date, and starts the engine on the current Tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// When the data directory cannot be used, or another process uses it.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let Config { data_dir, limits } = config;
        let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&data_dir)).await;
        let store = match opened {
            Ok(Ok(store)) => store,
            Ok(Err(OpenStoreError::Directory(error))) => return Err(error.into()),
            Ok(Err(OpenStoreError::Database(fault))) => return Err(OpenError::Store(fault.into())),
            Err(panic) => return Err(OpenError::Store(panic.into())),
        };
        Ok(Self::start(Arc::new(store), limits))
    }

    fn start(store: Arc<dyn Store>, limits: Limits) -> Self {
        let hub = Arc::new(Hub::default());
        let shared = Shared {
            limits,
            identity: store.identity(),
            committer: Committer::start(Arc::clone(&store), Arc::clone(&hub)),
            store,
            hub,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Stores an event and shows it to those who follow its owner. When this returns `Ok`, the
    /// event is on disk.
    ///
    /// Publishing an event again is a no-op with the first receipt. A caller that drops the future
    /// cannot know whether the event was stored; publishing it again settles that.
    ///
    /// # Errors
    ///
    /// When nothing was stored; [`PublishError`] says why.
    pub async fn publish(&self, event: Event) -> Result<Receipt, PublishError> {
        let draft = Draft::from_event(event, &self.shared.limits).map_err(PublishError::Invalid)?;
        let receipts = self.publish_drafts(vec![draft]).await?;
        Ok(receipts
            .into_iter()
            .next()
            .expect("a request of one event has one receipt"))
    }

    /// As [`Self::publish`], for several events of any owners: all are stored, or none. Those of
    /// the same owner keep their order. An empty batch does nothing.
    ///
    /// # Errors
    ///
    /// When nothing was stored; the faults of all events are named at once.
    pub async fn publish_batch(&self, events: Vec<Event>) -> Result<Vec<Receipt>, PublishError> {
        let mut violations = Violations::default();
        let mut drafts = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            match Draft::from_event(event, &self.shared.limits) {
                Ok(draft) => drafts.push(draft),
                Err(of_one) => violations.extend_from_batch(index, of_one),
            }
        }
        violations.into_result().map_err(PublishError::Invalid)?;
        self.publish_drafts(drafts).await
    }

    /// As [`Self::publish_batch`], for events that already keep the rules.
    ///
    /// # Errors
    ///
    /// When nothing was stored; [`PublishError`] says why.
    pub async fn publish_drafts(&self, drafts: Vec<Draft>) -> Result<Vec<Receipt>, PublishError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let submissions = self.submissions(drafts)?;
        self.shared.committer.publish(submissions).await
    }

    /// Settles owner and system, and encodes each event once, for the store, the answer and all
    /// subscribers.
    fn submissions(&self, drafts: Vec<Draft>) -> Result<Vec<Submission>, PublishError> {
        let limits = &self.shared.limits;
        let events = drafts.len();
        if events > limits.batch_events {
            let limit = limits.batch_events;
            return Err(PublishError::TooManyEvents { events, limit });
        }
        let mut submissions = Vec::with_capacity(events);
        let mut batch_bytes = 0;
        for (index, draft) in drafts.into_iter().enumerate() {
            let (event, digest) = draft.resolve(self.shared.identity.system);
            let json = serde_json::to_vec(&event).expect("an event has only text keys");
            let bytes = json.len();
            if bytes > limits.event_bytes {
                let limit = limits.event_bytes;
                return Err(PublishError::TooLarge {
                    index,
                    bytes,
                    limit,
                });
            }
            batch_bytes += bytes;
            submissions.push(Submission {
                event,
                digest,
                json: json.into(),
            });
        }
        if events > 1 && batch_bytes > limits.batch_bytes {
            return Err(PublishError::BatchTooLarge {
                bytes: batch_bytes,
                limit: limits.batch_bytes,
            });
        }
        Ok(submissions)
    }

    /// Follows what `owner` sees, the owner's own feed and the system's. What is published after
    /// this has returned is not missed, whenever the subscription is first read.
    ///
    /// A start that cannot be used is no error: the subscription begins with a reset.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn subscribe(
        &self,
        owner: OwnerId,
        start: Start,
    ) -> Result<Subscription, StoreError> {
        let shared = &self.shared;
        let store = Arc::clone(&shared.store);
        Subscription::open(store, &shared.hub, shared.identity, owner, start).await
    }

    /// A page of what `owner` sees, the newest first, with exact counts and the cursor from which a
    /// subscription misses nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<EventPage, StoreError> {
        let size = page.size.clamp(1, PageRequest::MAX_SIZE);
        let page = PageRequest { size, ..page };
        let counted = filter.status.unwrap_or(Status::Unread);
        let listed = self.shared.store.list(owner, filter, page).await?;
        let ListPage {
            events,
            next,
            total,
            snapshot,
        } = listed;
        let tag = CursorTag::derive(self.shared.identity.epoch, owner);
        let count_by_severity_level = snapshot
            .summary
            .of(counted)
            .iter()
            .map(|(severity, count)| SeverityCount {
                severity: *severity,
                count: *count,
            })
            .collect();
        Ok(EventPage {
            events,
            page: match page.paging {
                Paging::Number(number) => number,
                Paging::After(_) => 0,
            },
            page_size: size,
            count_by_severity_level,
            total_count: total,
            read_count: snapshot.summary.total(Status::Read),
            next,
            cursor: cursor_at(&snapshot, tag),
        })
    }

    /// One event that `owner` sees: `None` for an unknown one and for another user's alike.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn get(&self, owner: OwnerId, id: EventId) -> Result<Option<Event>, StoreError> {
        self.shared.store.event(owner, id).await
    }

    /// The installation, which owns the events that every user sees.
    pub fn system_id(&self) -> SystemId {
        self.shared.identity.system
    }

    /// The sizes an event and a batch must keep to.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Whether the store answers and takes events.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.shared.store.check().await
    }

    /// Refuses new requests, commits and answers those that were accepted, lets the subscriptions
    /// deliver them and end, and unlocks the data directory. Clones of the handle are closed too.
    pub async fn close(&self) {
        self.shared.committer.close().await;
        self.shared.hub.close();
        self.shared.store.close().await;
    }
}
