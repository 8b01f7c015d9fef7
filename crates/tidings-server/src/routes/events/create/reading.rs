//! What a caller publishes, read from the text of a body.

use tidings_event::{
    CausePolicy, Draft, Given, Limits, NewEvent, OwnerName, Past, Violation, Violations,
};

use crate::error::ApiError;
use crate::identity::Caller;
use crate::json;
use crate::token::Scopes;

/// Reads what a caller publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    caller: Caller,
    limits: &'a Limits,
    /// Whether status and last change are taken from the body.
    keeps_past: bool,
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
        keeps_past: bool,
    ) -> Result<Self, ApiError> {
        let reader = Self {
            caller,
            limits,
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
        check_size(text.trim_ascii(), None, self.limits)?;
        self.read_draft(text, text, "")
            .map_err(|unfit| match unfit {
                Unfit::Unreadable(fault) => ApiError::invalid_json(fault),
                Unfit::Invalid(violations) => ApiError::InvalidEvent(violations),
                Unfit::Foreign => ApiError::ForeignOwner { index: None },
            })
    }

    /// Reads a body that is an array, once `admit` has agreed to the number of its events. Prepares one
    /// after the other, so that only one at a time is there as parsed values.
    pub(crate) fn read_batch<T>(
        self,
        text: &str,
        admit: impl FnOnce(usize) -> Result<(), ApiError>,
        prepare: impl Fn(Draft) -> T,
    ) -> Result<Vec<T>, ApiError> {
        let limit = self.limits.batch_events;
        let elements = json::elements(text, text, "body", limit);
        let elements = elements.map_err(ApiError::invalid_json)?;
        match elements.count {
            0 => return Err(ApiError::EmptyBatch),
            events if events > limit => return Err(ApiError::TooManyEvents { events, limit }),
            events => admit(events)?,
        }
        let mut prepared = Vec::with_capacity(elements.count);
        let mut unreadable = false;
        let mut violations = Violations::default();
        for (index, element) in elements.first.into_iter().enumerate() {
            check_size(element.get(), Some(index), self.limits)?;
            match self.read_draft(text, element.get(), &format!("[{index}]")) {
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

    fn publishes_for_all(self) -> bool {
        self.caller.scopes.contains(Scopes::PUBLISH)
    }

    /// An event that names no owner is the caller's.
    fn read_draft(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        // The parser would take an array for the fields in their order.
        if is_batch(part) {
            return Err(Unfit::Unreadable(Violation {
                field: prefix.to_owned(),
                fault: "is an array in an array".to_owned(),
                remedy: "send one array of events".to_owned(),
            }));
        }
        let mut event: NewEvent = json::read(document, part, prefix).map_err(Unfit::Unreadable)?;
        if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
            event.owner = Given::Absent;
        }
        let caller = OwnerName::User(self.caller.owner);
        event.owner.or_default_to(caller);
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
        let draft = event.into_draft(self.limits, CausePolicy::FillFromDescription);
        let draft = draft.map_err(Unfit::Invalid)?;
        if !self.keeps_past {
            return Ok(draft);
        }
        let past: Past = json::read(document, part, prefix).map_err(Unfit::Unreadable)?;
        past.apply(draft).map_err(Unfit::Invalid)
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

/// The engine judges the stored form; here the form as it was sent bounds the work of reading it.
fn check_size(json: &str, index: Option<usize>, limits: &Limits) -> Result<(), ApiError> {
    let (bytes, limit) = (json.len(), limits.event_bytes);
    if bytes <= limit {
        return Ok(());
    }
    Err(ApiError::EventTooLarge {
        index,
        bytes,
        limit,
    })
}
