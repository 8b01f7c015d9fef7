//! Parses the events of a publish request, and reports why they are refused.

mod options;
mod refusal;

use tidings_event::wire::Policy;
use tidings_event::{Draft, Given, Limits, NewEvent, OwnerName, Past, Violation, Violations};

use crate::identity::{Caller, Identity};
use crate::limits::LimitError;
use crate::request::json::{self, InvalidJson};
use crate::token::Scopes;

pub(crate) use options::{EventLocation, PublishOptions};
pub(crate) use refusal::PublishRefusal;

/// Reads the events that a caller publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventParser<'a> {
    caller: Caller,
    limits: &'a Limits,
    subjects: Subjects<'a>,
    /// Whether the body says which status the events had, and since when.
    keeps_past: bool,
}

/// The users whose subjects a publisher can name instead of owners.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subjects<'a> {
    /// Users of any issuer that the event names, on a server without a login.
    OfAny,
    /// Users of this issuer, whose owners are derived from their subjects.
    Of(&'a str),
    /// No users, since all subjects are UUIDs.
    OfNone,
}

impl<'a> From<&'a Identity> for Subjects<'a> {
    fn from(identity: &'a Identity) -> Self {
        match identity {
            Identity::Local => Self::OfAny,
            Identity::Tokens(tokens) => tokens.issuer_of_owners().map_or(Self::OfNone, Self::Of),
        }
    }
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
    pub(crate) fn read_one(self, text: &str) -> Result<Draft, PublishRefusal> {
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
    ) -> Result<Vec<T>, PublishRefusal> {
        let elements = self.elements(text, count)?;
        let mut prepared = Vec::with_capacity(elements.len());
        let mut unreadable = false;
        let mut violations = Violations::default();
        for (index, element) in elements.into_iter().enumerate() {
            match self.read_draft(text, element, &format!("[{index}]")) {
                Ok(draft) => prepared.push(prepare(draft)),
                Err(Unfit::Invalid(of_one)) => violations.extend_from_batch(index, of_one),
                Err(Unfit::CloudEvent) => return Err(PublishRefusal::CloudEvent),
                Err(Unfit::Foreign) => {
                    return Err(PublishRefusal::ForeignOwner { index: Some(index) });
                }
                Err(Unfit::Unreadable(fault)) => {
                    unreadable = true;
                    violations.add(fault.field, fault.fault, fault.remedy);
                }
            }
        }
        match violations.into_result() {
            Ok(()) => Ok(prepared),
            Err(violations) if unreadable => Err(PublishRefusal::Json(InvalidJson(violations))),
            Err(violations) => Err(PublishRefusal::Invalid(violations)),
        }
    }

    /// Reads an array in the same way, but accepts or refuses each event by itself.
    pub(crate) fn read_each<T>(
        self,
        text: &str,
        count: impl FnOnce(usize) -> Result<(), LimitError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<Result<T, PublishRefusal>>, PublishRefusal> {
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
    ) -> Result<Vec<&str>, PublishRefusal> {
        let limit = self.limits.batch_events;
        let elements = json::elements(text, text, "body", limit)?;
        match elements.count {
            0 => return Err(PublishRefusal::EmptyBatch),
            events if events > limit => {
                return Err(PublishRefusal::TooManyEvents { events, limit });
            }
            events => count(events)?,
        }
        Ok(elements.first.into_iter().map(|one| one.get()).collect())
    }

    fn publishes_for_all(self) -> bool {
        self.caller.scopes.contains(Scopes::PUBLISH)
    }

    /// Reads an event. A `CloudEvent` lacks required fields, so only a refused event is examined for it.
    fn read_draft(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        let read = self.read_event_of_ours(document, part, prefix);
        match read {
            Err(Unfit::Invalid(_) | Unfit::Unreadable(_)) if is_cloud_event(part) => {
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

    /// Determines the owner of an event: the named owner, the user with the named subject, or otherwise
    /// the caller. A malformed owner, and a subject without a user or of another user than the owner,
    /// stay as they are and are refused with the other violations.
    fn settle_owner(self, event: &mut NewEvent) -> Result<(), Unfit> {
        if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
            event.owner = Given::Absent;
        }
        self.settle_subject(event)?;
        let caller = OwnerName::User(self.caller.owner);
        if event.subject.is_absent() {
            event.owner.or_default_to(caller);
        }
        let is_foreign = matches!(&event.owner, Given::Value(owner) if *owner != caller);
        if is_foreign && !self.publishes_for_all() {
            return Err(Unfit::Foreign);
        }
        Ok(())
    }

    /// Replaces a subject by the owner that it stands for.
    fn settle_subject(self, event: &mut NewEvent) -> Result<(), Unfit> {
        if event.subject.is_absent() {
            event.issuer = Given::Absent;
            return Ok(());
        }
        match self.subjects {
            Subjects::OfAny => {}
            Subjects::OfNone => event.issuer = Given::Absent,
            Subjects::Of(issuer) => {
                event.issuer.or_default_to(issuer.to_owned());
                // Users of another issuer cannot sign in, so nobody would ever see the event.
                if event.issuer.as_value().is_some_and(|given| given != issuer) {
                    let mut violations = Violations::default();
                    violations.add(
                        "issuer",
                        "is not the issuer whose tokens this server accepts",
                        "write it as in the tokens' `iss`, or leave it out",
                    );
                    return Err(Unfit::Invalid(violations));
                }
            }
        }
        event.settle_subject();
        Ok(())
    }
}

/// Why an event of a request cannot be stored.
enum Unfit {
    /// It is not JSON of the expected form.
    Unreadable(Violation),
    /// It breaks rules.
    Invalid(Violations),
    /// It is a `CloudEvent`, and not an event of this API.
    CloudEvent,
    /// Its owner is a user to whom the caller cannot publish.
    Foreign,
}

/// Whether an object has the fields that every `CloudEvent` has
/// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes>).
fn is_cloud_event(json: &str) -> bool {
    const MAX_FIELDS: usize = 100;
    let Ok(fields) = json::fields(json, json, "body", MAX_FIELDS) else {
        return false;
    };
    let has = |name: &str| fields.first.iter().any(|(field, _)| field == name);
    ["specversion", "id", "source", "type"].into_iter().all(has)
}

impl Unfit {
    /// The refusal of an event that is not part of a batch.
    fn alone(self) -> PublishRefusal {
        match self {
            Self::Unreadable(violation) => violation.into(),
            Self::Invalid(violations) => PublishRefusal::Invalid(violations),
            Self::CloudEvent => PublishRefusal::CloudEvent,
            Self::Foreign => PublishRefusal::ForeignOwner { index: None },
        }
    }
}
