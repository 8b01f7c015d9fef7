//! What a caller publishes, read from the text of a body.

use tidings_event::{
    Draft, Given, Limits, NewEvent, OwnerName, Past, Policy, Violation, Violations,
};

use crate::error::ApiError;
use crate::identity::{Caller, Identity};
use crate::json;
use crate::token::Scopes;

/// Reads what a caller publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    caller: Caller,
    limits: &'a Limits,
    subjects: Subjects<'a>,
    /// Whether status and last change are taken from the body.
    keeps_past: bool,
}

/// Of whom the owners are that a publisher may name by their subjects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subjects<'a> {
    /// Of any issuer that the event names: without a login nobody is made an owner otherwise.
    OfAny,
    /// Of this issuer, whose users have owners made of their subjects.
    Of(&'a str),
    /// Of none: users are those whose subject is a UUID.
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

impl<'a> Reader<'a> {
    /// Refuses callers who may not say what happened in another store: that is anybody's past.
    pub(crate) fn new(
        caller: Caller,
        limits: &'a Limits,
        subjects: Subjects<'a>,
        keeps_past: bool,
    ) -> Result<Self, ApiError> {
        let reader = Self {
            caller,
            limits,
            subjects,
            keeps_past,
        };
        if keeps_past && !reader.publishes_for_all() {
            let any_of = &[Scopes::PUBLISH];
            return Err(ApiError::MissingScope { any_of });
        }
        Ok(reader)
    }

    /// Reads a body that is one event.
    pub(crate) fn read_one(self, text: &str) -> Result<Draft, ApiError> {
        Ok(self.read_draft(text, text, "")?)
    }

    /// Reads a body that is an array, once `admit` has agreed to the number of its events: all of them, or
    /// what is wrong with any. Prepares one after the other, so that only one at a time is there as parsed
    /// values.
    pub(crate) fn read_batch<T>(
        self,
        text: &str,
        admit: impl FnOnce(usize) -> Result<(), ApiError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<T>, ApiError> {
        let elements = self.elements(text, admit)?;
        let mut prepared = Vec::with_capacity(elements.len());
        let mut unreadable = false;
        let mut violations = Violations::default();
        for (index, element) in elements.into_iter().enumerate() {
            match self.read_draft(text, element, &format!("[{index}]")) {
                Ok(draft) => prepared.push(prepare(draft)),
                Err(Unfit::Invalid(of_one)) => violations.extend_from_batch(index, of_one),
                Err(Unfit::Foreign) => return Err(ApiError::ForeignOwner { index: Some(index) }),
                Err(Unfit::Unreadable(fault)) => {
                    unreadable = true;
                    violations.add(fault.field, fault.fault, fault.remedy);
                }
            }
        }
        match violations.into_result() {
            Ok(()) => Ok(prepared),
            Err(violations) if unreadable => Err(ApiError::InvalidJson(violations)),
            Err(violations) => Err(ApiError::InvalidEvent(violations)),
        }
    }

    /// Reads an array in the same way, each event for itself.
    pub(crate) fn read_each<T>(
        self,
        text: &str,
        admit: impl FnOnce(usize) -> Result<(), ApiError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<Result<T, ApiError>>, ApiError> {
        let elements = self.elements(text, admit)?.into_iter();
        let read = |element| Ok(prepare(self.read_draft(text, element, "")?));
        Ok(elements.map(read).collect())
    }

    fn elements(
        self,
        text: &str,
        admit: impl FnOnce(usize) -> Result<(), ApiError>,
    ) -> Result<Vec<&str>, ApiError> {
        let limit = self.limits.batch_events;
        let elements = json::elements(text, text, "body", limit);
        let elements = elements.map_err(ApiError::invalid_json)?;
        match elements.count {
            0 => return Err(ApiError::EmptyBatch),
            events if events > limit => return Err(ApiError::TooManyEvents { events, limit }),
            events => admit(events)?,
        }
        Ok(elements.first.into_iter().map(|one| one.get()).collect())
    }

    fn publishes_for_all(self) -> bool {
        self.caller.scopes.contains(Scopes::PUBLISH)
    }

    /// An event that names no owner is the caller's.
    fn read_draft(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        // The parser would take an array for the fields in their order.
        if is_batch(part) {
            return Err(Unfit::Unreadable(Violation {
                field: if prefix.is_empty() { "body" } else { prefix }.to_owned(),
                fault: "is an array in an array".to_owned(),
                remedy: "send one array of events".to_owned(),
            }));
        }
        let (mut event, past) = self.read_event(part).map_err(|error| {
            Unfit::Unreadable(json::fault_of::<NewEvent>(&error, document, part, prefix))
        })?;
        if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
            event.owner = Given::Absent;
        }
        self.name_subject(&mut event)?;
        let caller = OwnerName::User(self.caller.owner);
        if event.subject.is_absent() {
            event.owner.or_default_to(caller);
        }
        if !self.publishes_for_all() {
            if matches!(&event.owner, Given::Value(owner) if *owner != caller) {
                return Err(Unfit::Foreign);
            }
            // A user says what happened, and the server which event that is: ids that one may choose
            // would tell which ones are taken.
            event.id = Given::Absent;
            event.operation_id = Given::Absent;
            event.system_id = Given::Absent;
            event.created_at = Given::Absent;
        }
        let draft = event.into_draft(self.limits, Policy::Repair);
        let draft = draft.map_err(Unfit::Invalid)?;
        // Whatever was repaired on the way.
        if !self.publishes_for_all() && draft.event().owner != Some(self.caller.owner) {
            return Err(Unfit::Foreign);
        }
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

    /// Puts the owner of a subject into its place. A subject that names nobody stays, and is refused with
    /// whatever else is wrong.
    fn name_subject(self, event: &mut NewEvent) -> Result<(), Unfit> {
        if event.subject.is_absent() {
            event.issuer = Given::Absent;
            return Ok(());
        }
        match self.subjects {
            Subjects::OfAny => {}
            Subjects::OfNone => event.issuer = Given::Absent,
            Subjects::Of(issuer) => {
                event.issuer.or_default_to(issuer.to_owned());
                // Its users are not let in, so nobody would ever see the event.
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
    /// It is not the JSON it should be.
    Unreadable(Violation),
    /// It breaks rules.
    Invalid(Violations),
    /// It is for somebody to whom the caller may not publish.
    Foreign,
}

impl From<Unfit> for ApiError {
    /// Of one event by itself.
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Unreadable(fault) => Self::invalid_json(fault),
            Unfit::Invalid(violations) => Self::InvalidEvent(violations),
            Unfit::Foreign => Self::ForeignOwner { index: None },
        }
    }
}
