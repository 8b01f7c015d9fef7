//! The result of publishing an event.

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::event::Event;
use crate::id::{EventId, OwnerId, Rev};
use crate::warning::Warning;

/// The result of publishing an event: the event as it is stored, and what the publish changed.
///
/// The engine and the client both return it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The id of the event.
    pub id: EventId,
    /// The owner of the feed that has the event.
    pub owner: OwnerId,
    /// The position of the event in its feed. `None` if a server returned the receipt: the response does
    /// not contain the position.
    pub rev: Option<Rev>,
    /// Whether the event was already stored, so that this request stored nothing.
    ///
    /// A server returns one status for a whole batch. In the receipts of such a batch, this is true only
    /// if every event was already stored.
    pub repeated: bool,
    /// Whether the event was stored earlier and has been deleted since. It stays deleted.
    pub deleted: bool,
    /// The repairs of the published event. They are not stored.
    pub warnings: Vec<Warning>,
    json: Bytes,
}

impl Receipt {
    /// A receipt for an event that was stored by this request, at an unknown position.
    ///
    /// `json` is the JSON of the stored event; see [`json`](Self::json).
    pub const fn new(id: EventId, owner: OwnerId, json: Bytes) -> Self {
        Self {
            id,
            owner,
            rev: None,
            repeated: false,
            deleted: false,
            warnings: Vec::new(),
            json,
        }
    }

    /// The JSON of the stored event. For a repeat, the event that was stored first, with its current
    /// status.
    ///
    /// The engine encodes an event once. `Bytes` share that memory, so that a response needs no copy.
    pub const fn json(&self) -> &Bytes {
        &self.json
    }

    /// The stored event, parsed from its JSON.
    ///
    /// # Panics
    ///
    /// If [`new`](Self::new) was called with something else than the JSON of an event.
    pub fn event(&self) -> Event {
        serde_json::from_slice(&self.json).expect("a receipt holds the JSON of an event")
    }
}

impl<'de> Deserialize<'de> for Receipt {
    /// Reads the response to a publish request: the event, with the warnings beside its fields.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Warned {
            #[serde(default)]
            warnings: Vec<Warning>,
        }
        // Two passes over the text are cheaper than `flatten`, which copies every value into a map.
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let event: Event = serde_json::from_str(text).map_err(D::Error::custom)?;
        let warned: Warned = serde_json::from_str(text).map_err(D::Error::custom)?;
        let owner = event
            .owner
            .ok_or_else(|| D::Error::custom("the event has no owner"))?;
        let mut receipt = Self::new(event.id, owner, event.to_json().into());
        receipt.deleted = event.deleted_at.is_some();
        receipt.warnings = warned.warnings;
        Ok(receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#""id":"0193f0a0-0000-7000-8000-000000000001","owner":"7b1d2c3e-0000-4000-8000-00000000000a","systemId":"0193f0a0-0000-7000-8000-00000000000b","operationId":"0193f0a0-0000-7000-8000-000000000001","actedUpon":"7b1d2c3e-0000-4000-8000-000000000001","category":"connection","action":"ping","description":"d","severity":"success","status":"unread","metadata":null,"createdAt":"2026-08-01T10:00:00Z","updatedAt":"2026-08-01T10:00:00Z""#;

    #[test]
    fn separates_the_warnings_from_the_event() {
        let body = format!(
            r#"{{{EVENT},"warnings":[{{"field":"severity","code":"converted","message":"m"}}]}}"#
        );
        let receipt: Receipt = serde_json::from_str(&body).unwrap();
        assert_eq!(receipt.warnings[0].field, "severity");
        assert_eq!(receipt.json(), &format!("{{{EVENT}}}"));
        assert_eq!(receipt.event().id, receipt.id);
        assert_eq!((receipt.rev, receipt.deleted), (None, false));
    }

    #[test]
    fn reports_a_deleted_event() {
        let body = format!(r#"{{{EVENT},"deletedAt":"2026-08-02T10:00:00Z"}}"#);
        assert!(serde_json::from_str::<Receipt>(&body).unwrap().deleted);
    }

    #[test]
    fn rejects_an_event_without_an_owner() {
        let body = format!("{{{EVENT}}}").replace("\"owner\"", "\"other\"");
        let error = serde_json::from_str::<Receipt>(&body).unwrap_err();
        assert!(error.to_string().contains("no owner"), "{error}");
    }
}
