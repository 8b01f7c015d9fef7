//! Random histories: a refill tells what the committing node has delivered, or nothing.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use tidings_event::{
    Change, Event, EventId, EventRef, IntoDraft as _, Limits, OwnerId, Rev, Severity, Status,
    StreamItem, Timestamp,
};
use uuid::Uuid;

use super::database::Database;
use super::{open, update};
use crate::schedules::seeds::seeds;
use crate::store::postgres::PostgresStore;
use crate::store::{
    ChangeStep, Committed, ContentUpdate, Group, Publication, PublishOutcome, Refill, RefillItem,
    RevRange, Side, Store as _, Submission, Target, UpdateOutcome,
};

/// How many new histories a run tries.
const HISTORIES: usize = 4;

/// How many groups a history commits.
const GROUPS: usize = 40;

/// Two nodes on one database, and what they have delivered.
struct History {
    rng: Rng,
    nodes: [PostgresStore; 2],
    owners: Vec<OwnerId>,
    /// The events that were ever published, with the owners of their feeds.
    events: Vec<(OwnerId, Event)>,
    delivered: HashMap<OwnerId, Vec<RefillItem>>,
    /// The positions of events that are deleted, and of contents that were replaced.
    gone: HashSet<(OwnerId, Rev)>,
    created: HashMap<(OwnerId, EventId), Rev>,
    /// The positions of the last updates.
    updated: HashMap<(OwnerId, EventId), Rev>,
    clock: u64,
}

impl History {
    async fn new(database: &Database, seed: u64) -> Self {
        let nodes = [open(database).await, open(database).await];
        let system = OwnerId::from(nodes[0].identity.system);
        let mut rng = Rng::with_seed(seed);
        let users = (0..3).map(|_| OwnerId::from_uuid(Uuid::from_u128(rng.u128(1..))));
        Self {
            owners: users.chain([system]).collect(),
            rng,
            nodes,
            events: Vec::new(),
            delivered: HashMap::new(),
            gone: HashSet::new(),
            updated: HashMap::new(),
            clock: 0,
            created: HashMap::new(),
        }
    }

    fn system(&self) -> OwnerId {
        self.owners[self.owners.len() - 1]
    }

    /// A new event, an earlier one again, or an earlier one for another owner.
    fn submission(&mut self) -> Submission {
        let owner = self.rng.choice(self.owners.clone()).unwrap();
        let earlier = match self.rng.u8(..8) {
            0 => self.rng.choice(&self.events).cloned(),
            1 => (self.rng.choice(&self.events).cloned()).map(|(_, event)| (owner, event)),
            _ => None,
        };
        let (owner, mut event) = earlier.unwrap_or_else(|| {
            let severity = self.rng.choice(Severity::ALL).unwrap();
            let draft = Event::builder()
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(severity)
                .with_error(std::io::Error::other("it failed"))
                .with_description("Straße \u{2028} \u{1F980} ".repeat(self.rng.usize(..40)))
                .build()
                .unwrap();
            // An imported event, which was changed after it was created.
            let past = Timestamp::from_second(4_000_000_000).unwrap();
            let draft = match self.rng.u8(..4) {
                0 if owner != self.system() => draft.with_past(Status::Read, past),
                _ => draft,
            };
            (owner, draft.into_event())
        });
        event.owner = Some(owner);
        self.events.push((owner, event.clone()));
        let mut draft = event.into_draft(&Limits::default()).unwrap();
        let metadata = draft.take_metadata_json();
        let (mut event, digests) = draft.resolve(self.nodes[0].identity.system);
        event.metadata = None;
        Submission {
            json: event.to_json_with(metadata.as_deref()).into(),
            event,
            metadata,
            digests,
            aged_from: None,
        }
    }

    fn step(&mut self, most: usize) -> ChangeStep {
        let owner = self.rng.choice(self.owners.clone()).unwrap();
        let change = match self.rng.u8(..5) {
            0 | 1 => Change::Status(Status::Read),
            2 => Change::Status(Status::Unread),
            _ => Change::Delete,
        };
        let mut ids: Vec<_> = self.events.iter().map(|(_, event)| event.id).collect();
        self.rng.shuffle(&mut ids);
        ids.truncate(self.rng.usize(1..=most));
        let side = self
            .rng
            .choice([None, None, Some(Side::Own), Some(Side::System)]);
        let targets = ids.into_iter().map(|id| Target {
            side: side.flatten(),
            ..EventRef::from(id).into()
        });
        ChangeStep {
            owner,
            targets: targets.collect(),
            change,
            only: None,
            systems: None,
            at: Timestamp::from_nanosecond(1_700_000_000_000_000_001).unwrap(),
        }
    }

    /// An update of an event that was published, which may be deleted.
    fn update(&mut self) -> ContentUpdate {
        self.clock += 1;
        let (owner, event) = self.rng.choice(&self.events).cloned().unwrap();
        // Of a system event, only the texts can change.
        let severity = match owner == self.system() {
            true => event.severity,
            false => self.rng.choice(Severity::ALL).unwrap(),
        };
        ContentUpdate {
            severity,
            renotify: owner != self.system() && self.rng.bool(),
            ..update(event.id, owner, self.rng.u64(..16), self.clock)
        }
    }

