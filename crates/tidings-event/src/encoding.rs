//! A fast encoder for the JSON of an event.
//!
//! The bytes equal those of [`serde::Serialize`], which a test checks. The encoder skips the search for
//! characters to escape in ids, names and times, which cannot contain any. An event is encoded once when it
//! is published and once each time it is replayed.

use std::io::Write as _;

use jiff::Timestamp;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::event::Event;
use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::name::{Action, Category};
use crate::severity::Severity;
use crate::status::Status;

/// The approximate size of the field names and of the values of bounded length, in bytes.
const FIELDS_BYTES: usize = 640;

/// Borrowed fields of an event, to encode its JSON.
///
/// A store encodes its rows with this type, without parsing metadata or building an [`Event`].
#[derive(Clone, Copy, Debug)]
pub struct EventFields<'a> {
    /// As [`Event::id`].
    pub id: EventId,
    /// As [`Event::owner`].
    pub owner: Option<OwnerId>,
    /// As [`Event::system_id`].
    pub system_id: SystemId,
    /// As [`Event::operation_id`].
    pub operation_id: OperationId,
    /// As [`Event::acted_upon`].
    pub acted_upon: ResourceId,
    /// As [`Event::category`].
    pub category: &'a Category,
    /// As [`Event::action`].
    pub action: &'a Action,
    /// As [`Event::description`].
    pub description: &'a str,
    /// As [`Event::severity`].
    pub severity: Severity,
    /// As [`Event::status`].
    pub status: Status,
    /// The metadata, which must be a JSON object without line breaks. It is copied without a check.
    pub metadata: Option<&'a str>,
    /// As [`Event::created_at`].
    pub created_at: Timestamp,
    /// As [`Event::updated_at`].
    pub updated_at: Timestamp,
    /// As [`Event::expires_at`].
    pub expires_at: Option<Timestamp>,
    /// As [`Event::deleted_at`].
    pub deleted_at: Option<Timestamp>,
}

impl EventFields<'_> {
    /// The approximate number of bytes that [`Self::write_json`] appends. It appends more only if the
    /// description has many characters to escape.
    pub const fn json_bytes(&self) -> usize {
        let metadata = match self.metadata {
            Some(text) => text.len(),
            None => 0,
        };
        FIELDS_BYTES + self.description.len() + metadata
    }

    /// The event, without its metadata.
    pub fn without_metadata(&self) -> Event {
        Event {
            id: self.id,
            owner: self.owner,
            system_id: self.system_id,
            operation_id: self.operation_id,
            acted_upon: self.acted_upon,
            category: self.category.clone(),
            action: self.action.clone(),
            description: self.description.to_owned(),
            severity: self.severity,
            status: self.status,
            metadata: None,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            deleted_at: self.deleted_at,
        }
    }

    /// Appends the JSON of the event, with the same bytes as `serde_json`.
    pub fn write_json(&self, json: &mut Vec<u8>) {
        put_uuid(json, "{\"id\":", self.id.as_uuid());
        if let Some(owner) = &self.owner {
            put_uuid(json, ",\"owner\":", owner.as_uuid());
        }
        put_uuid(json, ",\"systemId\":", self.system_id.as_uuid());
        put_uuid(json, ",\"operationId\":", self.operation_id.as_uuid());
        put_uuid(json, ",\"actedUpon\":", self.acted_upon.as_uuid());
        put_name(json, ",\"category\":", self.category.as_str());
        put_name(json, ",\"action\":", self.action.as_str());
        json.extend_from_slice(b",\"description\":");
        serde_json::to_writer(&mut *json, self.description).expect("a text can be written");
        put_name(json, ",\"severity\":", self.severity.as_str());
        put_name(json, ",\"status\":", self.status.as_str());
        json.extend_from_slice(b",\"metadata\":");
        json.extend_from_slice(self.metadata.unwrap_or("null").as_bytes());
        json.extend_from_slice(b",\"createdAt\":");
        let created_at = json.len();
        put_time(json, self.created_at);
        let created_at = created_at..json.len();
        json.extend_from_slice(b",\"updatedAt\":");
        if self.updated_at == self.created_at {
            json.extend_from_within(created_at);
        } else {
            put_time(json, self.updated_at);
        }
        if let Some(expires_at) = self.expires_at {
            json.extend_from_slice(b",\"expiresAt\":");
            put_time(json, expires_at);
        }
        if let Some(deleted_at) = self.deleted_at {
            json.extend_from_slice(b",\"deletedAt\":");
            put_time(json, deleted_at);
        }
        json.push(b'}');
    }
}

