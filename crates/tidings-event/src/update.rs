//! An update: new content from a publisher for an event that it has published.

use std::ops::Deref;

use serde_json::Value;

use crate::builder::EventBuilder;
use crate::cause::Cause;
use crate::draft::Draft;
use crate::event::Event;
use crate::id::{EventId, OwnerId};
use crate::rules::{Limits, Violations};
use crate::severity::Severity;
use crate::warning::Warning;

/// New content of a published event, which satisfies the rules; from [`UpdateBuilder::build`].
///
/// An update replaces severity, description and metadata as a whole, so that an older one that comes late and is
/// dropped takes nothing with it. The other fields of an event never change.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The event that it makes, as far as an update tells.
    draft: Draft,
    sequence: Option<u64>,
    renotify: bool,
}

impl Update {
    /// The highest sequence number.
    pub const MAX_SEQUENCE: u64 = i64::MAX as u64;

    pub(crate) const fn new(draft: Draft, sequence: Option<u64>, renotify: bool) -> Self {
        Self {
            draft,
            sequence,
            renotify,
        }
    }

    /// The event to update.
    pub fn id(&self) -> EventId {
        self.draft.id
    }

    /// The owner of the event; `None` for an event of the system.
    pub fn owner(&self) -> Option<OwnerId> {
        self.draft.owner
    }

    /// The new severity.
    pub fn severity(&self) -> Severity {
        self.draft.severity
    }

    /// The new description.
    pub fn description(&self) -> &str {
        &self.draft.description
    }

    /// The number that orders the updates of the event; see [`UpdateBuilder::with_sequence`].
    pub const fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// Whether the event becomes unread again; see [`UpdateBuilder::renotify`].
    pub const fn renotifies(&self) -> bool {
        self.renotify
    }

    /// The repairs that were made to satisfy the rules.
    pub fn warnings(&self) -> &[Warning] {
        self.draft.warnings()
    }

    /// Removes and returns the warnings.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.draft.take_warnings()
    }

    /// Removes and returns the metadata as JSON. `None` if there is none, or after the first call.
    pub fn take_metadata_json(&mut self) -> Option<Box<str>> {
        self.draft.take_metadata_json()
    }

    /// The fields of the event that the update has; those that it does not have are placeholders.
    pub(crate) fn event(&self) -> &Event {
        self.draft.deref()
    }

    /// Applies the rules with these limits, unless they have been applied with them or smaller ones.
    ///
    /// # Errors
    ///
    /// Every rule that the update breaks.
    pub fn within(self, limits: &Limits) -> Result<Self, Violations> {
        use crate::draft::IntoDraft as _;

        let draft = self.draft.into_draft(limits)?;
        Ok(Self { draft, ..self })
    }
}

/// Builds an [`Update`]; created by [`Event::update`].
#[derive(Clone, Debug)]
#[must_use = "`build` creates the update"]
pub struct UpdateBuilder {
    event: EventBuilder,
    sequence: Option<u64>,
    renotify: bool,
}

impl Event {
    /// Starts an update of a published event. Its severity, description and metadata are replaced by those of the
    /// update.
    ///
    /// ```
    /// use tidings_event::{Event, EventId, OwnerId, Severity};
    ///
    /// let (deployment, user) = (EventId::mint(), OwnerId::mint());
    /// let update = Event::update(deployment)
    ///     .for_user(user)
    ///     .with_severity(Severity::Informational)
    ///     .with_description("Deploying the shop")
    ///     .with_metadata([("progress", 30)])
    ///     .with_sequence(3)
    ///     .build()?;
    /// assert_eq!(update.sequence(), Some(3));
    /// # Ok::<(), tidings_event::Violations>(())
    /// ```
    pub fn update(id: impl Into<EventId>) -> UpdateBuilder {
        UpdateBuilder {
            event: EventBuilder::of_update(id.into()),
            sequence: None,
            renotify: false,
        }
    }
}

