//! Decides what an update does to an event.

use bytes::Bytes;
use tidings_event::wire::EventFields;
use tidings_event::{CountDelta, Event, OwnerId, Status, Timestamp};

use super::foreign::is_foreign;
use crate::store::{ContentUpdate, UpdateOutcome};

/// An event before an update.
#[derive(Clone, Debug)]
pub(crate) struct BeforeUpdate {
    /// The event, without its metadata.
    pub(crate) event: Event,
    /// The JSON of its metadata.
    pub(crate) metadata: Option<Box<str>>,
    /// The number of its last update.
    pub(crate) sequence: Option<u64>,
}

/// An event after an update.
#[derive(Debug)]
pub(crate) struct AfterUpdate {
    pub(crate) status: Status,
    pub(crate) sequence: Option<u64>,
    /// The stored time. Of a system event, it is never earlier than before: readers keep the later of its time and
    /// that of their mark, and cannot take back a time that they have.
    pub(crate) updated_at: Timestamp,
    pub(crate) json: Bytes,
    pub(crate) counts: CountDelta,
}

/// Why an event stays as it is.
#[derive(Debug)]
pub(crate) enum Stays {
    /// It has this content already.
    Same,
    /// It has that of the update with this number.
    Later(u64),
    /// This is the outcome.
    Rejected(Box<UpdateOutcome>),
}

impl BeforeUpdate {
    /// Its JSON.
    pub(crate) fn json(&self) -> Bytes {
        self.event.to_json_with(self.metadata.as_deref()).into()
    }

    /// The event after `update`, or why it stays as it is.
    pub(crate) fn after(
        &self,
        update: &ContentUpdate,
        system: OwnerId,
    ) -> Result<AfterUpdate, Stays> {
        let event = &self.event;
        if is_foreign(update.systems.as_deref(), event.system_id) {
            let foreign = UpdateOutcome::ForeignSystem(event.system_id);
            return Err(Stays::Rejected(Box::new(foreign)));
        }
        if update.owner == system && (event.severity != update.severity || update.renotify) {
            // The counts of all users who have marked or deleted it would change, each in another way.
            return Err(Stays::Rejected(Box::new(UpdateOutcome::OnlyTexts {
                severity: event.severity,
            })));
        }
        let is_same = event.severity == update.severity
            && *event.description == *update.description
            && self.metadata.as_deref() == update.metadata.as_deref();
        let is_repeat = match (update.sequence, self.sequence) {
            (Some(number), Some(last)) if number < last || (number == last && !is_same) => {
                return Err(Stays::Later(last));
            }
            // The number of a repeat is the same. A new one counts even if nothing else changes.
            (Some(number), last) => last == Some(number),
            (None, _) => !update.renotify || event.status == Status::Unread,
        };
        if is_same && is_repeat {
            return Err(Stays::Same);
        }
        // Severities are sorted by their urgency, the most urgent first.
        let rises = update.severity < event.severity;
        let status = match update.renotify || rises {
            true => Status::Unread,
            false => event.status,
        };
        let fields = EventFields {
            id: event.id,
            owner: Some(update.owner),
            system_id: event.system_id,
            operation_id: event.operation_id,
            acted_upon: event.acted_upon,
            category: &event.category,
            action: &event.action,
            description: &update.description,
            severity: update.severity,
            status,
            metadata: update.metadata.as_deref(),
            created_at: event.created_at,
            updated_at: update.at,
            expires_at: event.expires_at,
            deleted_at: None,
        };
        let mut json = Vec::with_capacity(fields.json_bytes());
        fields.write_json(&mut json);
        if json.len() > update.event_bytes {
            let bytes = json.len();
            return Err(Stays::Rejected(Box::new(UpdateOutcome::TooLarge { bytes })));
        }
        let mut counts = CountDelta::default();
        counts.add(status, update.severity, 1);
        counts.add(event.status, event.severity, -1);
        Ok(AfterUpdate {
            status,
            sequence: update.sequence.or(self.sequence),
            updated_at: match update.owner == system {
                true => update.at.max(event.updated_at),
                false => update.at,
            },
            json: json.into(),
            counts,
        })
    }
}
