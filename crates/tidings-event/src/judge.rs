//! Applies the rules to a published event, field by field, and repairs faults.

mod name;
mod owner;
mod severity;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use crate::draft::{Draft, Sizes};
use crate::event::{Event, Metadata};
use crate::fit;
use crate::given::{Given, OwnerName, bare};
use crate::id::{EventId, IdError, OperationId, OwnerId, SystemId, made_id};
use crate::moment;
use crate::name::{Action, Category};
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::quote::shortened;
use crate::rules::{Limits, Violations};
use crate::severity::Severity;
use crate::status::Status;
use crate::stored_cause;
use crate::warning::{Warning, WarningCode, warn};
use name::{NAME_REMEDY, NAMES_OF_ACTION, NAMES_OF_CATEGORY};

const UUID_REMEDY: &str =
    "give a UUID like 7b1d2c3e-0000-4000-8000-000000000001, or leave the field out";
const OWNER_REMEDY: &str = "give the user's UUID, or `system` for an event that every user sees";
const RESOURCE_REMEDY: &str = "give the UUID of the resource the event is about";
const TIME_REMEDY: &str =
    "give an RFC 3339 time such as 2026-08-01T10:00:00.5Z, or leave the field out";

/// The maximum size of an unreadable text that is kept under another key, in bytes.
const KEPT_BYTES: usize = 1024;

impl NewEvent {
    /// Applies the rules, fills in missing fields, and repairs the faults that `policy` allows.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn into_draft(self, limits: &Limits, policy: Policy) -> Result<Draft, Violations> {
        let mut judge = Judge {
            policy,
            violations: Violations::default(),
            warnings: self.warnings,
            metadata: self.metadata,
        };
        let system_id = judge.system_id(self.system_id);
        let id = judge.id("id", self.id, system_id);
        let owner = judge.owner(self.owner, self.subject, self.issuer);
        let operation_id = judge.id("operationId", self.operation_id, system_id);
        let acted_upon = judge.known("actedUpon", self.acted_upon, RESOURCE_REMEDY);
        match acted_upon {
            Known::Absent => judge.reject("actedUpon", "is missing", RESOURCE_REMEDY),
            Known::Value(resource) if resource.is_nil() => {
                let fault = "is the nil UUID, which names no resource";
                judge.reject("actedUpon", fault, RESOURCE_REMEDY);
            }
            Known::Value(_) | Known::Rejected => {}
        }
        let description = self.description.unwrap_or_default();
        judge.check_that_something_is_said(&self.category, &self.action, &description);
        let category = judge.name(
            "category",
            "givenCategory",
            self.category,
            &NAMES_OF_CATEGORY,
        );
        let action = judge.name("action", "givenAction", self.action, &NAMES_OF_ACTION);
        let severity = judge.severity(self.severity);
        let created_at = judge.moment(&CREATED_AT, self.created_at);
        let expires_at = judge.moment(&EXPIRES_AT, self.expires_at);
        judge.take_cause(severity, &description);
        let (description, metadata_json) = judge.fit(description, limits);

        let Judge {
            violations,
            mut warnings,
            metadata,
            ..
        } = judge;
        let (Known::Value(acted_upon), true) = (acted_upon, violations.is_empty()) else {
            return Err(violations);
        };
        let id = id.map_or_else(EventId::mint, EventId::from_uuid);
        let created_at_given = created_at.is_some();
        let now = Timestamp::now();
        let created_at = created_at.unwrap_or(now);
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            let message = "is not in the future, so the event is deleted at once";
            warn(
                &mut warnings,
                EXPIRES_AT.field,
                WarningCode::Expired,
                message,
            );
        }
        let event = Event {
            id,
            owner,
            system_id,
            operation_id: operation_id
                .map_or_else(|| OperationId::from(*id.as_uuid()), OperationId::from_uuid),
            acted_upon,
            category,
            action,
            description,
            severity,
            status: Status::Unread,
            metadata,
            created_at,
            updated_at: created_at,
            expires_at,
            deleted_at: None,
        };
        let sizes = Sizes::of(limits);
        Ok(Draft::new(
            event,
            sizes,
            created_at_given,
            metadata_json,
            warnings,
        ))
    }
}

impl Draft {
    /// Applies the rules to an event that is already built, because its fields are public.
    ///
    /// # Errors
    ///
    /// Every rule that the event breaks.
    pub fn from_event(event: Event, limits: &Limits) -> Result<Self, Violations> {
        NewEvent::from(event).into_draft(limits, Policy::Reject)
    }
}

/// The owner that a publisher names; `None` for the system.
///
/// # Errors
///
/// Every rule that the fields break.
pub(crate) fn owner(
    owner: Given<OwnerName>,
    subject: Given<String>,
    issuer: Given<String>,
) -> Result<Option<OwnerId>, Violations> {
    let mut judge = Judge {
        policy: Policy::Reject,
        violations: Violations::default(),
        warnings: Vec::new(),
        metadata: None,
    };
    let owner = judge.owner(owner, subject, issuer);
    judge.violations.into_result().map(|()| owner)
}

/// A field with a time.
struct MomentField {
    field: &'static str,
    /// The value instead of an unreadable one.
    default: &'static str,
    /// The key of the metadata under which an unreadable one is stored.
    kept_as: &'static str,
}

const CREATED_AT: MomentField = MomentField {
    field: "createdAt",
    default: "the time of publishing",
    kept_as: "givenCreatedAt",
};

const EXPIRES_AT: MomentField = MomentField {
    field: "expiresAt",
    default: "no time",
    kept_as: "givenExpiresAt",
};

/// A field that is never repaired.
#[derive(Clone, Copy)]
enum Known<T> {
    Absent,
    Value(T),
    /// The field is malformed; the violation is recorded.
    Rejected,
}

