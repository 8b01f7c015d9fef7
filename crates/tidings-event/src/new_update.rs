//! An update as the publisher sent it, before validation.

use serde::Serialize;
use serde_json::Value;

use crate::event::Metadata;
use crate::given::{Given, OwnerName};
use crate::id::{EventId, ResourceId};
use crate::name::{Action, Category};
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::{Limits, Violations};
use crate::severity::Severity;
use crate::update::{SEQUENCE_FAULT, SEQUENCE_REMEDY, Update};

/// The body of a request that updates an event. It replaces severity, description and metadata as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewUpdate {
    /// The owner of the event. If absent: the caller.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub owner: Given<OwnerName>,
    /// The user's subject at the identity provider, instead of `owner`.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub subject: Given<String>,
    /// The issuer of `subject`. If absent, the issuer that the server trusts.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub issuer: Given<String>,
    /// The new severity. The event becomes unread if it is more urgent than before. If absent, `error` is stored with
    /// a cause, otherwise `informational`, with a warning.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Severity, required = true))]
    pub severity: Given<Severity>,
    /// The new description; empty if absent.
    pub description: Option<String>,
    /// The new metadata; none if absent. `progress`, a number from 0 to 100, is shown as a bar.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>))]
    pub metadata: Option<Metadata>,
    /// Orders the updates of the event: one whose number is not higher than the last one is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 0, nullable = false))]
    pub sequence: Option<Value>,
    /// Whether the event becomes unread again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>, nullable = false))]
    pub renotify: Option<Value>,
    /// The other fields of the body, parsed.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    read: Box<NewEvent>,
    /// Whether the body has the fields `status`, `updatedAt` and `deletedAt` of a stored event.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    is_stored: [bool; 3],
}

const FIXED_REMEDY: &str = "leave it out: an update replaces severity, description and metadata; publish another event for the rest";

/// The fields that only a stored event has, each with the remedy.
const OF_READERS: [(&str, &str); 3] = [
    (
        "status",
        "leave it out: readers mark their events; `renotify` makes the event unread again",
    ),
    ("updatedAt", "leave it out: it is the time of the update"),
    ("deletedAt", "leave it out: an update does not delete"),
];

impl NewUpdate {
    /// Reads an update from JSON. A field of another type than documented is converted, as in an event.
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object.
    pub fn read(json: &str, limits: &Limits) -> Result<Self, serde_json::Error> {
        let (mut read, own) = NewEvent::read_update(json, limits)?;
        Ok(Self {
            owner: std::mem::take(&mut read.owner),
            subject: std::mem::take(&mut read.subject),
            issuer: std::mem::take(&mut read.issuer),
            severity: std::mem::take(&mut read.severity),
            description: read.description.take(),
            metadata: read.metadata.take(),
            sequence: own.sequence,
            renotify: own.renotify,
            is_stored: [own.status, own.updated_at, own.deleted_at].map(|field| field.is_some()),
            read: Box::new(read),
        })
    }

    /// Applies the rules to an update of the event `id`, and repairs the faults that `policy` allows.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn into_update(
        self,
        id: EventId,
        limits: &Limits,
        policy: Policy,
    ) -> Result<Update, Violations> {
        let mut violations = Violations::default();
        check_fixed(&self.read, id, &mut violations);
        for (is_given, (field, remedy)) in self.is_stored.into_iter().zip(OF_READERS) {
            if is_given {
                violations.add(field, "is not the publisher's to set", remedy);
            }
        }
        let sequence = sequence(self.sequence, &mut violations);
        let renotify = renotify(self.renotify.as_ref(), &mut violations);
        let event = NewEvent {
            id: id.into(),
            owner: self.owner,
            subject: self.subject,
            issuer: self.issuer,
            severity: self.severity,
            description: self.description,
            metadata: self.metadata,
            warnings: self.read.warnings,
            ..NewEvent::default()
        };
        let draft = event.with_placeholders().into_draft(limits, policy);
        match draft {
            Ok(draft) if violations.is_empty() => Ok(Update::new(draft, sequence, renotify)),
            Ok(_) => Err(violations),
            Err(of_event) => {
                violations.extend(of_event);
                Err(violations)
            }
        }
    }
}

/// Rejects fields that an update cannot change. Dropping them silently would lose what their publisher meant.
fn check_fixed(read: &NewEvent, id: EventId, violations: &mut Violations) {
    match &read.id {
        Given::Absent => {}
        Given::Value(same) if *same == id => {}
        Given::Value(_) | Given::Malformed(_) => {
            let remedy = "leave it out: the address of the request names the event";
            violations.add("id", "is not the id in the address", remedy);
        }
    }
    for (field, is_given) in [
        ("systemId", !read.system_id.is_absent()),
        ("operationId", !read.operation_id.is_absent()),
        ("actedUpon", !read.acted_upon.is_absent()),
        ("category", !read.category.is_absent()),
        ("action", !read.action.is_absent()),
        ("createdAt", !read.created_at.is_absent()),
        ("expiresAt", !read.expires_at.is_absent()),
    ] {
        if is_given {
            violations.add(field, "cannot be changed", FIXED_REMEDY);
        }
    }
}

fn sequence(given: Option<Value>, violations: &mut Violations) -> Option<u64> {
    let given = given?;
    let number = given
        .as_u64()
        .filter(|number| *number <= Update::MAX_SEQUENCE);
    if number.is_none() {
        violations.add("sequence", SEQUENCE_FAULT, SEQUENCE_REMEDY);
    }
    number
}

fn renotify(given: Option<&Value>, violations: &mut Violations) -> bool {
    match given {
        None => false,
        Some(Value::Bool(renotify)) => *renotify,
        Some(_) => {
            let remedy = "write `true` to make the event unread again, or leave it out";
            violations.add("renotify", "is not `true` or `false`", remedy);
            false
        }
    }
}

