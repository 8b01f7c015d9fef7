//! The examples in the documentation.

use serde_json::{Value, json};
use tidings_event::ErrorCode;

use super::errors;

const ID: &str = "0193f0a0-0000-7000-8000-000000000001";
const SYSTEM_ID: &str = "0193f0a0-0000-7000-8000-00000000000b";
const CURSOR: &str = "1042-17-k3f9q2w8";

/// An event as a publisher sends it.
pub(crate) fn new_event() -> Value {
    json!({
        "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
        "category": "connection",
        "action": "register",
        "severity": "success",
        "description": "Registered the cluster kind",
        "metadata": {"doc": "https://docs.example.org/connections"},
    })
}

/// The same event as it is stored.
pub(crate) fn event() -> Value {
    json!({
        "id": ID,
        "owner": "6c6f6361-6c00-4000-8000-000000000001",
        "systemId": SYSTEM_ID,
        "operationId": ID,
        "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
        "category": "connection",
        "action": "register",
        "description": "Registered the cluster kind",
        "severity": "success",
        "status": "unread",
        "metadata": {"doc": "https://docs.example.org/connections"},
        "createdAt": "2026-08-01T10:00:00.5Z",
        "updatedAt": "2026-08-01T10:00:00.5Z",
    })
}

/// New content of it.
pub(crate) fn update() -> Value {
    json!({
        "severity": "informational",
        "description": "Installing the operator",
        "metadata": {"progress": 30},
        "sequence": 3,
    })
}

/// The event with this content.
pub(crate) fn updated_event() -> Value {
    let mut event = event();
    for (field, value) in update().as_object().expect("it is an object") {
        if field != "sequence" {
            event[field] = value.clone();
        }
    }
    event["updatedAt"] = json!("2026-08-01T10:00:20Z");
    event
}

/// The outcome of two events with `partial=true`: one was repaired, and one was rejected.
pub(crate) fn partly_published() -> Value {
    let problem = errors::sample(ErrorCode::InvalidEvent).problem();
    let status = problem.status();
    let error = problem.into_body();
    json!({
        "results": [
            {
                "index": 0,
                "status": 201,
                "event": event(),
                "warnings": [{
                    "field": "severity",
                    "code": "converted",
                    "message": "`ok` is stored as `success`",
                }],
            },
            {"index": 1, "status": status.as_u16(), "error": error},
        ],
        "stored": 1,
        "repeated": 0,
        "refused": 1,
    })
}

/// An event in the list or export of another server.
pub(crate) fn exported_event() -> Value {
    let mut event = event();
    event["status"] = json!("read");
    event["updatedAt"] = json!("2026-08-02T08:30:00Z");
    event
}

pub(crate) fn page() -> Value {
    json!({
        "events": [event()],
        "page": 0,
        "pageSize": 1,
        "countBySeverityLevel": [{"severity": "success", "count": 31}],
        "totalCount": 40,
        "readCount": 9,
        "next": "18eaf9866247d39001a20d6fbf667604a999d39a3415a84b14ccc287",
        "cursor": CURSOR,
        "systemId": SYSTEM_ID,
    })
}

pub(crate) fn data_page() -> Value {
    let mut page = page();
    let events = page["events"].take();
    page["data"] = events;
    let fields = page.as_object_mut().expect("a page is an object");
    fields.remove("events");
    page
}

pub(crate) fn summary() -> Value {
    json!({
        "totalCount": 40,
        "unreadCount": 31,
        "readCount": 9,
        "unread": {"error": 2, "success": 29},
        "read": {"success": 9},
        "cursor": CURSOR,
        "systemId": SYSTEM_ID,
    })
}

pub(crate) fn by_ids() -> Value {
    json!({"ids": [ID]})
}

pub(crate) fn by_filter() -> Value {
    json!({"filter": {"severity": ["informational"]}, "upTo": CURSOR})
}

pub(crate) fn all() -> Value {
    json!({"all": true})
}

/// Adds the new status to a selection.
pub(crate) fn as_read(mut selection: Value) -> Value {
    selection["status"] = json!("read");
    selection
}

pub(crate) fn updated(by_ids: bool) -> Value {
    let updated = if by_ids { vec![ID] } else { vec![] };
    json!({"updated": updated, "count": 1})
}

pub(crate) fn deleted(by_ids: bool) -> Value {
    let deleted = if by_ids { vec![ID] } else { vec![] };
    json!({"deleted": deleted, "count": 1})
}

pub(crate) fn log_config(status: Option<&str>) -> Value {
    let levels = crate::log_level::Level::ALL.map(crate::log_level::Level::as_str);
    let mut config = json!({"eventLogLevel": "info", "availableLevels": levels});
    if let Some(status) = status {
        config["status"] = json!(status);
    }
    config
}

/// With the fields of an error.
pub(crate) fn rejected_log_config() -> Value {
    let mut config = log_config(Some("error"));
    let error = errors::sample(ErrorCode::InvalidConfig).problem();
    let error = serde_json::to_value(error.into_body()).expect("an error body has only text keys");
    if let (Value::Object(config), Value::Object(error)) = (&mut config, error) {
        config.extend(error);
    }
    config
}

/// The first frames of a stream.
pub(crate) fn frames() -> Value {
    Value::from(format!(
        "retry: 2731\n\
         event: ready\nid: {CURSOR}\ndata: {{\"cursor\":\"{CURSOR}\",\"head\":\"{CURSOR}\"}}\n\n\
         event: live\nid: {CURSOR}\n\
         data: {{\"cursor\":\"{CURSOR}\",\"summary\":{{\"unread\":{{\"success\":1}},\"read\":{{}}}}}}\n\n\
         event: status\nid: 1043-17-k3f9q2w8\n\
         data: {{\"ids\":[\"{ID}\"],\"status\":\"read\",\
         \"updatedAt\":\"2026-08-01T10:05:00Z\",\
         \"unread\":{{\"success\":-1}},\"read\":{{\"success\":1}}}}\n\n\
         : keepalive\n"
    ))
}
