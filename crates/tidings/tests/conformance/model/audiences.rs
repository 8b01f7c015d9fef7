//! Events of several owners, in the model.

use std::collections::{BTreeSet, HashMap};

use tidings::Event;
use tidings_event::{EventId, OwnerId};

use super::{
    Content, Entry, EventKey, FanOutOutcome, Model, RetractOutcome, SharedUpdateOutcome,
    UpdateOutcome,
};

/// The owners of the answer to a conflict.
const NAMED: usize = 3;

/// The owners who got events together.
#[derive(Default)]
pub(super) struct Audiences {
    by_id: HashMap<EventId, Audience>,
    /// The events that reached owners with other content than they were sent with.
    sent: HashMap<EventKey, Event>,
}

struct Audience {
    /// As it was published first.
    event: Event,
    /// As new owners get it.
    content: Content,
    sequence: Option<u64>,
    retracted: bool,
    members: BTreeSet<OwnerId>,
}

impl Audiences {
    pub(super) fn as_sent(&self, key: EventKey) -> Option<&Event> {
        self.sent.get(&key)
    }
}

impl Model {
    /// The members of an audience who still have the event; `None` if there is no audience.
    fn members(&self, id: EventId) -> Option<Vec<OwnerId>> {
        let audience = self.audiences.by_id.get(&id)?;
        let members = audience.members.iter().copied();
        let members: Vec<_> = members
            .filter(|owner| self.inbox(*owner).contains_key(&(*owner, id)))
            .collect();
        (audience.retracted || !members.is_empty()).then_some(members)
    }

    /// Does what the engine was asked to do by publishing an event to several owners.
    pub(crate) fn fan_out(&mut self, event: &Event, mut owners: Vec<OwnerId>) -> FanOutOutcome {
        owners.sort_unstable();
        owners.dedup();
        if self.members(event.id).is_none() {
            self.audiences.by_id.remove(&event.id);
        }
        let audience = self.audiences.by_id.get(&event.id);
        if audience.is_some_and(|one| one.event.description != event.description) {
            return FanOutOutcome::Conflict {
                owners: Vec::new(),
                number: 0,
            };
        }
        let conflicting: Vec<_> = owners
            .iter()
            .copied()
            .filter(|owner| {
                let known = self.published((*owner, event.id));
                known.is_some_and(|known| known.description != event.description)
            })
            .collect();
        if !conflicting.is_empty() {
            return FanOutOutcome::Conflict {
                owners: conflicting.iter().copied().take(NAMED).collect(),
                number: conflicting.len(),
            };
        }
        let (known, new): (Vec<_>, Vec<_>) = owners
            .into_iter()
            .partition(|owner| self.created.contains_key(&(*owner, event.id)));
        let retracted = audience.is_some_and(|audience| audience.retracted);
        let outcome = FanOutOutcome::Stored {
            reached: if retracted { 0 } else { new.len() as u64 },
            repeated: known.len() as u64,
            retracted,
        };
        if retracted {
            return outcome;
        }
        let mut audience = self
            .audiences
            .by_id
            .remove(&event.id)
            .unwrap_or_else(|| Audience {
                event: event.clone(),
                content: Content {
                    severity: event.severity,
                    description: event.description.clone(),
                    metadata: event.metadata.clone(),
                    is_unread: false,
                },
                sequence: None,
                retracted: false,
                members: BTreeSet::new(),
            });
        let here = known
            .into_iter()
            .filter(|owner| self.inbox(*owner).contains_key(&(*owner, event.id)));
        let here: Vec<_> = here.collect();
        audience.members.extend(here);
        for owner in new {
            let key = (owner, event.id);
            let mut stored = event.clone();
            stored.owner = Some(owner);
            self.audiences.sent.insert(key, stored.clone());
            stored.severity = audience.content.severity;
            stored.description.clone_from(&audience.content.description);
            stored.metadata.clone_from(&audience.content.metadata);
            self.created.insert(key, self.head(owner).next());
            self.push(owner, Entry::Created(Box::new(stored)));
            audience.members.insert(owner);
        }
        if !audience.members.is_empty() {
            self.audiences.by_id.insert(event.id, audience);
        }
        outcome
    }

    /// Does what the engine was asked to do by an update for all owners.
    pub(crate) fn update_for_all(
        &mut self,
        id: EventId,
        content: &Content,
        sequence: Option<u64>,
    ) -> SharedUpdateOutcome {
        let Some(members) = self.members(id) else {
            return SharedUpdateOutcome::NotFound;
        };
        let audience = self.audiences.by_id.get_mut(&id).expect("it has members");
        if audience.retracted {
            return SharedUpdateOutcome::NotFound;
        }
        let is_same = (&audience.content.description, audience.content.severity)
            == (&content.description, content.severity)
            && audience.content.metadata == content.metadata;
        if let (Some(number), Some(last)) = (sequence, audience.sequence)
            && (number < last || (number == last && !is_same))
        {
            return SharedUpdateOutcome::Outdated;
        }
        audience.sequence = sequence.or(audience.sequence);
        audience.content = content.clone();
        let (mut updated, mut unchanged) = (0, 0);
        for owner in members {
            match self.update((owner, id), content.clone(), sequence) {
                UpdateOutcome::Updated => updated += 1,
                UpdateOutcome::Repeated | UpdateOutcome::Outdated => unchanged += 1,
                other => panic!("a member has the event: {other:?}"),
            }
        }
        SharedUpdateOutcome::Updated { updated, unchanged }
    }

    /// Does what the engine was asked to do by a retraction from all owners.
    pub(crate) fn retract_from_all(&mut self, id: EventId, by_other: bool) -> RetractOutcome {
        let Some(members) = self.members(id) else {
            return RetractOutcome::NotFound;
        };
        if by_other {
            return RetractOutcome::ForeignSystem;
        }
        let audience = self.audiences.by_id.get_mut(&id).expect("it is there");
        audience.retracted = true;
        for owner in members {
            self.retract((owner, id), false);
        }
        RetractOutcome::Retracted
    }
}
