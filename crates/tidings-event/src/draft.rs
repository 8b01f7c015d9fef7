//! An event that satisfies the rules.

use jiff::Timestamp;

use crate::digest::Digests;
use crate::event::Event;
use crate::id::{OwnerId, SystemId};
use crate::kind::Status;
use crate::warning::Warning;

/// An event that satisfies the rules and is ready to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    event: Event,
    created_at_given: bool,
    /// The metadata as JSON, a by-product of measuring it.
    metadata_json: Option<Box<str>>,
    warnings: Vec<Warning>,
}

impl Draft {
    pub(crate) const fn new(
        event: Event,
        created_at_given: bool,
        metadata_json: Option<Box<str>>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            event,
            created_at_given,
            metadata_json,
            warnings,
        }
    }

    /// The event. Its owner is `None` if the system owns it, and its system id can be nil.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the event without a copy.
    pub(crate) fn into_event(self) -> Event {
        self.event
    }

    /// Whether the publisher gave the time of creation.
    #[cfg(test)]
    pub(crate) const fn has_given_time(&self) -> bool {
        self.created_at_given
    }

    /// The repairs that were made to satisfy the rules.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Removes and returns the warnings.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Removes and returns the metadata as JSON, so that the caller does not have to encode it again.
    /// `None` if the event has no metadata, or after the first call.
    pub fn take_metadata_json(&mut self) -> Option<Box<str>> {
        self.metadata_json.take()
    }

    /// Sets the status and the time of the last change that the event had in another store, for an
    /// import. A time before `createdAt` becomes `createdAt`.
    ///
    /// If the owner is the installation that sent the event, the event belonged to the system there
    /// and belongs to the system here. System events keep neither value, because each user has a
    /// status of their own for them.
    #[must_use]
    pub fn with_past(mut self, status: Status, updated_at: Timestamp) -> Self {
        let sender = OwnerId::from(self.event.system_id);
        self.event.owner = self.event.owner.filter(|owner| *owner != sender);
        if self.event.owner.is_some() {
            self.event.status = status;
            self.event.updated_at = updated_at.max(self.event.created_at);
        }
        self
    }

    pub(crate) const fn warnings_mut(&mut self) -> &mut Vec<Warning> {
        &mut self.warnings
    }

    /// Fills in the system id of the store, and computes the digests of the publisher's fields.
    pub fn resolve(self, system: SystemId) -> (Event, Digests) {
        let Self {
            mut event,
            created_at_given,
            ..
        } = self;
        if event.system_id.is_nil() {
            event.system_id = system;
        }
        let owner = *event.owner.get_or_insert(OwnerId::from(system));
        if owner == OwnerId::from(system) {
            event.status = Status::Unread;
            event.updated_at = event.created_at;
        }
        let digests = Digests::of(&event, owner, created_at_given);
        (event, digests)
    }
}