impl UpdateBuilder {
    /// Sets the owner of the event. Without one, it is an event of the system.
    pub fn for_user(mut self, user: impl Into<OwnerId>) -> Self {
        self.event = self.event.for_user(user);
        self
    }

    /// Sets the new urgency; required. If it is more urgent than before, the event becomes unread.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.event = self.event.with_severity(severity);
        self
    }

    /// Sets the new description; see [`EventBuilder::with_description`].
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.event = self.event.with_description(description);
        self
    }

    /// Adds new metadata; see [`EventBuilder::with_metadata`]. `progress`, a number from 0 to 100, is shown as a bar.
    pub fn with_metadata<K: Into<String>, V: Into<Value>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.event = self.event.with_metadata(entries);
        self
    }

    /// Sets why the operation failed and what the user can do; see [`EventBuilder::with_error`].
    pub fn with_error(mut self, cause: impl Into<Cause>) -> Self {
        self.event = self.event.with_error(cause);
        self
    }

    /// Sets a link to documentation: an `http` or `https` URL.
    pub fn with_doc(mut self, url: impl Into<String>) -> Self {
        self.event = self.event.with_doc(url);
        self
    }

    /// Sets the number that orders the updates of the event: an update whose number is not higher than the last one
    /// is dropped, so that a late "30 %" never replaces "done". At most [`Update::MAX_SEQUENCE`]. Without a number,
    /// updates apply in the order in which they arrive.
    pub const fn with_sequence(mut self, sequence: u64) -> Self {
        self.sequence = Some(sequence);
        self
    }

    /// Makes the event unread again. Without it, the event stays as its reader has marked it, unless it becomes more
    /// urgent.
    pub const fn renotify(mut self) -> Self {
        self.renotify = true;
        self
    }

    /// Applies the rules with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn build(self) -> Result<Update, Violations> {
        self.build_within(&Limits::default())
    }

    /// Same as [`build`](Self::build), with other limits.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn build_within(self, limits: &Limits) -> Result<Update, Violations> {
        let draft = self.event.build_within(limits);
        let mut violations = match &draft {
            Ok(_) => Violations::default(),
            Err(violations) => violations.clone(),
        };
        if self
            .sequence
            .is_some_and(|number| number > Update::MAX_SEQUENCE)
        {
            violations.add("sequence", SEQUENCE_FAULT, SEQUENCE_REMEDY);
        }
        match draft {
            Ok(draft) if violations.is_empty() => {
                Ok(Update::new(draft, self.sequence, self.renotify))
            }
            Ok(_) | Err(_) => Err(violations),
        }
    }
}

pub(crate) const SEQUENCE_FAULT: &str = "is not an integer from 0 to 9223372036854775807";
pub(crate) const SEQUENCE_REMEDY: &str =
    "number the updates of an event 1, 2, 3 …, or leave it out";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warning::WarningCode;

    #[test]
    fn applies_the_rules_of_an_event() {
        let id = EventId::mint();
        let violations = Event::update(id)
            .with_sequence(u64::MAX)
            .build()
            .unwrap_err();
        let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["severity", "sequence"]);
        let failed = Event::update(id).with_severity(Severity::Error);
        let violations = failed.clone().build().unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "metadata.error");
        let mut update = failed
            .with_error(Cause::new("refused"))
            .with_description("x".repeat(5_000))
            .with_doc("https://example.org")
            .renotify()
            .build()
            .unwrap();
        assert_eq!(update.warnings()[0].code, WarningCode::Truncated);
        assert_eq!((update.id(), update.owner()), (id, None));
        assert!(update.renotifies() && update.description().len() <= 4_096);
        let metadata = update.take_metadata_json().unwrap();
        assert!(metadata.contains("refused") && metadata.contains("example.org"));
        // Nothing of the placeholders.
        assert!(!metadata.contains("unknown"), "{metadata}");
    }
}
