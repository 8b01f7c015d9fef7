//! Parses the events of a publish request, and reports why they are rejected.

mod foreign_system;
mod options;
mod owner;
mod recipients;
mod rejection;
mod retraction;
mod unfit;
mod update;

use tidings_event::wire::Policy;
use tidings_event::{Draft, Given, Limits, NewEvent, Past, Violation, Violations};

use crate::identity::Caller;
use crate::limits::LimitError;
use crate::request::json::{self, InvalidJson};
use crate::token::Scopes;

pub(crate) use options::{EventLocation, PublishOptions};
pub(crate) use owner::Subjects;
pub(crate) use recipients::{Named, names_owners};
pub(crate) use rejection::PublishRejection;
pub(crate) use retraction::RetractRejection;
use unfit::{Unfit, is_cloud_event};
pub(crate) use update::UpdateRejection;

/// Reads the events that a caller publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventParser<'a> {
    caller: Caller,
    limits: &'a Limits,
    subjects: Subjects<'a>,
    /// Whether the body says which status the events had, and since when.
    keeps_past: bool,
}

/// Whether a body is an array of events.
pub(crate) fn is_batch(text: &str) -> bool {
    text.trim_ascii_start().starts_with('[')
}

impl<'a> EventParser<'a> {
    pub(crate) const fn new(
        caller: Caller,
        limits: &'a Limits,
        subjects: Subjects<'a>,
        keeps_past: bool,
    ) -> Self {
        Self {
            caller,
            limits,
            subjects,
            keeps_past,
        }
    }

    /// Reads a body that is one event.
    pub(crate) fn read_one(self, text: &str) -> Result<Draft, PublishRejection> {
        self.read_draft(text, text, "").map_err(Unfit::alone)
    }

    /// Reads a body that is an array, once `count` has accepted the number of its events. Returns all
    /// events, or the violations of all. Each is prepared before the next is read, so that only one at
    /// a time is in memory as parsed values.
    pub(crate) fn read_batch<T>(
        self,
        text: &str,
        count: impl FnOnce(usize) -> Result<(), LimitError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<T>, PublishRejection> {
        let elements = self.elements(text, count)?;
        let mut prepared = Vec::with_capacity(elements.len());
        let mut unreadable = false;
        let mut violations = Violations::default();
        for (index, element) in elements.into_iter().enumerate() {
            match self.read_draft(text, element, &format!("[{index}]")) {
                Ok(draft) => prepared.push(prepare(draft)),
                Err(Unfit::Invalid(of_one)) => violations.extend_from_batch(index, of_one),
                Err(Unfit::CloudEvent) => return Err(PublishRejection::CloudEvent),
                Err(Unfit::Foreign) => {
                    return Err(PublishRejection::ForeignOwner { index: Some(index) });
                }
                Err(Unfit::ForeignSystem) => {
                    return Err(PublishRejection::ForeignSystem { index: Some(index) });
                }
                Err(Unfit::Unreadable(fault)) => {
                    unreadable = true;
                    violations.add(fault.field, fault.fault, fault.remedy);
                }
            }
        }
        match violations.into_result() {
            Ok(()) => Ok(prepared),
            Err(violations) if unreadable => Err(PublishRejection::Json(InvalidJson(violations))),
            Err(violations) => Err(PublishRejection::Invalid(violations)),
        }
    }

    /// Reads an array in the same way, but accepts or rejects each event by itself.
    pub(crate) fn read_each<T>(
        self,
        text: &str,
        count: impl FnOnce(usize) -> Result<(), LimitError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<Result<T, PublishRejection>>, PublishRejection> {
        let elements = self.elements(text, count)?.into_iter();
        let read = |element| {
            let draft = self.read_draft(text, element, "");
            draft.map(&prepare).map_err(Unfit::alone)
        };
        Ok(elements.map(read).collect())
    }

    fn elements(
        self,
        text: &str,
        count: impl FnOnce(usize) -> Result<(), LimitError>,
    ) -> Result<Vec<&str>, PublishRejection> {
        let limit = self.limits.batch_events;
        let elements = json::elements(text, text, "body", limit)?;
        match elements.count {
            0 => return Err(PublishRejection::EmptyBatch),
            events if events > limit => {
                return Err(PublishRejection::TooManyEvents { events, limit });
            }
            events => count(events)?,
        }
        Ok(elements.first.into_iter().map(|one| one.get()).collect())
    }

    fn publishes_for_all(self) -> bool {
        self.caller.scopes.contains(Scopes::PUBLISH)
    }

    /// Reads an event. A `CloudEvent` lacks required fields, and its `subject` can look like another user, so
    /// only a rejected event is examined for it.
    fn read_draft(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        let read = self.read_event_of_ours(document, part, prefix);
        match read {
            Err(Unfit::Invalid(_) | Unfit::Unreadable(_) | Unfit::Foreign)
                if is_cloud_event(part) =>
            {
                Err(Unfit::CloudEvent)
            }
            read => read,
        }
    }

    fn read_event_of_ours(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        // The parser would take an array for the fields in their order.
        if is_batch(part) {
            let field = if prefix.is_empty() { "body" } else { prefix };
            let fault = "is an array in an array";
            let violation = Violation::new(field, fault, "send one array of events");
            return Err(Unfit::Unreadable(violation));
        }
        recipients::reject(part, prefix)?;
        let (mut event, past) = self.read_event(part).map_err(|error| {
            Unfit::Unreadable(json::fault_of::<NewEvent>(&error, document, part, prefix))
        })?;
        self.settle_owner(&mut event)?;
        if !self.publishes_for_all() {
            // The server assigns the ids of a user's own events. A user who could choose an id could
            // find out which ids exist.
            event.id = Given::Absent;
            event.operation_id = Given::Absent;
            event.system_id = Given::Absent;
            event.created_at = Given::Absent;
        }
        self.settle_system(&mut event)?;
        let draft = event.into_draft(self.limits, Policy::Repair);
        let draft = draft.map_err(Unfit::Invalid)?;
        Ok(match past {
            Some(past) => past.apply(draft),
            None => draft,
        })
    }

    fn read_event(self, json: &str) -> Result<(NewEvent, Option<Past>), serde_json::Error> {
        if self.keeps_past {
            let (event, past) = NewEvent::read_with_past(json, self.limits)?;
            Ok((event, Some(past)))
        } else {
            Ok((NewEvent::read(json, self.limits)?, None))
        }
    }
}
