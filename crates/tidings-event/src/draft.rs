//! An event that keeps the rules.

mod judge;

pub(crate) use judge::repaired_moment;

use jiff::Timestamp;

use crate::digest::Digests;
use crate::event::Event;
use crate::id::{OwnerId, SystemId};
use crate::kind::Status;
use crate::new_event::NewEvent;
use crate::rules::{Limits, Violations};
use crate::warning::Warning;

/// What to do with an event that is not as the rules have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Refuse what a programmer can fix, such as a missing category or an error without its cause, and
    /// repair what depends on the data, such as a text that is too long.
    Refuse,
    /// Repair all of it and warn, since the event would be lost otherwise. Refused is only what leaves
    /// open whose event it is, what happened, or to which resource.
    Repair,
}

/// An event that keeps the rules and is ready to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    event: Event,
    created_at_given: bool,
    /// The metadata as JSON, which measuring it has made.
    metadata_json: Option<Box<str>>,
    warnings: Vec<Warning>,
}

impl Draft {
    /// Judges a built event again, since its fields are public.
    ///
    /// # Errors
    ///
    /// Every rule it breaks.
    pub fn from_event(event: Event, limits: &Limits) -> Result<Self, Violations> {
        NewEvent::from(event).into_draft(limits, Policy::Refuse)
    }

    /// The event. Its owner is `None` for the system, and its system id may be nil.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// What was repaired.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Takes the warnings out.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Takes out the metadata as JSON, so that it need not be written again.
    pub fn take_metadata_json(&mut self) -> Option<Box<str>> {
        self.metadata_json.take()
    }

    /// Gives the event the past it had in another store, as an import does: its status, and when it
    /// last changed, which is never before it was created.
    ///
    /// An event that is owned by the installation that sent it was the system's there, and is the
    /// system's here. Those keep neither, since each user has an own status for them.
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

    /// Settles what only the store knows, its own system id, and digests the publisher's fields.
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

#[cfg(test)]
mod tests;
