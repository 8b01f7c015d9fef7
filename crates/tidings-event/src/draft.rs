//! From what a publisher sends to an event that may be stored.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cause;
use crate::digest::Digests;
use crate::event::{Event, Metadata};
use crate::given::{Given, OwnerName};
use crate::id::{EventId, IdError, OperationId, OwnerId, ResourceId, SystemId};
use crate::kind::{Action, Category, NameError, Severity, SeverityError, Status};
use crate::quote::shortened;
use crate::rules::{self, Limits, Violations};

/// The body of a publish request: the publisher's fields of an event, not yet judged.
///
/// Fields the server sets (`status`, `updatedAt`, `deletedAt`) and unknown ones are ignored, as
/// existing servers do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, expecting = "an event object")]
pub struct NewEvent {
    /// Minted when absent or nil.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<EventId>))]
    pub id: Given<EventId>,
    /// Over HTTP the caller when absent or nil; from the builder the system.
    #[serde(
        alias = "user_id",
        alias = "userId",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub owner: Given<OwnerName>,
    /// This installation when absent or nil.
    #[serde(alias = "system_id", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<SystemId>))]
    pub system_id: Given<SystemId>,
    /// The event's own id when absent or nil: an operation of one event.
    #[serde(alias = "operation_id", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OperationId>))]
    pub operation_id: Given<OperationId>,
    /// Required.
    #[serde(alias = "acted_upon", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = ResourceId, required = true))]
    pub acted_upon: Given<ResourceId>,
    /// Required.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Category, required = true))]
    pub category: Given<Category>,
    /// Required.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Action, required = true))]
    pub action: Given<Action>,
    /// Required.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Severity, required = true))]
    pub severity: Given<Severity>,
    /// Empty when absent.
    pub description: Option<String>,
    /// Nothing when absent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Metadata>,
    /// The time of publishing when absent.
    #[serde(alias = "created_at", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub created_at: Given<Timestamp>,
}

/// What to do with an event of severity error that does not say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CausePolicy {
    /// Refuse it: the developer is there to add the cause.
    Require,
    /// Take the description for the cause: losing the event would be worse.
    FillFromDescription,
}

/// An event that keeps the rules and is ready to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    event: Event,
    created_at_given: bool,
}

impl Draft {
    /// Judges a built event again, since its fields are public.
    ///
    /// # Errors
    ///
    /// Every rule it breaks.
    pub fn from_event(event: Event, limits: &Limits) -> Result<Self, Violations> {
        NewEvent::from(event).into_draft(limits, CausePolicy::Require)
    }