impl NewEvent {
    /// Fills in what an update does not tell, so that the rules for an event can be applied to the rest.
    pub(crate) fn with_placeholders(mut self) -> Self {
        const NAME: &str = "unknown";
        self.acted_upon = ResourceId::from_uuid(uuid::Uuid::max()).into();
        self.category = Given::<Category>::parse(NAME);
        self.action = Given::<Action>::parse(NAME);
        self
    }
}

impl From<Update> for NewUpdate {
    fn from(update: Update) -> Self {
        let event = update.event();
        let owner = event.owner.map_or(OwnerName::System, OwnerName::User);
        Self {
            owner: owner.into(),
            severity: event.severity.into(),
            description: Some(event.description.clone()),
            metadata: event.metadata.clone(),
            sequence: update.sequence().map(Value::from),
            renotify: update.renotifies().then_some(Value::Bool(true)),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Event;

    fn read(body: &Value) -> Result<Update, Vec<String>> {
        let limits = Limits::default();
        let id = "0193f0a0-0000-7000-8000-000000000001".parse().unwrap();
        let new = NewUpdate::read(&body.to_string(), &limits).unwrap();
        new.into_update(id, &limits, Policy::Repair)
            .map_err(|violations| violations.iter().map(|one| one.field.clone()).collect())
    }

    #[test]
    fn repairs_what_an_event_would_be_repaired_in() {
        let update = read(&json!({"severity": "ok", "description": ["a", "b"]})).unwrap();
        assert_eq!(update.severity(), Severity::Success);
        assert_eq!(update.description(), "a\nb");
        assert_eq!(update.warnings().len(), 2);
        let update = read(&json!({})).unwrap();
        assert_eq!(update.severity(), Severity::Informational);
        let mut failed = read(&json!({"severity": "error", "description": "no room"})).unwrap();
        assert!(failed.take_metadata_json().unwrap().contains("no room"));
    }

    #[test]
    fn names_every_field_that_cannot_be_changed() {
        let rejected = read(
            &json!({"id": "0193f0a0-0000-7000-8000-000000000002", "severity": "debug",
            "category": "a", "action": "b", "systemId": "node a", "operation_id": "x",
            "actedUpon": "cluster-1", "createdAt": "yesterday", "expiresAt": "tomorrow", "sequence": -1, "renotify": "yes"}),
        );
        let mut fields = rejected.unwrap_err();
        fields.sort_unstable();
        let expected = [
            "actedUpon",
            "action",
            "category",
            "createdAt",
            "expiresAt",
            "id",
            "operationId",
            "renotify",
            "sequence",
            "systemId",
        ];
        assert_eq!(fields, expected);
        let rejected = read(&json!({"status": "read", "updated_at": 7, "DeletedAt": {"a": []}}));
        let mut fields = rejected.unwrap_err();
        fields.sort_unstable();
        assert_eq!(fields, ["deletedAt", "status", "updatedAt"]);
        for sequence in [json!("7"), json!(1.5), json!(u64::MAX), json!([])] {
            let rejected = read(&json!({"severity": "debug", "sequence": sequence}));
            assert_eq!(rejected.unwrap_err(), ["sequence"]);
        }
    }

    #[test]
    fn reads_its_own_fields_as_tolerantly_as_those_of_an_event() {
        let limits = Limits::default();
        let id: EventId = "0193f0a0-0000-7000-8000-000000000001".parse().unwrap();
        let read = |body: &str| NewUpdate::read(body, &limits).unwrap();
        // The second has a field in another spelling, and the last one half of a character.
        for body in [
            r#"{"severity": "debug", "sequence": 7, "renotify": true}"#,
            r#"{"Severity": "debug", "Sequence": 7, "re_notify": true}"#,
            r#"{"severity": "debug", "sequence": 7, "renotify": true, "\ud800": "\udc00"}"#,
            r#"{"severity": "debug", "sequence": null, "renotify": false, "sequence": 7, "Renotify": true}"#,
        ] {
            let update = read(body).into_update(id, &limits, Policy::Repair).unwrap();
            assert_eq!(
                (update.sequence(), update.renotifies()),
                (Some(7), true),
                "{body}"
            );
        }
        let twice = read(r#"{"severity": "debug", "sequence": 7, "sequence": 8}"#);
        let update = twice.into_update(id, &limits, Policy::Repair).unwrap();
        assert_eq!(update.sequence(), Some(8));
        assert_eq!(update.warnings().len(), 1, "{:?}", update.warnings());
        // A container takes no memory.
        let many = format!(r#"{{"sequence": [{}0]}}"#, "0,".repeat(9_000));
        assert_eq!(read(&many).sequence, Some(json!([])));
    }

    #[test]
    fn is_read_as_it_is_sent() {
        let owner = crate::id::OwnerId::mint();
        let update = Event::update(
            "0193f0a0-0000-7000-8000-000000000001"
                .parse::<EventId>()
                .unwrap(),
        )
        .for_user(owner)
        .with_severity(Severity::Warning)
        .with_description("half")
        .with_metadata([("progress", 50)])
        .with_sequence(7)
        .renotify()
        .build()
        .unwrap();
        let sent = serde_json::to_value(NewUpdate::from(update.clone())).unwrap();
        let mut read = read(&sent).unwrap();
        let mut update = update;
        assert_eq!(read.take_metadata_json(), update.take_metadata_json());
        assert_eq!(
            (read.id(), read.owner(), read.severity(), read.description()),
            (
                update.id(),
                update.owner(),
                update.severity(),
                update.description()
            )
        );
        assert_eq!(
            (read.sequence(), read.renotifies()),
            (update.sequence(), update.renotifies())
        );
    }
}
