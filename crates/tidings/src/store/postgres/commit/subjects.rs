//! The subjects of a group: the owners and the ids that have to be looked up before it is decided.

use std::collections::{BTreeMap, BTreeSet};

use tidings_event::wire::Digest;
use tidings_event::{Change, EventId, OwnerId, Severity, SystemId, Timestamp};
use uuid::Uuid;

use crate::store::decide::publish::owner_of;
use crate::store::{Group, Side};

/// An event or tombstone of a feed.
pub(super) type Key = (OwnerId, EventId);

/// The rows that a group needs. Sets are sorted, so that all nodes lock rows in the same order.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// The feeds that can change.
    pub(super) owners: BTreeSet<OwnerId>,
    /// Those of them that are created if they are missing. An update, or a change of the owner's own events only,
    /// creates no feed: without one, there is no such event.
    pub(super) made: BTreeSet<OwnerId>,
    /// The events that are published, which can be repeats.
    pub(super) published: BTreeSet<Key>,
    /// The events that are updated.
    pub(super) updated: BTreeSet<Key>,
    /// The events of users' own feeds that are changed.
    pub(super) own: BTreeSet<Key>,
    /// The events that the system changes.
    pub(super) of_system: BTreeSet<EventId>,
    /// The events that the system deletes: their overlays end.
    pub(super) ending: BTreeSet<EventId>,
    /// The system events that users change, in the order of the events.
    pub(super) by_users: BTreeSet<(EventId, OwnerId)>,
    /// The audiences of events that are published to several owners, which are made if they are missing.
    pub(super) fanned_out: BTreeMap<(EventId, SystemId), NewAudience>,
    /// The ids of other events that can be in the feeds of several owners.
    pub(super) audiences: BTreeSet<EventId>,
    /// Those whose contents matter.
    pub(super) texts: BTreeSet<EventId>,
    /// The events that can have been deleted before.
    pub(super) deleted: BTreeSet<Key>,
}

/// An audience that may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewAudience {
    pub(super) key: Uuid,
    pub(super) digest: Digest,
    pub(super) created_at: Timestamp,
    pub(super) severity: Severity,
}

impl Subjects {
    /// The subjects of `group`.
    pub(super) fn of(group: &Group, system: SystemId) -> Self {
        let mut subjects = Self::default();
        let submissions = group.publications.iter();
        for submission in submissions.flat_map(|one| &one.submissions) {
            let owner = owner_of(&submission.event, system);
            let key = (owner, submission.event.id);
            subjects.made.insert(owner);
            subjects.published.insert(key);
            subjects.deleted.insert(key);
        }
        for fan_out in &group.fan_outs {
            let event = &fan_out.submission.event;
            subjects.texts.insert(event.id);
            subjects
                .fanned_out
                .entry((event.id, event.system_id))
                .or_insert(NewAudience {
                    key: fan_out.content,
                    digest: fan_out.submission.digests.of_content,
                    created_at: event.created_at,
                    severity: event.severity,
                });
            for recipient in &fan_out.recipients {
                let key = (recipient.owner, event.id);
                subjects.made.insert(recipient.owner);
                subjects.own.insert(key);
                subjects.deleted.insert(key);
            }
        }
        for request in &group.audiences {
            subjects.audiences.insert(request.id);
            subjects.texts.insert(request.id);
        }
        for update in &group.updates {
            subjects.audiences.insert(update.id);
            subjects.owners.insert(update.owner);
            subjects.updated.insert((update.owner, update.id));
        }
        let system = OwnerId::from(system);
        for step in &group.steps {
            let (owner, is_system) = (step.owner, step.owner == system);
            let names_own_only = step.targets.iter().all(|one| one.side == Some(Side::Own));
            match names_own_only {
                true => subjects.owners.insert(owner),
                false => subjects.made.insert(owner),
            };
            for target in &step.targets {
                let id = target.id;
                if step.change == Change::Delete {
                    let own = (target.side != Some(Side::System)).then_some((owner, id));
                    let of_system = (target.side != Some(Side::Own)).then_some((system, id));
                    subjects.deleted.extend(own.into_iter().chain(of_system));
                }
                if is_system {
                    subjects.of_system.insert(id);
                    if step.change == Change::Delete {
                        subjects.ending.insert(id);
                    }
                    continue;
                }
                if target.side != Some(Side::System) {
                    if step.change == Change::Delete {
                        subjects.audiences.insert(id);
                    }
                    subjects.own.insert((owner, id));
                }
                if target.side != Some(Side::Own) {
                    subjects.by_users.insert((id, owner));
                }
            }
        }
        subjects.owners.extend(&subjects.made);
        subjects
    }
}