    /// The event. Its owner is `None` for the system, and its system id may be nil.
    pub const fn event(&self) -> &Event {
        &self.event
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

    /// Settles what only the store knows, its own system id, and digests the publisher's fields.
    pub fn resolve(self, system: SystemId) -> (Event, Digests) {
        let Self {
            mut event,
            created_at_given,
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

impl From<Event> for NewEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.into(),
            owner: event
                .owner
                .map_or(OwnerName::System, OwnerName::User)
                .into(),
            system_id: event.system_id.into(),
            operation_id: event.operation_id.into(),
            acted_upon: event.acted_upon.into(),
            category: event.category.into(),
            action: event.action.into(),
            severity: event.severity.into(),
            description: Some(event.description),
            metadata: event.metadata,
            created_at: event.created_at.into(),
        }
    }
}

const UUID_REMEDY: &str = "give a UUID like 7b1d2c3e-0000-4000-8000-000000000001, or leave it out";
const RESOURCE_REMEDY: &str = "give the UUID of the resource the event is about";
const NAME_REMEDY: &str = "write it in snake_case, such as `remove_from_organization`";

impl NewEvent {
    /// Applies the rules and fills in what was not given.
    ///
    /// # Errors
    ///
    /// Every rule the event breaks, each with its field, fault and remedy.
    pub fn into_draft(self, limits: &Limits, policy: CausePolicy) -> Result<Draft, Violations> {
        let mut violations = Violations::default();
        let id = optional("id", self.id, UUID_REMEDY, &mut violations).filter(|id| !id.is_nil());
        let owner = optional(
            "owner",
            self.owner,
            "give the user's UUID, or `system` for an event that every user sees",
            &mut violations,
        );
        let system_id = optional("systemId", self.system_id, UUID_REMEDY, &mut violations);
        let operation_id = optional(
            "operationId",
            self.operation_id,
            UUID_REMEDY,
            &mut violations,
        );
        let acted_upon = required(
            "actedUpon",
            self.acted_upon,
            RESOURCE_REMEDY,
            &mut violations,
        );
        if acted_upon.is_some_and(|resource| resource.is_nil()) {
            violations.add(
                "actedUpon",
                "is the nil UUID, which means none",
                RESOURCE_REMEDY,
            );
        }
        let category = required("category", self.category, NAME_REMEDY, &mut violations);
        let action = required("action", self.action, NAME_REMEDY, &mut violations);
        let severity = severity(self.severity, &mut violations);
        let description = self.description.unwrap_or_default();
        rules::check_description(&description, limits, &mut violations);
        let fill = (policy == CausePolicy::FillFromDescription).then_some(description.as_str());
        let metadata = with_cause(self.metadata, severity, fill, &mut violations);
        // As it is stored, with the cause in its full form: judged again, it is judged the same.
        if let Some(metadata) = &metadata {
            rules::check_metadata(metadata, limits, &mut violations);
        }
        let created_at = self.created_at.without_zero();
        let created_at_given = !created_at.is_absent();
        let created_at = moment("createdAt", created_at, &mut violations);
        let created_at = created_at.unwrap_or_else(Timestamp::now);

        let (Some(acted_upon), Some(category), Some(action), Some(severity), true) = (
            acted_upon,
            category,
            action,
            severity,
            violations.is_empty(),
        ) else {
            return Err(violations);
        };
        let id = id.unwrap_or_else(EventId::mint);
        let event = Event {
            id,
            owner: match owner {
                Some(OwnerName::User(user)) if !user.is_nil() => Some(user),
                _ => None,
            },
            system_id: system_id.unwrap_or(SystemId::NIL),
            operation_id: operation_id
                .filter(|operation| !operation.is_nil())
                .unwrap_or_else(|| OperationId::from_uuid(*id.as_uuid())),
            acted_upon,
            category,
            action,
            description,
            severity,
            status: Status::Unread,
            metadata,
            created_at,
            updated_at: created_at,
            deleted_at: None,
        };
        Ok(Draft {
            event,
            created_at_given,
        })
    }
}

fn optional<T>(field: &str, given: Given<T>, remedy: &str, violations: &mut Violations) -> Option<T>
where
    T: FromStr<Err: Fault>,
{
    match given {
        Given::Absent => None,
        Given::Value(value) => Some(value),
        Given::Malformed(text) => {
            let fault = match text.parse::<T>() {
                Err(error) => error.fault_of(&text),
                Ok(_) => "could not be read".to_owned(),
            };
            violations.add(field, fault, remedy);
            None
        }
    }
}

fn required<T>(field: &str, given: Given<T>, remedy: &str, violations: &mut Violations) -> Option<T>
where
    T: FromStr<Err: Fault>,
{
    if given.is_absent() {
        violations.add(field, "is missing", remedy);
    }
    optional(field, given, remedy, violations)
}

/// Says what is wrong with a text, to stand behind the name of its field.
trait Fault {
    fn fault_of(&self, text: &str) -> String;
}

impl Fault for IdError {
    fn fault_of(&self, text: &str) -> String {
        format!("`{}` is {self}", shortened(text))
    }
}

impl Fault for NameError {
    fn fault_of(&self, _text: &str) -> String {
        self.to_string()
    }
}

impl Fault for SeverityError {
    fn fault_of(&self, _text: &str) -> String {
        self.to_string()
    }
}

impl Fault for jiff::Error {
    /// Its own words are about its parser.
    fn fault_of(&self, text: &str) -> String {
        format!("`{}` is not an RFC 3339 time", shortened(text))
    }
}

fn severity(given: Given<Severity>, violations: &mut Violations) -> Option<Severity> {
    // The remedy is long, and mostly not needed.
    let remedy = match &given {
        Given::Value(severity) => return Some(*severity),
        Given::Malformed(text) => match text.parse::<Severity>() {
            Err(error) => error.remedy(),
            Ok(severity) => format!("write `{severity}`"),
        },
        Given::Absent => format!(
            "give one of {}",
            Severity::ALL.map(Severity::as_str).join(", ")
        ),
    };
    required("severity", given, &remedy, violations)
}

/// A time in the years that fit a signed 64-bit count of nanoseconds since 1970.
pub(crate) fn moment(
    field: &str,
    given: Given<Timestamp>,
    violations: &mut Violations,
) -> Option<Timestamp> {
    const REMEDY: &str = "give an RFC 3339 time such as 2026-08-01T10:00:00.5Z, or leave it out";
    let moment = optional(field, given, REMEDY, violations)?;
    if i64::try_from(moment.as_nanosecond()).is_err() || moment < Timestamp::UNIX_EPOCH {
        violations.add(field, "is not between the years 1970 and 2262", REMEDY);
    }
    Some(moment)
}

/// Stores the cause under `error` in the shape views read, whichever way it was given.
fn with_cause(
    metadata: Option<Metadata>,
    severity: Option<Severity>,
    fill: Option<&str>,
    violations: &mut Violations,
) -> Option<Metadata> {
    let mut metadata = metadata;
    let given = metadata.as_mut().and_then(|metadata| {
        take_non_empty(metadata, "error").or_else(|| take_non_empty(metadata, "err"))
    });
    // Most of Go's errors are written as `{}`, which says nothing.
    let given =
        given.filter(|cause| severity != Some(Severity::Error) || !cause::says_nothing(cause));
    let cause = match (given, fill) {
        (Some(given), _) => given,
        (None, Some(description)) if severity == Some(Severity::Error) => {
            let text = if description.trim().is_empty() {
                "no cause was given"
            } else {
                description
            };
            Value::from(text)
        }
        (None, None) if severity == Some(Severity::Error) => {
            violations.add(
                "metadata.error",
                "is missing or says nothing, and an event of severity error needs its cause",
                "call with_error with what went wrong and what the user can do",
            );
            return metadata;
        }
        (None, _) => return metadata,
    };
    metadata
        .get_or_insert_default()
        .insert("error".into(), cause::normalized(cause));
    metadata
}

fn take_non_empty(metadata: &mut Metadata, key: &str) -> Option<Value> {
    match metadata.get(key)? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        _ => metadata.remove(key),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(body: Value) -> Result<Draft, Violations> {
        serde_json::from_value::<NewEvent>(body)
            .unwrap()
            .into_draft(&Limits::default(), CausePolicy::FillFromDescription)
    }

    fn good() -> Value {
        json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "connection",
               "action": "register", "severity": "success"})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut body = good();
        body[key] = value;
        body
    }

    fn digest_of(body: Value) -> crate::Digest {
        draft(body)
            .unwrap()
            .resolve(SystemId::from_uuid(uuid::Uuid::from_u128(5)))
            .1
            .of_content
    }

    #[test]
    fn both_casings_and_old_names_are_read() {
        let user = "0c0ffee0-0000-4000-8000-00000000000a";
        for name in ["owner", "user_id", "userId"] {
            let event = draft(with(name, json!(user))).unwrap().event;
            assert_eq!(event.owner.unwrap().to_string(), user);
        }
        let snake = json!({"acted_upon": user, "operation_id": user, "system_id": user,
                           "created_at": "2026-08-01T12:00:00+02:00", "category": "a",
                           "action": "b", "severity": "debug"});
        let event = draft(snake).unwrap().event;
        assert_eq!(event.operation_id.to_string(), user);
        assert_eq!(event.created_at.to_string(), "2026-08-01T10:00:00Z");
    }

    #[test]
    fn every_violation_is_reported_at_once() {
        let body = json!({"id": "x", "owner": "y", "category": "Snake-Case", "severity": "info",
                          "description": "d\0", "metadata": {"doc": "javascript:alert(1)"},
                          "createdAt": "yesterday", "actedUpon": null});
        let violations = draft(body).unwrap_err();
        let fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "id",
                "owner",
                "actedUpon",
                "category",
                "action",
                "severity",
                "description",
                "metadata.doc",
                "createdAt"
            ]
        );
        assert!(
            violations
                .iter()
                .all(|violation| !violation.remedy.is_empty())
        );
        assert!(violations.to_string().contains("write `informational`"));
    }

    #[test]
    fn the_nil_uuid_is_absent() {
        let nil = uuid::Uuid::nil().to_string();
        let event = draft(with("id", json!(nil))).unwrap().event;
        assert!(!event.id.is_nil());
        assert_eq!(draft(with("owner", json!(nil))).unwrap().event.owner, None);
        let violations = draft(with("actedUpon", json!(nil))).unwrap_err();
        let all: Vec<_> = violations.iter().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].field, "actedUpon");
        assert!(all[0].fault.contains("nil UUID"), "{}", all[0].fault);
    }

    #[test]
    fn what_stands_for_none_is_absent() {
        const FIELDS: [&str; 5] = ["id", "owner", "systemId", "operationId", "createdAt"];
        let mut empty = good();
        for field in FIELDS {
            empty[field] = json!("");
        }
        let mut zero = good();
        zero["createdAt"] = json!("0001-01-01T00:00:00Z");
        for body in [empty, zero] {
            let draft = draft(body).unwrap();
            assert!(!draft.created_at_given);
            let event = draft.event;
            assert!(!event.id.is_nil());
            assert_eq!(event.owner, None);
            assert!(event.system_id.is_nil());
            assert_eq!(event.operation_id.as_uuid(), event.id.as_uuid());
            assert!(event.created_at > Timestamp::UNIX_EPOCH);
        }
        for field in FIELDS {
            for bad in [" ", "x", "0001-01-01T00:00:01Z"] {
                let violations = draft(with(field, json!(bad))).unwrap_err();
                assert_eq!(violations.iter().next().unwrap().field, field, "{bad}");
            }
        }
        let violations = draft(with("actedUpon", json!(""))).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().fault, "is missing");
    }

    #[test]
    fn an_error_without_a_cause_takes_its_description() {
        for metadata in [
            json!(null),
            json!({"error": ""}),
            json!({"error": {}}),
            json!({"err": {}, "error": null}),
            json!({"error": " "}),
            json!({"error": {"Severity": 2, "ShortDescription": [""], "ProbableCause": [" ", null]}}),
        ] {
            let mut body = with("severity", json!("error"));
            body["description"] = json!("it broke");
            body["metadata"] = metadata;
            let metadata = draft(body).unwrap().event.metadata.unwrap();
            let cause = &metadata["error"]["LongDescription"];
            assert_eq!(*cause, json!(["it broke"]));
        }
    }

    #[test]
    fn a_cause_that_says_anything_is_kept() {
        for cause in [
            json!({"Code": "k-1"}),
            json!({"SuggestedRemediation": "start it"}),
            json!({"message": "boom"}),
            json!(0),
        ] {
            let mut body = with("severity", json!("error"));
            body["description"] = json!("it broke");
            body["metadata"] = json!({"error": cause});
            let metadata = draft(body).unwrap().event.metadata.unwrap();
            let kept = metadata["error"].to_string();
            assert!(!kept.contains("it broke"), "{kept}");
        }
    }

    #[test]
    fn what_http_stores_may_be_published_back() {
        for description in ["it broke", "", " "] {
            for cause in [json!(null), json!({"ShortDescription": ""}), json!("boom")] {
                let mut body = with("severity", json!("error"));
                body["description"] = json!(description);
                body["metadata"] = json!({"error": cause});
                let event = draft(body).unwrap().event;
                let again = Draft::from_event(event.clone(), &Limits::default()).unwrap();
                assert_eq!(again.event, event);
            }
        }
    }

    #[test]
    fn err_is_stored_as_error() {
        let event = draft(with("metadata", json!({"err": "boom", "k": 1})))
            .unwrap()
            .event;
        let metadata = event.metadata.unwrap();
        assert!(metadata.get("err").is_none());
        assert_eq!(metadata["error"]["ShortDescription"], json!(["boom"]));
        assert_eq!(metadata["k"], json!(1));
    }

    #[test]
    fn limits_are_exact() {
        let limit = Limits::default().description_bytes;
        assert!(draft(with("description", json!("x".repeat(limit)))).is_ok());
        assert!(draft(with("description", json!("x".repeat(limit + 1)))).is_err());
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(draft(with("metadata", nested(32))).is_ok());
        assert!(draft(with("metadata", nested(33))).is_err());
        // {"k":"…"} is eight bytes around the text.
        let metadata = |bytes: usize| json!({"k": "x".repeat(bytes - 8)});
        assert!(draft(with("metadata", metadata(65536))).is_ok());
        assert!(draft(with("metadata", metadata(65537))).is_err());
    }

    #[test]
    fn keys_are_counted_at_every_level() {
        let inner = |keys: usize| -> Value {
            (0..keys)
                .map(|number| (format!("k{number}"), json!(0)))
                .collect::<Metadata>()
                .into()
        };
        // Four keys are around the inner ones.
        let metadata = |keys: usize| json!({"a": [[inner(keys - 4)], {"b": 1}], "c": {"d": []}});
        let limit = Limits::default().metadata_keys;
        assert!(draft(with("metadata", metadata(limit))).is_ok());
        let violations = draft(with("metadata", metadata(limit + 1))).unwrap_err();
        let violation = violations.iter().next().unwrap();
        assert_eq!(violation.field, "metadata");
        assert_eq!(
            violation.fault,
            format!("has {} keys, more than the {limit} allowed", limit + 1)
        );
        assert!(!violation.remedy.is_empty());
    }

    #[test]
    fn the_digest_tells_content_apart_and_ignores_what_the_server_filled_in() {
        let id = json!("0c0ffee0-0000-4000-8000-00000000000c");
        let base = || with("id", id.clone());
        assert_eq!(digest_of(base()), digest_of(base()));
        for (key, value) in [
            ("owner", json!("0c0ffee0-0000-4000-8000-00000000000a")),
            ("description", json!("other")),
            ("metadata", json!({})),
            ("severity", json!("debug")),
            ("createdAt", json!("2026-08-01T10:00:00Z")),
            ("operationId", json!("0c0ffee0-0000-4000-8000-00000000000d")),
        ] {
            let mut other = base();
            other[key] = value;
            assert_ne!(digest_of(base()), digest_of(other), "{key}");
        }
    }

    #[test]
    fn a_built_event_published_again_has_the_same_digest() {
        let event = Event::builder()
            .acted_upon(uuid::Uuid::from_u128(1))
            .with_category("a")
            .with_action("b")
            .with_severity(Severity::Debug)
            .build()
            .unwrap();
        let system = SystemId::mint();
        let digest = |event: Event| {
            Draft::from_event(event, &Limits::default())
                .unwrap()
                .resolve(system)
                .1
                .of_content
        };
        assert_eq!(digest(event.clone()), digest(event));
    }

    #[test]
    fn what_is_built_once_is_judged_the_same_again() {
        for length in [65_000, 65_300, 65_400, 65_536] {
            let mut metadata = Metadata::new();
            metadata.insert("err".into(), "x".repeat(length).into());
            let built = Event::builder()
                .acted_upon(uuid::Uuid::from_u128(1))
                .with_category("a")
                .with_action("b")
                .with_severity(Severity::Error)
                .with_metadata(metadata)
                .build();
            if let Ok(event) = built {
                assert!(
                    Draft::from_event(event, &Limits::default()).is_ok(),
                    "{length}"
                );
            } else {
                assert!(length > 65_000, "{length}");
            }
        }
    }
}