    async fn commit(&mut self) {
        let mut group = Group::default();
        let large = self.rng.u8(..12) == 0;
        for _ in 0..self.rng.usize(..4) {
            let events = match large {
                true => self.rng.usize(100..400),
                false => self.rng.usize(1..4),
            };
            group.publications.push(Publication {
                submissions: (0..events).map(|_| self.submission()).collect(),
                quota: None,
            });
        }
        let most = match large {
            true => StreamItem::MAX_IDS,
            false => 6,
        };
        if !self.events.is_empty() {
            for _ in 0..self.rng.usize(..3) {
                let update = self.update();
                group.updates.push(update);
            }
            for _ in 0..self.rng.usize(..4) {
                let step = self.step(most);
                group.steps.push(step);
            }
        }
        let node = &self.nodes[self.rng.usize(..2)];
        let updated: Vec<_> = group
            .updates
            .iter()
            .map(|one| (one.owner, one.id))
            .collect();
        let committed = node.commit(Box::new(|| group)).await.unwrap();
        self.deliver(committed, &updated);
    }

    /// As the committer delivers it.
    fn deliver(&mut self, committed: Committed, updates: &[(OwnerId, EventId)]) {
        for outcome in committed.published {
            let PublishOutcome::Stored(stored) = outcome else {
                continue;
            };
            for one in stored.into_iter().filter(|one| !one.repeated) {
                self.created.insert((one.owner, one.id), one.rev);
                let (rev, json) = (one.rev, one.json);
                let item = RefillItem::Created { rev, json };
                self.delivered.entry(one.owner).or_default().push(item);
            }
        }
        for (outcome, key) in committed.updated.into_iter().zip(updates) {
            let UpdateOutcome::Updated(updated) = outcome else {
                continue;
            };
            let before = self.updated.insert(*key, updated.rev);
            for rev in before.into_iter().chain(self.created.get(key).copied()) {
                self.gone.insert((key.0, rev));
            }
            let item = RefillItem::Updated(updated);
            self.delivered.entry(key.0).or_default().push(item);
        }
        let system = self.system();
        for step in committed.changed {
            if step.ids.is_empty() {
                continue;
            }
            if step.change == Change::Delete {
                for id in &step.ids {
                    let is_own = step.owner == system || !step.system_ids.contains(id);
                    let key = (step.owner, *id);
                    let revs = [self.created.get(&key), self.updated.get(&key)];
                    for rev in revs.into_iter().flatten().filter(|_| is_own) {
                        self.gone.insert((step.owner, *rev));
                    }
                }
            }
            let owner = step.owner;
            let item = RefillItem::Changed(step);
            self.delivered.entry(owner).or_default().push(item);
        }
    }

    /// Refills a random range on a random node. Returns whether it was exact.
    async fn refill(&mut self, is_all_kept: bool) -> Option<bool> {
        let owner = self.rng.choice(self.owners.clone())?;
        let delivered = self.delivered.get(&owner)?;
        let start = self.rng.usize(..delivered.len());
        let expected = &delivered[start..];
        let after = expected[0].revs().after;
        let head = expected[expected.len() - 1].revs().up_to;
        let up_to = match self.rng.u8(..3) {
            0 => Rev::new(u64::MAX),
            1 => self.rng.choice(expected)?.revs().up_to,
            _ => Rev::new(self.rng.u64(after.get()..=head.get() + 1)),
        };
        let range = RevRange { after, up_to };
        let node = &self.nodes[self.rng.usize(..2)];
        match node.refill(owner, range).await.unwrap() {
            Refill::Exact { items, head: found } => {
                assert_eq!(found, head);
                assert_eq!(items.is_empty(), up_to <= after, "{range:?}");
                for (item, expected) in items.iter().zip(expected) {
                    assert_eq!(text(item, is_all_kept), text(expected, is_all_kept));
                }
                assert!(items.len() <= expected.len());
                Some(true)
            }
            Refill::Incomplete { head: found } => {
                assert_eq!(found, head);
                let is_gone = |(of, rev): &(OwnerId, Rev)| *of == owner && *rev > after;
                assert!(
                    !is_all_kept || self.gone.iter().any(is_gone),
                    "nothing after {after} is gone"
                );
                Some(false)
            }
        }
    }
}

/// An item as text, without what a refill does not tell.
fn text(item: &RefillItem, is_all_kept: bool) -> String {
    let mut item = item.clone();
    if let RefillItem::Changed(step) = &mut item {
        step.unchanged = 0;
        if !is_all_kept {
            step.ended = None;
        }
        if let Some(ended) = &mut step.ended {
            ended.sort_unstable_by_key(|one| (one.owner, one.changed_rev));
        }
    }
    format!("{item:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refill_tells_what_was_delivered_or_nothing() {
    let (mut histories, mut exact) = (0, 0);
    for seed in seeds("a_refill_tells_what_was_delivered_or_nothing", HISTORIES) {
        histories += 1;
        let database = Database::create();
        let mut history = History::new(&database, seed).await;
        for _ in 0..GROUPS {
            history.commit().await;
            for _ in 0..4 {
                exact += usize::from(history.refill(true).await == Some(true));
            }
        }
        // Now some changes are forgotten, and some overlays are being removed.
        database.query("DELETE FROM recent_change WHERE rev % 7 = 3");
        database.query("DELETE FROM recent_update WHERE rev % 3 = 1");
        database.query("UPDATE ended SET ended_at = 0");
        for _ in 0..4 * GROUPS {
            history.refill(false).await;
        }
        for node in history.nodes {
            node.close().await;
        }
    }
    assert!(
        exact > histories * GROUPS * 4 / 5,
        "only {exact} were exact"
    );
}
