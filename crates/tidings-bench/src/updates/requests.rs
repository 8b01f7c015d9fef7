//! The requests that publish an event and update it.

use serde_json::json;
use uuid::Uuid;

use crate::content::{ACTED_UPON, ACTION, CATEGORY};

/// An event, and the token of its publisher.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredEvent<'a> {
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) token: &'a str,
}

/// The fields of an event that an update replaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) severity: &'a str,
    pub(super) description: &'a str,
    pub(super) progress: u8,
}

impl StoredEvent<'_> {
    pub(super) fn publish(&self, content: &Content<'_>) -> Vec<u8> {
        let body = json!({
            "id": self.id,
            "owner": self.owner,
            "actedUpon": ACTED_UPON,
            "category": CATEGORY,
            "action": ACTION,
            "severity": content.severity,
            "description": content.description,
            "metadata": {"progress": content.progress},
        });
        self.request("POST /api/system/events", &body.to_string())
    }

    pub(super) fn update(&self, content: &Content<'_>, sequence: u64) -> Vec<u8> {
        let body = json!({
            "owner": self.owner,
            "severity": content.severity,
            "description": content.description,
            "metadata": {"progress": content.progress},
            "sequence": sequence,
        });
        let id = self.id;
        self.request(&format!("PUT /api/system/events/{id}"), &body.to_string())
    }

    fn request(&self, line: &str, body: &str) -> Vec<u8> {
        let (token, length) = (self.token, body.len());
        format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
