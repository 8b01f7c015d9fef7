//! Decides requests about events of several owners.

use tidings_event::wire::Digest;
use tidings_event::{EventId, OwnerId, Rev, SystemId, Timestamp};
use uuid::Uuid;

use super::state::{AudienceState, EventSource, EventState, State, Text};
use super::subjects::Key;
use crate::shared_json::SharedJson;
use crate::store::decide::audience::{ContentStep, is_repeat};
use crate::store::kind::Kind;
use crate::store::{
    AudienceChange, AudienceOutcome, AudienceRequest, BegunChange, ContentUpdate, FanOut,
    FanOutOutcome, FannedOut, NAMED_OWNERS, Recipient, SharedContent, new_content_key,
};

/// The column `shared` of an event that went to several owners and has its own content.
pub(super) const OWN_CONTENT: Uuid = Uuid::nil();

/// What a feed has under an id.
struct There {
    rev: Rev,
    digest: Digest,
    created_at: Timestamp,
    /// Whether it is an event that is in no audience.
    is_alone: bool,
}

impl<'a> State<'a> {
    /// Stores an event for all its owners, or for none.
    pub(super) fn fan_out(&mut self, request: &'a FanOut) -> FanOutOutcome {
        let event = &request.submission.event;
        let key = (event.id, event.system_id);
        let audience = self.audiences.get(&key).filter(|one| !one.is_empty());
        let audience = audience.map(|audience| audience.record.clone());
        if let Some(audience) = &audience
            && !is_repeat(
                &request.submission.digests,
                event.created_at,
                audience.digest,
                audience.created_at,
            )
        {
            return conflict(&[]);
        }
        let (mut new, mut repeated) = (Vec::new(), Vec::new());
        let (mut alone, mut conflicting) = (Vec::new(), Vec::new());
        for recipient in &request.recipients {
            let Recipient { owner, digests } = recipient;
            let Some(there) = self.there_for((*owner, event.id)) else {
                new.push(recipient);
                continue;
            };
            if !is_repeat(digests, event.created_at, there.digest, there.created_at) {
                conflicting.push(*owner);
                continue;
            }
            repeated.push((*owner, there.rev));
            if there.is_alone {
                alone.push(*owner);
            }
        }
        if !conflicting.is_empty() {
            return conflict(&conflicting);
        }
        let retracted = audience
            .as_ref()
            .is_some_and(|audience| audience.retracted_at.is_some());
        if retracted {
            new.clear();
            alone.clear();
        }
        let content = audience.as_ref().and_then(|audience| audience.content);
        let current = content.and_then(|content| self.texts.get(&content).cloned());
        let severity = audience.as_ref().map_or(event.severity, |one| one.severity);
        let is_as_published = current.as_ref().is_none_or(|text| {
            text.description == event.description
                && text.metadata.as_deref() == request.submission.metadata.as_deref()
                && severity == event.severity
        });
        let (json, bytes) = match &current {
            Some(text) if !is_as_published => {
                let mut event = event.clone();
                event.severity = severity;
                event.description.clone_from(&text.description);
                let published = request.submission.stored_bytes()
                    - text_bytes(
                        &request.submission.event.description,
                        request.submission.metadata.as_deref(),
                    );
                let bytes = published + text_bytes(&text.description, text.metadata.as_deref());
                (SharedJson::of(&event, text.metadata.as_deref()), bytes)
            }
            Some(_) | None => (request.json.clone(), request.submission.stored_bytes()),
        };
        for (number, recipient) in new.iter().enumerate() {
            let owner = recipient.owner;
            let system = OwnerId::from(self.identity.system);
            // Retention bounds the system's.
            let limit = request.quota.filter(|_| owner != system);
            if self.feed(owner).occupy(bytes, limit) {
                continue;
            }
            for earlier in &new[..number] {
                let feed = self.feed(earlier.owner);
                feed.bytes = feed.bytes.saturating_sub(bytes);
            }
            return FanOutOutcome::OverQuota {
                owner,
                bytes,
                used: self.feed(owner).bytes,
                limit: limit.unwrap_or(u64::MAX),
            };
        }
        let added = (new.len() + alone.len()) as u64;
        let content = content.unwrap_or(request.content);
        if added > 0 {
            self.enter(request, content, added, new.len());
        }
        for owner in alone {
            if let Some(event) = self.events.get_mut(&(owner, event.id)) {
                event.shared = Some(OWN_CONTENT);
                event.joins = true;
            }
        }
        let reached = new.into_iter().map(|recipient| {
            let feed = self.feed(recipient.owner);
            feed.counts.add(Kind::of(severity, event.status));
            let created_rev = feed.advance();
            let stored = EventState {
                created_rev,
                changed_rev: None,
                system_id: event.system_id,
                severity,
                status: event.status,
                created_at: event.created_at,
                updated_at: event.updated_at,
                digest: recipient.digests.of_content,
                bytes,
                is_updated: false,
                content: None,
                shared: Some(content),
                joins: false,
                origin: EventSource::Group(&request.submission),
            };
            self.events.insert((recipient.owner, event.id), stored);
            (recipient.owner, created_rev)
        });
        FanOutOutcome::Stored(FannedOut {
            json,
            reached: reached.collect(),
            repeated,
            retracted,
        })
    }

