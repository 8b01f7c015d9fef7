//! A store in memory for the scenes: logs of revs, and a writer whose commits take time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::wire::Epoch;
use tidings_event::{
    Change, CountDelta, EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest,
    PageToken, Rev, Severity, Status, Summary, SystemId, Timestamp,
};
use tokio::sync::oneshot;

use crate::ended_overlay::EndedOverlay;
use crate::retention::Retention;
use crate::store::{
    ChangeStep, Committed, DueEvents, EncodedEvents, ExpiredPage, FeedBounds, FeedPosition, Group,
    ListPage, MatchPage, Matching, NextGroup, Pressure, Progress, PublishOutcome, Refill,
    RefillItem, ReplayItem, ReplayPage, RevRange, RevokedPage, RevokedToken, Side, Snapshot,
    StepOutcome, Store, StoreError, StoreIdentity, Stored, Submission, Target, Unread,
};
use crate::sync::Mutex;

/// The entries of one piece of a replay, so that a replay has several.
const PAGE_ENTRIES: usize = 2;

#[derive(Debug)]
pub(super) struct MemoryStore {
    identity: StoreIdentity,
    /// Whether several nodes write to it.
    is_shared: bool,
    content: Arc<Mutex<StoreContent>>,
}

#[derive(Debug, Default)]
struct StoreContent {
    /// The changes of each feed. The first one has rev 1.
    feeds: BTreeMap<OwnerId, Vec<Entry>>,
    created: HashMap<EventId, Rev>,
    /// The outcomes of all steps by the owner and the first rev.
    steps: HashMap<(OwnerId, Rev), StepOutcome>,
    /// The latest change of a system event by a user.
    overlays: HashMap<EventId, EndedOverlay>,
    /// The number of commits until the writer ends; never if `None`.
    commits_left: Option<usize>,
}

#[derive(Clone, Debug)]
enum Entry {
    Created(Bytes),
    Status(EventId, Status),
    Deleted(EventId),
}

impl MemoryStore {
    pub(super) fn new() -> Self {
        Self {
            identity: StoreIdentity {
                system: SystemId::mint(),
                epoch: Epoch::mint(),
            },
            is_shared: false,
            content: Arc::default(),
        }
    }

    /// A store for several nodes.
    pub(super) fn shared() -> Self {
        Self {
            is_shared: true,
            ..Self::new()
        }
    }

    /// Lets the writer end after some commits.
    pub(super) fn end_after(&self, commits: usize) {
        self.read(|content| content.commits_left = Some(commits));
    }

    /// The newest rev that is on disk.
    pub(super) fn head(&self, owner: OwnerId) -> Rev {
        self.read(|content| content.head(owner))
    }

