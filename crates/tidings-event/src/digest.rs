//! Digests of the content of an event.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::event::{Event, Metadata};
use crate::id::OwnerId;
use crate::number;

/// A digest of the content that a publisher sent. It distinguishes a repeat from a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes, as read from a store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be written to a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The digests of an event that is about to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The digest of the content that the publisher sent; stored with the event.
    pub of_content: Digest,
    /// The digest without the time of creation, if the publisher sent one. It matches an event that was
    /// published without a time and is now sent as it is listed.
    pub without_time: Option<Digest>,
}

impl Digests {
    /// Computes the digests. The time of publishing, which the server fills in, is not part of them, so that
    /// a repeat without a time is recognized.
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

/// SHA-256 over the publisher's fields without the time. The length precedes each text.
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
        // No metadata and empty metadata are equal.
        Some(metadata) if !metadata.is_empty() => hash_object(metadata, &mut hasher),
        Some(_) | None => hasher.update(b"-"),
    }
    if let Some(expires_at) = event.expires_at {
        hasher.update(b"expires");
        hasher.update(expires_at.as_nanosecond().to_be_bytes());
    }
    hasher
}

fn hash_text(text: &str, hasher: &mut Sha256) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

/// Hashes keys in sorted order, because a feature of `serde_json` changes the order of the map.
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