    fn there_for(&self, key: Key) -> Option<There> {
        if let Some(event) = self.events.get(&key) {
            return Some(There {
                rev: event.created_rev,
                digest: event.digest,
                created_at: event.created_at,
                is_alone: event.shared.is_none(),
            });
        }
        let remains = self.tombstones.get(&key)?.remains;
        Some(There {
            rev: remains.rev,
            digest: remains.digest,
            created_at: remains.created_at,
            is_alone: false,
        })
    }

    /// Adds members to the audience of an event.
    fn enter(&mut self, request: &FanOut, content: Uuid, added: u64, rows: usize) {
        let event = &request.submission.event;
        let Some(audience) = self.audiences.get_mut(&(event.id, event.system_id)) else {
            return;
        };
        if audience.is_empty() {
            audience.record.content = Some(content);
            audience.record.digest = request.submission.digests.of_content;
            audience.record.created_at = event.created_at;
            audience.record.severity = event.severity;
            let text = Text {
                description: event.description.clone(),
                metadata: request.submission.metadata.as_deref().map(str::to_owned),
                is_new: true,
            };
            self.texts.insert(content, text);
        }
        audience.record.members += added;
        audience.is_changed = true;
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        *self.content_rows.entry(content).or_default() += rows;
    }

    /// Takes account of a deletion of an event.
    pub(super) fn leave(&mut self, id: EventId, event: &EventState<'_>) {
        let Some(shared) = event.shared else {
            return;
        };
        if shared != OWN_CONTENT {
            *self.content_rows.entry(shared).or_default() -= 1;
        }
        let Some(audience) = self.audiences.get_mut(&(id, event.system_id)) else {
            return;
        };
        audience.is_changed = true;
        audience.record.members = audience.record.members.saturating_sub(1);
        if audience.record.members == 0
            // The last one: no owner has the content any more.
            && let Some(content) = audience.record.content.take()
        {
            self.content_rows.entry(content).or_default();
        }
    }

    /// Whether an update for a whole audience still holds, if `update` is part of one.
    pub(super) fn is_superseded(&self, update: &ContentUpdate, event: &EventState<'_>) -> bool {
        let Some(content) = update.shared else {
            return false;
        };
        let audience = self.audiences.get(&(update.id, event.system_id));
        let is_current = audience.is_some_and(|audience| {
            let record = &audience.record;
            record.content == Some(content) && record.retracted_at.is_none()
        });
        !is_current || event.shared.is_none()
    }