    fn read<T>(&self, read: impl FnOnce(&mut StoreContent) -> T) -> T {
        read(&mut self.content.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl StoreContent {
    fn head(&self, owner: OwnerId) -> Rev {
        let entries = self.feeds.get(&owner).map_or(0, Vec::len);
        Rev::new(entries as u64)
    }

    fn log(&mut self, owner: OwnerId, entry: Entry) -> Rev {
        let log = self.feeds.entry(owner).or_default();
        log.push(entry);
        Rev::new(log.len() as u64)
    }

    fn store(&mut self, submission: &Submission) -> Stored {
        let event = &submission.event;
        let owner = event.owner.expect("a submission has an owner");
        let rev = self.log(owner, Entry::Created(submission.json.clone()));
        self.created.insert(event.id, rev);
        Stored {
            id: event.id,
            owner,
            json: submission.json.clone(),
            rev,
            repeated: false,
            deleted: false,
        }
    }

    /// All events of the steps are the system's.
    fn change(&mut self, step: &ChangeStep, system: OwnerId) -> StepOutcome {
        let after = self.head(step.owner);
        let (mut newest, mut ended) = (Rev::ZERO, Vec::new());
        let ids: Vec<_> = step.targets.iter().map(|target| target.id).collect();
        for id in &ids {
            newest = newest.max(self.created[id]);
            let entry = match step.change {
                Change::Status(status) => Entry::Status(*id, status),
                Change::Delete => Entry::Deleted(*id),
            };
            let changed_rev = self.log(step.owner, entry);
            if step.owner == system {
                ended.extend(self.overlays.remove(id));
            } else {
                let overlay = EndedOverlay {
                    owner: step.owner,
                    changed_rev,
                    severity: Severity::Informational,
                    status: Some(Status::Read),
                };
                self.overlays.insert(*id, overlay);
            }
        }
        // Without overlays, the readers read the store: a way of delivery that the scenes need, too.
        let is_told = step.owner == system && !ended.is_empty();
        let outcome = StepOutcome {
            owner: step.owner,
            change: step.change,
            at: step.at,
            system_ids: Vec::new(),
            unchanged: 0,
            foreign: None,
            revs: RevRange {
                after,
                up_to: self.head(step.owner),
            },
            ids,
            system: if step.owner == system {
                Rev::ZERO
            } else {
                newest
            },
            counts: CountDelta::default(),
            ended: is_told.then_some(ended),
        };
        let first = (step.owner, after.next());
        self.steps.insert(first, outcome.clone());
        outcome
    }

    /// The next changes of a feed, as they were delivered.
    fn refill(&self, owner: OwnerId, range: RevRange) -> Refill {
        let (head, mut items) = (self.head(owner), Vec::new());
        let up_to = range.up_to.min(head);
        let mut reached = range.after;
        while reached < up_to && items.len() < PAGE_ENTRIES {
            let rev = reached.next();
            let created = usize::try_from(reached.get())
                .ok()
                .and_then(|index| self.feeds.get(&owner)?.get(index));
            let item = match (created, self.steps.get(&(owner, rev))) {
                (Some(Entry::Created(json)), _) => RefillItem::Created {
                    rev,
                    json: json.clone(),
                },
                (_, Some(step)) => RefillItem::Changed(step.clone()),
                // The range begins within a step.
                (_, None) => return Refill::Incomplete { head },
            };
            reached = item.revs().up_to;
            items.push(item);
        }
        Refill::Exact { items, head }
    }

    fn commit(&mut self, group: &Group, system: OwnerId) -> Committed {
        let mut committed = Committed::default();
        for publication in &group.publications {
            let submissions = publication.submissions.iter();
            let stored = submissions.map(|one| self.store(one)).collect();
            committed.published.push(PublishOutcome::Stored(stored));
        }
        for step in &group.steps {
            committed.changed.push(self.change(step, system));
        }
        committed
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn identity(&self) -> StoreIdentity {
        self.identity
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn lanes(&self) -> usize {
        if self.is_shared { 2 } else { 1 }
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        unreachable!("no scene has upkeep")
    }

    /// Forms the group on a thread of its own, as the real writer does.
    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        let (reply, committed) = oneshot::channel();
        let content = Arc::clone(&self.content);
        let system = self.identity.system.into();
        shuttle::thread::spawn(move || {
            let lock = || content.lock().unwrap_or_else(PoisonError::into_inner);
            if lock().commits_left == Some(0) {
                return;
            }
            let group = next();
            let mut content = lock();
            if let Some(left) = &mut content.commits_left {
                *left -= 1;
            }
            let committed = content.commit(&group, system);
            drop(content);
            // The engine's task was aborted.
            let _ = reply.send(committed);
        });
        committed.await.map_err(|_| StoreError::Closed)
    }

    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        let bounds = |head| FeedBounds {
            head,
            floor: Rev::ZERO,
        };
        let system = OwnerId::from(self.identity.system);
        Ok(self.read(|content| Snapshot {
            own: bounds(match owner {
                owner if owner == system => Rev::ZERO,
                owner => content.head(owner),
            }),
            system: bounds(content.head(system)),
            summary: Summary::default(),
        }))
    }

    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        let feed = match side {
            Side::System => OwnerId::from(self.identity.system),
            Side::Own => owner,
        };
        let entries = self.read(|content| content.feeds.get(&feed).cloned().unwrap_or_default());
        let revs = (1..).map(Rev::new);
        let changes: Vec<_> = revs
            .zip(entries)
            .filter(|(rev, _)| *rev > range.after && *rev <= range.up_to)
            .take(PAGE_ENTRIES)
            .map(|(rev, entry)| (rev, entry.into()))
            .collect();
        let reached = changes.last().map_or(range.up_to, |(rev, _)| *rev);
        Ok(ReplayPage {
            changes,
            reached,
            floor: Rev::ZERO,
        })
    }

    async fn refill(&self, owner: OwnerId, range: RevRange) -> Result<Refill, StoreError> {
        Ok(self.read(|content| content.refill(owner, range)))
    }

    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        let head = |content: &mut StoreContent, owner: &OwnerId| (*owner, content.head(*owner));
        Ok(self.read(|content| owners.iter().map(|owner| head(content, owner)).collect()))
    }

    async fn event(&self, _: OwnerId, _: Target) -> Result<Option<Bytes>, StoreError> {
        unreachable!("no scene reads an event")
    }

    async fn list(
        &self,
        _: OwnerId,
        _: EventFilter,
        _: PageRequest,
        _: usize,
    ) -> Result<ListPage, StoreError> {
        unreachable!("no scene reads the list")
    }

    async fn list_rest(
        &self,
        _: OwnerId,
        _: Unread,
        _: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        unreachable!("no scene reads the list")
    }

    async fn types(&self, _: OwnerId) -> Result<EventTypes, StoreError> {
        unreachable!("no scene reads the types")
    }

    async fn type_pairs(&self, _: OwnerId) -> Result<Vec<EventType>, StoreError> {
        unreachable!("no scene reads the types")
    }

    async fn matching(
        &self,
        _: OwnerId,
        _: Matching,
        _: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        unreachable!("no scene selects by a filter")
    }

    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError> {
        unreachable!("no scene opens an engine")
    }

    async fn note_use(&self, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("no scene opens an engine")
    }

    async fn expired(
        &self,
        _: Retention,
        _: Timestamp,
        _: FeedPosition,
    ) -> Result<ExpiredPage, StoreError> {
        unreachable!("no scene has upkeep")
    }

    async fn audience(
        &self,
        _: EventId,
        _: SystemId,
        _: Option<OwnerId>,
        _: usize,
    ) -> Result<Vec<OwnerId>, StoreError> {
        unreachable!("no scene has events of several owners")
    }

    async fn due(&self, _: Timestamp) -> Result<DueEvents, StoreError> {
        unreachable!("no scene has upkeep")
    }

    async fn forget_deleted(&self, _: Timestamp, _: u64) -> Result<(u64, Progress), StoreError> {
        unreachable!("no scene has upkeep")
    }

    async fn tidy(&self) -> Result<Progress, StoreError> {
        unreachable!("no scene has upkeep")
    }

    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<crate::store::DiskSpace> {
        None
    }

    async fn look_after_room(&self) -> Result<Pressure, StoreError> {
        unreachable!("no scene has upkeep")
    }

    async fn revoke(&self, _: RevokedToken) -> Result<(), StoreError> {
        unreachable!("no scene has tokens")
    }

    async fn revoked(&self, _: u64) -> Result<RevokedPage, StoreError> {
        unreachable!("no scene has tokens")
    }

    async fn check(&self) -> Result<(), StoreError> {
        unreachable!("no scene checks the store")
    }

    async fn close(&self) {}
}

impl From<Entry> for ReplayItem {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Created(json) => Self::Created(json),
            Entry::Status(id, status) => Self::Status {
                ids: vec![id],
                system_ids: None,
                status,
                at: Timestamp::UNIX_EPOCH,
            },
            Entry::Deleted(id) => Self::Deleted {
                ids: vec![id],
                system_ids: None,
            },
        }
    }
}
