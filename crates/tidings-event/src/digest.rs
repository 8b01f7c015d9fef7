//! Tells a repeat of an event from a conflict.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::event::{Event, Metadata};
use crate::id::OwnerId;
use crate::number;

/// Identifies the content a publisher gave, to tell a repeat from a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes, as a store kept it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep in a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The digests of an event on its way into a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of what the publisher gave: kept with the event.
    pub of_content: Digest,
    /// Of the same without the time of creation, if that was given: the digest that the event has if
    /// it was published without one, and is now sent again as it is listed.
    pub without_time: Option<Digest>,
}

impl Digests {
    /// What the server fills in by chance, the time of publishing, is left out, so that a repeat without
    /// one is a repeat.
    pub(crate) fn of(event: &Event, owner: OwnerId, created_at_given: bool) -> Self {
        let timeless = hash_content(event, owner);
        if !created_at_given {
            return Self {
                of_content: Digest(timeless.finalize().into()),
                without_time: None,
            };
        }
        let mut timed = timeless.clone();
        timed.update(event.created_at.as_nanosecond().to_be_bytes());
        Self {
            of_content: Digest(timed.finalize().into()),
            without_time: Some(Digest(timeless.finalize().into())),
        }
    }
}

/// SHA-256 over the publisher's fields but for the time, each text with its length before it.
fn hash_content(event: &Event, owner: OwnerId) -> Sha256 {
    let mut hasher = Sha256::new();
    hasher.update(b"tidings event v1");
    for uuid in [
        owner.as_uuid(),
        event.system_id.as_uuid(),
        event.operation_id.as_uuid(),
        event.acted_upon.as_uuid(),
    ] {
        hasher.update(uuid.as_bytes());
    }
    for text in [
        event.category.as_str(),
        event.action.as_str(),
        event.severity.as_str(),
        &event.description,
    ] {
        hash_text(text, &mut hasher);
    }
    match &event.metadata {
        // No metadata is said in two ways.
        Some(metadata) if !metadata.is_empty() => hash_object(metadata, &mut hasher),
        Some(_) | None => hasher.update(b"-"),
    }
    hasher
}

fn hash_text(text: &str, hasher: &mut Sha256) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

/// Hashes keys in order whatever order the map keeps, which a feature of `serde_json` decides.
fn hash_object(object: &Metadata, hasher: &mut Sha256) {
    hasher.update(b"{");
    hasher.update((object.len() as u64).to_be_bytes());
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    for (key, value) in entries {
        hash_text(key, hasher);
        hash_value(value, hasher);
    }
}

fn hash_value(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Null => hasher.update(b"n"),
        Value::Bool(truth) => hasher.update(if *truth { b"t" } else { b"f" }),
        Value::Number(number) => {
            hasher.update(b"#");
            hash_text(&number::canonical(number), hasher);
        }
        Value::String(text) => {
            hasher.update(b"\"");
            hash_text(text, hasher);
        }
        Value::Array(items) => {
            hasher.update(b"[");
            hasher.update((items.len() as u64).to_be_bytes());
            for item in items {
                hash_value(item, hasher);
            }
        }
        Value::Object(object) => hash_object(object, hasher),
    }
}