    /// Takes account of another content of an event, and gives its column `shared`.
    pub(super) fn change_content(
        &mut self,
        before: Option<Uuid>,
        to: Option<Uuid>,
    ) -> Option<Uuid> {
        let before = before?;
        let after = to.unwrap_or(OWN_CONTENT);
        if before != after {
            for (key, by) in [(before, -1), (after, 1)] {
                if key != OWN_CONTENT {
                    *self.content_rows.entry(key).or_default() += by;
                }
            }
        }
        Some(after)
    }

    /// Begins a change of an event for its audience.
    pub(super) fn begin(&mut self, request: &AudienceRequest) -> AudienceOutcome {
        let mut systems: Vec<SystemId> = self
            .audiences
            .iter()
            .filter(|((id, _), audience)| *id == request.id && !audience.is_empty())
            .map(|((_, system), _)| *system)
            .collect();
        systems.sort_unstable();
        let is_of_publisher = |system: &SystemId| {
            let systems = request.systems.as_deref();
            systems.is_none_or(|systems| systems.contains(system))
        };
        let (ours, foreign): (Vec<_>, Vec<_>) = systems.into_iter().partition(is_of_publisher);
        let (mut begun, mut later) = (Vec::new(), None);
        for system in ours {
            let key = (request.id, system);
            match &request.change {
                AudienceChange::Retract(at) => {
                    if let Some(audience) = self.audiences.get_mut(&key) {
                        audience.record.retracted_at.get_or_insert(*at);
                        audience.is_changed = true;
                        audience.is_begun = true;
                    }
                    begun.push(BegunChange {
                        system,
                        content: None,
                    });
                }
                AudienceChange::Update(update) => match self.replace(key, update) {
                    Ok(content) => begun.push(BegunChange {
                        system,
                        content: Some(content),
                    }),
                    Err(ContentStep::Later(number)) => later = Some(number),
                    Err(_) => {}
                },
            }
        }
        match (begun.is_empty(), later, foreign.first()) {
            (false, ..) => AudienceOutcome::Begun(begun),
            (true, Some(number), _) => AudienceOutcome::Later(number),
            (true, None, Some(system)) => AudienceOutcome::ForeignSystem(*system),
            (true, None, None) => AudienceOutcome::NotFound,
        }
    }

    /// Replaces the content that new owners get, unless they get this or a later one already. Returns its key.
    fn replace(
        &mut self,
        key: (EventId, SystemId),
        update: &SharedContent,
    ) -> Result<Uuid, ContentStep> {
        let audience = self.audiences.get_mut(&key).ok_or(ContentStep::Gone)?;
        let content = audience.record.content.ok_or(ContentStep::Gone)?;
        let is_same = self.texts.get(&content).is_some_and(|text| {
            *text.description == *update.description
                && text.metadata.as_deref() == update.metadata.as_deref()
        });
        let content = match audience.record.step(update, is_same) {
            ContentStep::Replace => {
                let text = Text {
                    description: update.description.to_string(),
                    metadata: update.metadata.as_deref().map(str::to_owned),
                    is_new: true,
                };
                // Each audience has its own: others can change at another time. So has each attempt to commit, since
                // rows can have that of one whose outcome was unknown.
                let key = new_content_key();
                self.texts.insert(key, text);
                self.content_rows.entry(key).or_default();
                // Perhaps no row has it any more.
                self.content_rows.entry(content).or_default();
                key
            }
            ContentStep::Continue => content,
            other => return Err(other),
        };
        audience.record.content = Some(content);
        audience.record.severity = update.severity;
        audience.record.sequence = update.sequence.or(audience.record.sequence);
        audience.is_changed = true;
        audience.is_begun = true;
        Ok(content)
    }
}

impl AudienceState {
    /// Whether it was made for this group and has no member yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.record.members == 0 && self.record.retracted_at.is_none()
    }
}

fn conflict(owners: &[OwnerId]) -> FanOutOutcome {
    FanOutOutcome::Conflict {
        owners: owners[..owners.len().min(NAMED_OWNERS)].to_vec(),
        number: owners.len(),
    }
}

fn text_bytes(description: &str, metadata: Option<&str>) -> u64 {
    (description.len() + metadata.map_or(0, str::len)) as u64
}
