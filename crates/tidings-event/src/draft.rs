//! An event that satisfies the rules.

use std::ops::Deref;

use jiff::Timestamp;
use uuid::Uuid;

use crate::digest::Digests;
use crate::event::Event;
use crate::id::{OwnerId, SystemId};
use crate::rules::{Limits, Violations};
use crate::status::Status;
use crate::warning::Warning;

/// An event that satisfies the rules and is ready to publish, from
/// [`EventBuilder::build`](crate::EventBuilder::build).
///
/// The fields can be read, as `draft.id`, but not changed, so that the event need not be checked again.
/// [`into_event`](Self::into_event) gives an [`Event`] to change.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    event: Event,
    /// The sizes that the event keeps to.
    sizes: Sizes,
    created_at_given: bool,
    /// The metadata as JSON, a by-product of measuring it.
    metadata_json: Option<Box<str>>,
    warnings: Vec<Warning>,
}

/// The limits that the rules apply to one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    description_bytes: usize,
    metadata_bytes: usize,
    metadata_depth: usize,
    metadata_keys: usize,
}

impl Sizes {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            description_bytes: limits.description_bytes,
            metadata_bytes: limits.metadata_bytes,
            metadata_depth: limits.metadata_depth,
            metadata_keys: limits.metadata_keys,
        }
    }

    const fn are_within(self, limits: &Limits) -> bool {
        self.description_bytes <= limits.description_bytes
            && self.metadata_bytes <= limits.metadata_bytes
            && self.metadata_depth <= limits.metadata_depth
            && self.metadata_keys <= limits.metadata_keys
    }
}

/// An event that can be published: a [`Draft`], which is taken as it is, or an [`Event`], to which the
/// rules are applied because its fields can have any values.
pub trait IntoDraft {
    /// Applies the rules with these limits, unless they have been applied with them or smaller ones.
    ///
    /// # Errors
    ///
    /// Every rule that the event breaks.
    fn into_draft(self, limits: &Limits) -> Result<Draft, Violations>;
}

impl IntoDraft for Draft {
    fn into_draft(self, limits: &Limits) -> Result<Self, Violations> {
        if self.sizes.are_within(limits) {
            return Ok(self);
        }
        let created_at_given = self.created_at_given;
        let mut warnings = self.warnings;
        let again = Self::from_event(self.event, limits)?;
        for warning in &again.warnings {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        Ok(Self {
            created_at_given,
            warnings,
            ..again
        })
    }
}

impl IntoDraft for Event {
    fn into_draft(self, limits: &Limits) -> Result<Draft, Violations> {
        Draft::from_event(self, limits)
    }
}

/// Reads the fields of the event.
impl Deref for Draft {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

impl From<Draft> for Event {
    fn from(draft: Draft) -> Self {
        draft.event
    }
}

impl Draft {
    pub(crate) const fn new(
        event: Event,
        sizes: Sizes,
        created_at_given: bool,
        metadata_json: Option<Box<str>>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            event,
            sizes,
            created_at_given,
            metadata_json,
            warnings,
        }
    }

    /// The event. Its owner is `None` if the system owns it, and its system id can be nil.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// The event, to change its fields. Publishing it applies the rules again.
    pub fn into_event(self) -> Event {
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

    /// As [`Self::resolve`], for an event that goes to each of `owners`. The event that is returned has no owner yet, and
    /// its digests are of no owner; those of each owner are as if the event had been published to this owner alone.
    pub fn resolve_for(
        self,
        system: SystemId,
        owners: &[OwnerId],
    ) -> (Event, Digests, Vec<Digests>) {
        let Self {
            mut event,
            created_at_given,
            ..
        } = self;
        if event.system_id.is_nil() {
            event.system_id = system;
        }
        event.owner = None;
        let of = |owner| Digests::of(&event, owner, created_at_given);
        let by_owner = owners.iter().copied().map(of).collect();
        let digests = of(OwnerId::from_uuid(Uuid::nil()));
        (event, digests, by_owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;
    use crate::warning::WarningCode;

    fn draft() -> Draft {
        let builder = Event::builder()
            .acted_upon(Uuid::from_u128(1))
            .with_category("report")
            .with_action("render")
            .with_severity(Severity::Success)
            .with_description("Rendered\0 the report")
            .with_metadata([("pages", 3)]);
        builder.build().unwrap()
    }

    #[test]
    fn stays_as_it_is_within_its_limits() {
        let draft = draft();
        assert_eq!(draft.warnings().len(), 1);
        for limits in [
            Limits::default(),
            Limits::default().with_description_bytes(8_192),
        ] {
            assert_eq!(draft.clone().into_draft(&limits).as_ref(), Ok(&draft));
        }
    }

    #[test]
    fn keeps_to_smaller_limits_too() {
        let limits = Limits::default().with_description_bytes(8);
        let smaller = draft().into_draft(&limits).unwrap();
        assert_eq!(smaller.description, "Rende…");
        let codes: Vec<_> = smaller.warnings().iter().map(|one| one.code).collect();
        assert_eq!(
            codes,
            [WarningCode::CharactersReplaced, WarningCode::Truncated]
        );
        // The time is still that of the build and not of the publisher.
        assert!(!smaller.has_given_time());
        assert_eq!(smaller.clone().into_draft(&limits), Ok(smaller));
    }
}
