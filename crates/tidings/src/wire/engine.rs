//! The engine's methods for a server.

use bytes::Bytes;
use tidings_event::{
    Change, ChangeOutcome, Draft, EventFilter, EventId, EventRef, EventType, OwnerId, PageRequest,
    Receipt, Recipients, Retraction, Selection, SharedReceipt, SharedUpdateReceipt, Start,
    SystemId, Update,
};

use super::{
    EncodedPage, Follower, PageRest, Prepared, PreparedForMany, RevokedTokens, RunningChange,
};
use crate::engine::Tidings;
use crate::error::{ChangeError, PublishError, RetractError, UpdateError};
use crate::store::StoreError;

/// The methods of the engine for a server. It is a handle like [`Tidings`], from which it is made, and
/// shares the engine with it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use tidings::wire::Engine;
/// use tidings::{Config, Tidings};
///
/// let tidings = Tidings::open(Config::new(directory.path())).await?;
/// let engine = Engine::of(&tidings);
/// assert!(engine.revoked_tokens().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    tidings: Tidings,
}

impl Engine {
    /// The methods for a server, of the engine behind this handle.
    pub fn of(tidings: &Tidings) -> Self {
        Self {
            tidings: tidings.clone(),
        }
    }

    /// Sets the owner and the system of an event, and encodes the event once for the store, the response
    /// and all subscribers.
    pub fn prepare(&self, draft: Draft) -> Prepared {
        self.tidings.prepare(draft)
    }

    /// Same as [`Tidings::publish_batch`], for events from [`Self::prepare`].
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish(&self, events: Vec<Prepared>) -> Result<Vec<Receipt>, PublishError> {
        self.tidings.publish_prepared(events).await
    }

    /// Same as [`Self::publish`], for events that their owner publishes. The owner's quota applies; other
    /// publishers can store up to twice the quota.
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish_by_owner(
        &self,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        self.tidings.publish_prepared_by_owner(events).await
    }

    /// Same as [`Tidings::update`], for a publisher who can change only what `systems` have published; `None` if
    /// all.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`UpdateError`] gives the reason.
    pub async fn update(
        &self,
        update: Update,
        systems: Option<Vec<SystemId>>,
    ) -> Result<Receipt, UpdateError> {
        self.tidings.update_of(update, systems).await
    }

    /// Same as [`Tidings::retract`], for a publisher who can take back only what `systems` have published; `None` if
    /// all.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`RetractError`] gives the reason.
    pub async fn retract(
        &self,
        retraction: Retraction,
        systems: Option<Vec<SystemId>>,
    ) -> Result<ChangeOutcome, RetractError> {
        self.tidings.retract_of(retraction, systems).await
    }

    /// Encodes an event once for several owners.
    ///
    /// # Errors
    ///
    /// The event cannot be published to these owners; [`PublishError`] gives the reason.
    pub fn prepare_for(
        &self,
        draft: Draft,
        recipients: &Recipients,
    ) -> Result<PreparedForMany, PublishError> {
        self.tidings.prepare_for(draft, recipients)
    }

    /// Same as [`Tidings::publish_to_many`], for an event from [`Self::prepare_for`].
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish_to_many(
        &self,
        event: PreparedForMany,
    ) -> Result<SharedReceipt, PublishError> {
        self.tidings.publish_prepared_to_many(event).await
    }

    /// Same as [`Tidings::update_for_all`], for a publisher who can change only what `systems` have published; `None`
    /// if all.
    ///
    /// # Errors
    ///
    /// At least one owner has not got the update; [`UpdateError`] gives the reason.
    pub async fn update_for_all(
        &self,
        update: Update,
        systems: Option<Vec<SystemId>>,
    ) -> Result<SharedUpdateReceipt, UpdateError> {
        self.tidings.update_audience(update, systems).await
    }

    /// Same as [`Tidings::retract_from_all`], for a publisher who can take back only what `systems` have published;
    /// `None` if all.
    ///
    /// # Errors
    ///
    /// At least one owner still has the event; [`RetractError`] gives the reason.
    pub async fn retract_from_all(
        &self,
        id: EventId,
        systems: Option<Vec<SystemId>>,
    ) -> Result<ChangeOutcome, RetractError> {
        self.tidings.retract_from_audience(id, systems).await
    }

    /// Same as [`Tidings::subscribe`], without a task that waits: for a server of many streams.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn follow(&self, owner: OwnerId, start: Start) -> Result<Follower, StoreError> {
        self.tidings.follow(owner, start).await
    }

    /// Counts frames that a server has sent for its [`Follower`]s, and the bytes of their JSON.
    pub fn count_delivered(&self, frames: u64, bytes: u64) {
        self.tidings.count_delivered(frames, bytes);
    }

    /// The approximate maximum of bytes that one read of a page returns: [`Config::page_bytes`](crate::Config::page_bytes).
    pub fn page_bytes(&self) -> usize {
        self.tidings.shared.page_bytes
    }

    /// Same as [`Tidings::list`], with the events as JSON. Reads at most about [`Self::page_bytes`] at once.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<EncodedPage, StoreError> {
        self.tidings.list_encoded(owner, filter, page).await
    }

    /// Reads about `bytes` of a page's remaining events, but at least one event. Returns them in pieces as in
    /// [`EncodedPage::events`], with the events that still remain.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn list_rest(
        &self,
        rest: PageRest,
        bytes: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<PageRest>), StoreError> {
        self.tidings.list_rest(rest, bytes).await
    }

    /// Same as [`Tidings::get`], with the event as JSON.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn get(
        &self,
        owner: OwnerId,
        event: impl Into<EventRef>,
    ) -> Result<Option<Bytes>, StoreError> {
        self.tidings.get_encoded(owner, event).await
    }

    /// The pairs of category and action of the events that `owner` sees, sorted. Returns the first
    /// [`EventType::MAX`] pairs.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        self.tidings.shared.activity.note(owner);
        self.tidings.shared.store.type_pairs(owner).await
    }

    /// Waits for the owner's turn and starts a bulk change that can be stopped: [`Tidings::change`] in two
    /// steps.
    ///
    /// At most 1 bulk change per owner and 16 in total run at a time; 8 per owner and 256 in total can
    /// wait. Dropping the future before it completes changes nothing and frees its place.
    ///
    /// # Errors
    ///
    /// Nothing was changed: the selection is invalid, or too many changes are waiting.
    pub async fn begin_change(
        &self,
        owner: OwnerId,
        selection: Selection,
        change: Change,
    ) -> Result<RunningChange, ChangeError> {
        self.tidings.begin_change(owner, selection, change).await
    }

    /// The revoked tokens of all nodes; `None` if the store is not shared.
    pub fn revoked_tokens(&self) -> Option<RevokedTokens> {
        RevokedTokens::of(&self.tidings.shared.store)
    }
}