impl Event {
    /// The JSON of the event, with the same bytes as `serde_json`.
    pub fn to_json(&self) -> Vec<u8> {
        let metadata = self
            .metadata
            .as_ref()
            .map(|metadata| serde_json::to_string(metadata).expect("metadata has only text keys"));
        self.to_json_with(metadata.as_deref())
    }

    /// The JSON of the event with other metadata, which must be a JSON object. It is copied without a check.
    pub fn to_json_with(&self, metadata: Option<&str>) -> Vec<u8> {
        let fields = EventFields {
            id: self.id,
            owner: self.owner,
            system_id: self.system_id,
            operation_id: self.operation_id,
            acted_upon: self.acted_upon,
            category: &self.category,
            action: &self.action,
            description: &self.description,
            severity: self.severity,
            status: self.status,
            metadata,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            deleted_at: self.deleted_at,
        };
        let mut json = Vec::with_capacity(fields.json_bytes());
        fields.write_json(&mut json);
        json
    }
}

fn put_uuid(json: &mut Vec<u8>, name: &str, uuid: &Uuid) {
    let mut text = [0; Hyphenated::LENGTH];
    put_name(json, name, uuid.hyphenated().encode_lower(&mut text));
}

/// Writes a text without characters to escape: a UUID, or a word or name of letters, digits and underscores.
fn put_name(json: &mut Vec<u8>, name: &str, text: &str) {
    json.extend_from_slice(name.as_bytes());
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

fn put_time(json: &mut Vec<u8>, time: Timestamp) {
    write!(json, "\"{time}\"").expect("memory can be written to");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn uuid() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    fn time() -> impl Strategy<Value = Timestamp> {
        let second = Timestamp::MIN.as_second()..Timestamp::MAX.as_second();
        let fraction = prop_oneof![Just(0), Just(120_000_000), 0..1_000_000_000];
        (second, fraction).prop_map(|(second, fraction)| {
            Timestamp::new(second, fraction).expect("it is within the range")
        })
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,3}"
    }

    prop_compose! {
        fn event()(
            (id, owner, system_id, operation_id, acted_upon) in
                (uuid(), prop::option::of(uuid()), uuid(), uuid(), uuid()),
            (category, action) in (name(), name()),
            description in ".{0,60}",
            severity in prop::sample::select(Severity::ALL.to_vec()),
            read in any::<bool>(),
            (key, text, number) in (".{0,9}", ".{0,20}", any::<f64>()),
            has_metadata in any::<bool>(),
            (created_at, updated_at, expires_at, deleted_at) in
                (time(), prop::option::of(time()), prop::option::of(time()), prop::option::of(time())),
        ) -> Event {
            let metadata = json!({ key: [text], "number": number, "none": null });
            Event {
                id: id.into(),
                owner: owner.map(Into::into),
                system_id: system_id.into(),
                operation_id: operation_id.into(),
                acted_upon: acted_upon.into(),
                category: category.parse::<Category>().expect("it is a name"),
                action: action.parse::<Action>().expect("it is a name"),
                description,
                severity,
                status: if read { Status::Read } else { Status::Unread },
                metadata: metadata.as_object().filter(|_| has_metadata).cloned(),
                created_at,
                updated_at: updated_at.unwrap_or(created_at),
                expires_at,
                deleted_at,
            }
        }
    }

    proptest! {
        #[test]
        fn encodes_the_same_bytes_as_serde(event in event()) {
            let expected = serde_json::to_string(&event).expect("an event has only text keys");
            prop_assert_eq!(String::from_utf8(event.to_json()).expect("it is text"), expected);
        }
    }
}
