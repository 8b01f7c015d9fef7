//! An event for unit tests.

use serde_json::{Value, json};
use tidings_event::Event;

/// An error that needs escaping, with this metadata.
pub(crate) fn event(metadata: &Value) -> Event {
    serde_json::from_value(json!({
        "id": "0c0ffee0-0000-4000-8000-000000000001",
        "owner": "0c0ffee0-0000-4000-8000-000000000002",
        "systemId": "0c0ffee0-0000-4000-8000-000000000003",
        "operationId": "0c0ffee0-0000-4000-8000-000000000004",
        "actedUpon": "0c0ffee0-0000-4000-8000-000000000005",
        "category": "connection",
        "action": "ping",
        "severity": "error",
        "status": "unread",
        "description": "no\n\u{1b}[2Janswer",
        "metadata": metadata,
        "createdAt": "2026-08-01T10:00:00.123456789Z",
        "updatedAt": "2026-08-01T10:00:00.123456789Z",
    }))
    .expect("it is an event")
}