struct Judge {
    policy: Policy,
    violations: Violations,
    warnings: Vec<Warning>,
    metadata: Option<Metadata>,
}

impl Judge {
    fn repairs(&self) -> bool {
        self.policy == Policy::Repair
    }

    fn reject(&mut self, field: &str, fault: impl Into<String>, remedy: impl Into<String>) {
        self.violations.add(field, fault, remedy);
    }

    fn warn(&mut self, field: &str, code: WarningCode, message: impl Into<String>) {
        warn(&mut self.warnings, field, code, message);
    }

    /// Stores a text that its field cannot hold under `key` of the metadata.
    fn keep(&mut self, key: &str, text: &str) {
        let mut kept = text.to_owned();
        kept.truncate(text.floor_char_boundary(KEPT_BYTES));
        let metadata = self.metadata.get_or_insert_default();
        let key = fit::free_key(metadata, key);
        metadata.insert(key, kept.into());
    }

    /// Reads a field that is rejected if it is malformed.
    fn known<T>(&mut self, field: &str, given: Given<T>, remedy: &str) -> Known<T> {
        match given {
            Given::Absent => Known::Absent,
            Given::Value(value) => Known::Value(value),
            Given::Malformed(text) => {
                let fault = format!("`{}` is {IdError}", shortened(&text));
                self.reject(field, fault, remedy);
                Known::Rejected
            }
        }
    }

    fn system_id(&mut self, given: Given<SystemId>) -> SystemId {
        let id = self.id("systemId", given, SystemId::NIL);
        id.map_or(SystemId::NIL, SystemId::from_uuid)
    }

    /// Reads an id. A text that is not a UUID always gives the same derived UUID, so that repeats are
    /// recognized.
    fn id<T>(&mut self, field: &str, given: Given<T>, system: SystemId) -> Option<uuid::Uuid>
    where
        T: Into<uuid::Uuid>,
    {
        let text = match given {
            Given::Absent => return None,
            Given::Value(id) => return Some(id.into()).filter(|id| !id.is_nil()),
            Given::Malformed(text) => text,
        };
        let bare = bare(&text);
        let quoted = shortened(bare);
        if !self.repairs() {
            self.reject(field, format!("`{quoted}` is {IdError}"), UUID_REMEDY);
            return None;
        }
        let made = made_id(system, bare);
        let message = format!("`{quoted}` is not a UUID; the derived UUID {made} is stored");
        self.warn(field, WarningCode::Converted, message);
        Some(made)
    }

    /// Rejects an event without any content for a user.
    fn check_that_something_is_said(
        &mut self,
        category: &Given<Category>,
        action: &Given<Action>,
        description: &str,
    ) {
        let says_nothing = |metadata: &Metadata| metadata.values().all(stored_cause::is_blank);
        if self.repairs()
            && category.is_absent()
            && action.is_absent()
            && is_blank(description)
            && self.metadata.as_ref().is_none_or(says_nothing)
        {
            self.reject(
                "category",
                "is missing, and no action, description or metadata says what happened",
                NAME_REMEDY,
            );
        }
    }

    /// Reads a time that the store can represent. `None` if it is absent or unreadable.
    fn moment(&mut self, of: &MomentField, given: Given<Timestamp>) -> Option<Timestamp> {
        let field = of.field;
        let text = match given.without_zero() {
            Given::Absent => return None,
            Given::Value(moment) if moment::is_storable(moment) => return Some(moment),
            Given::Value(moment) => moment.to_string(),
            Given::Malformed(text) => text,
        };
        if !self.repairs() {
            let fault = "is not an RFC 3339 time between the years 1970 and 2262";
            self.reject(field, fault, TIME_REMEDY);
            return None;
        }
        let moment = moment::repaired(field, &text, of.default, &mut self.warnings);
        if moment.is_none() {
            self.keep(of.kept_as, &text);
        }
        moment
    }

    /// Stores the cause under `error` in the shape that views read.
    fn take_cause(&mut self, severity: Severity, description: &str) {
        let is_error = severity == Severity::Error;
        let given = self
            .metadata
            .as_mut()
            .and_then(|metadata| stored_cause::take(metadata, severity));
        // Go encodes most errors as `{}`, which is blank.
        let given = given.filter(|cause| !is_error || !stored_cause::says_nothing(cause));
        let cause = match given {
            Some(given) => given,
            None if !is_error => return,
            None if self.repairs() && is_blank(description) => "no cause was given".into(),
            None if self.repairs() => Value::from(description),
            None => {
                self.reject(
                    "metadata.error",
                    "is missing or blank, but an event of severity error requires a cause",
                    "call with_error with the cause and a suggested remediation",
                );
                return;
            }
        };
        let mut cause = stored_cause::normalized(cause);
        if is_error {
            stored_cause::say_at_least(&mut cause, description);
        }
        self.metadata
            .get_or_insert_default()
            .insert("error".into(), cause);
    }

    /// Cuts description and metadata to their limits, and encodes the metadata.
    fn fit(&mut self, description: String, limits: &Limits) -> (String, Option<Box<str>>) {
        if !self.repairs()
            && let Some(doc) = self
                .metadata
                .as_ref()
                .and_then(|metadata| metadata.get("doc"))
            && !fit::is_web_address(doc)
        {
            self.reject(
                "metadata.doc",
                "is not a web address",
                "give the full URL, beginning with https:// or http://",
            );
        }
        let description =
            fit::description(description, &mut self.metadata, limits, &mut self.warnings);
        let json = self
            .metadata
            .as_mut()
            .map(|metadata| fit::metadata(metadata, description.len(), limits, &mut self.warnings));
        (description, json)
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
