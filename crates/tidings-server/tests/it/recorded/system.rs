//! `/api/system/events…`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Tape;
use crate::app::event_with;
use crate::stream::Stream;

const ID: &str = "0c0ffee0-0000-4000-8000-000000000001";
const OTHER_ID: &str = "0c0ffee0-0000-4000-8000-000000000002";
const SYSTEM_ID: &str = "0c0ffee0-0000-4000-8000-000000000003";
const FOREIGN_ID: &str = "0c0ffee0-0000-4000-8000-000000000004";
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";
const EVENTS: &str = "/api/system/events";

/// An event as current clients send it.
fn camel() -> Value {
    json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "connection",
           "action": "register", "severity": "success", "description": "Registered",
           "metadata": {"connectionName": "kind"}})
}

/// Four events with known ids and times: two of the caller's, one of the system's, one of another user.
async fn fill(tape: &Tape) {
    for (id, owner, severity, minute) in [
        (ID, None, "success", 0),
        (OTHER_ID, None, "error", 1),
        (SYSTEM_ID, Some("system"), "informational", 2),
        (
            FOREIGN_ID,
            Some("0c0ffee0-0000-4000-8000-00000000000a"),
            "error",
            3,
        ),
    ] {
        let mut event = event_with("severity", severity);
        event["id"] = json!(id);
        event["owner"] = owner.into();
        event["systemId"] = json!("0c0ffee0-0000-4000-8000-00000000000b");
        event["description"] = json!(format!("Event {minute}"));
        event["createdAt"] = json!(format!("2026-08-01T10:0{minute}:00Z"));
        tape.app.publish(&event).await;
    }
}

#[tokio::test]
async fn publish() {
    let mut tape = Tape::start().await;
    tape.send("POST", EVENTS, Some(camel())).await;
    tape.send(
        "POST",
        EVENTS,
        Some(json!({"acted_upon": "7b1d2c3e-0000-4000-8000-000000000001",
                    "operation_id": UNKNOWN, "category": "connection", "action": "ping",
                    "severity": "error", "description": "Could not ping",
                    "user_id": "00000000-0000-0000-0000-000000000000", "status": "read"})),
    )
    .await;
    let mut batch = [camel(), camel()];
    batch[0]["id"] = json!(ID);
    batch[1]["id"] = json!(OTHER_ID);
    for _ in 0..2 {
        tape.send("POST", EVENTS, Some(json!(batch))).await;
    }
    let mut changed = camel();
    changed["id"] = json!(ID);
    changed["action"] = json!("delete");
    tape.send("POST", EVENTS, Some(changed)).await;
    tape.send("POST", EVENTS, Some(json!({"category": "connection"})))
        .await;
    tape.send("POST", EVENTS, Some(json!("text"))).await;
    tape.assert("system_publish");
}

#[tokio::test]
async fn import() {
    let mut tape = Tape::start().await;
    let path = format!("{EVENTS}?import=true");
    let mut event = camel();
    event["id"] = json!(ID);
    event["createdAt"] = json!("2026-08-01T10:00:00Z");
    event["updatedAt"] = json!("2026-08-02T10:00:00Z");
    event["status"] = json!("read");
    tape.send("POST", &path, Some(event.clone())).await;
    let mut of_the_system = event.clone();
    of_the_system["id"] = json!(SYSTEM_ID);
    of_the_system["owner"] = json!(UNKNOWN);
    of_the_system["systemId"] = json!(UNKNOWN);
    tape.send("POST", &path, Some(of_the_system)).await;
    tape.send("DELETE", &format!("{EVENTS}/{ID}"), None).await;
    tape.send("POST", &path, Some(event)).await;
    tape.send("POST", &format!("{EVENTS}?import"), Some(camel()))
        .await;
    tape.assert("system_import");
}

#[tokio::test]
async fn list() {
    let mut tape = Tape::start().await;
    tape.send("GET", EVENTS, None).await;
    fill(&tape).await;
    tape.app
        .put(&format!("/status/{ID}"), &json!({"status": "read"}))
        .await;
    for query in [
        "",
        "?page=0&pagesize=15&sort=created_at&order=desc&search=",
        "?page=0&pagesize=1&status=unread",
        "?status=read&author=&provider=Local",
        "?severity=[\"error\",\"informational\"]&category=[\"connection\"]&action=[\"register\"]",
        "?actedUpon=[\"7b1d2c3e-0000-4000-8000-000000000001\"]&pagesize=1&sort=createdAt",
        "?acted_upon=[\"7b1d2c3e-0000-4000-8000-0000000000ff\"]",
        "?search=EVENT 1&pagesize=all",
        "?search=%25",
        "?ownerKind=system&count=none",
        "?page=-1&pagesize=junk&to=2026-08-01T10:01:00Z",
        "?sort=name&severity=error&limit=5",
    ] {
        tape.send("GET", &format!("{EVENTS}{query}"), None).await;
    }
    tape.assert("system_list");
}

#[tokio::test]
async fn get() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    for id in [ID, SYSTEM_ID, FOREIGN_ID, UNKNOWN, "x"] {
        tape.send("GET", &format!("{EVENTS}/{id}"), None).await;
    }
    tape.assert("system_get");
}

#[tokio::test]
async fn types_and_summary() {
    let mut tape = Tape::start().await;
    for filled in [false, true] {
        if filled {
            fill(&tape).await;
        }
        tape.send("GET", &format!("{EVENTS}/types"), None).await;
        tape.send("GET", &format!("{EVENTS}/summary"), None).await;
    }
    for path in [
        "types?status=unread",
        "summary?author=&severity=[\"error\"]",
    ] {
        tape.send("GET", &format!("{EVENTS}/{path}"), None).await;
    }
    tape.assert("system_types_and_summary");
}

#[tokio::test]
async fn mark_one() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    let path = |id: &str| format!("{EVENTS}/status/{id}");
    let read = json!({"status": "read"});
    for id in [ID, ID, SYSTEM_ID, FOREIGN_ID, UNKNOWN, "x"] {
        tape.send("PUT", &path(id), Some(read.clone())).await;
    }
    tape.send("PUT", &path(ID), Some(json!({"status": "unread"})))
        .await;
    for body in [
        json!({}),
        json!({"status": 1}),
        json!({"status": "seen"}),
        json!([]),
    ] {
        tape.send("PUT", &path(ID), Some(body)).await;
    }
    tape.send("PUT", &path(ID), None).await;
    tape.assert("system_mark_one");
}

#[tokio::test]
async fn mark_several() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    let cursor = tape.app.list("").await["cursor"].clone();
    let path = format!("{EVENTS}/status/bulk");
    for body in [
        json!({"ids": [ID, SYSTEM_ID, FOREIGN_ID, UNKNOWN], "status": "read"}),
        json!({"ids": [], "status": "read"}),
        json!({"filter": {"severity": ["error"], "actedUpon":
               ["7b1d2c3e-0000-4000-8000-000000000001"]}, "upTo": cursor, "status": "read"}),
        json!({"filter": {"acted_upon": ["7b1d2c3e-0000-4000-8000-000000000001"],
               "owner_kind": "system"}, "up_to": cursor, "status": "unread"}),
        json!({"all": true, "status": "read"}),
        json!({"all": true, "upTo": cursor, "status": "unread"}),
        json!({"ids": ["x"], "all": false, "more": 1}),
        json!({"filter": {}, "status": "read"}),
        json!({"filter": {"severity": [], "from": null, "status": "unread"}, "upTo": cursor,
               "status": "read"}),
        json!({"all": true, "upTo": null, "status": "read"}),
        json!({"all": true, "upTo": "9999-0-00000000", "status": "read"}),
    ] {
        tape.send("PUT", &path, Some(body)).await;
    }
    tape.assert("system_mark_several");
}

#[tokio::test]
async fn delete_one() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    for id in [ID, ID, SYSTEM_ID, FOREIGN_ID, UNKNOWN, "x"] {
        tape.send("DELETE", &format!("{EVENTS}/{id}"), None).await;
    }
    tape.assert("system_delete_one");
}

#[tokio::test]
async fn delete_several() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    let cursor = tape.app.list("").await["cursor"].clone();
    let path = format!("{EVENTS}/bulk");
    for body in [
        json!({"ids": [ID, FOREIGN_ID, UNKNOWN]}),
        json!({"filter": {"ownerKind": "system"}, "upTo": cursor}),
        json!({"filter": {"acted_upon": ["7b1d2c3e-0000-4000-8000-000000000001"]},
               "up_to": cursor}),
        json!({"all": true}),
        json!({"ids": "x", "status": "read"}),
    ] {
        tape.send("DELETE", &path, Some(body)).await;
    }
    tape.send("DELETE", &path, None).await;
    tape.assert("system_delete_several");
}

#[tokio::test]
async fn config() {
    let mut tape = Tape::start().await;
    let path = format!("{EVENTS}/config");
    tape.send("GET", &path, None).await;
    for body in [
        json!({"eventLogLevel": "debug"}),
        json!({"event_log_level": "warning"}),
        json!({"eventLogLevel": "loud"}),
        json!({}),
        json!(7),
    ] {
        tape.send("PUT", &path, Some(body)).await;
    }
    tape.send("GET", &path, None).await;
    tape.assert("system_config");
}

#[tokio::test]
async fn subscribe() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    let server = tape.app.serve();
    let path = "/subscribe?lastEventId=earliest";
    let mut stream = Stream::open_with(server.address, &path["/subscribe".len()..], None).await;
    let _ = writeln!(tape.text, "> GET {EVENTS}{path}\n\n< 200 OK");
    for name in [
        "content-type",
        "cache-control",
        "connection",
        "x-accel-buffering",
    ] {
        let value = stream.headers[name].to_str().unwrap();
        let _ = writeln!(tape.text, "< {name}: {value}");
    }
    let mut record = async |text: &mut String, last: &str| {
        loop {
            let frame = stream.expect_next().await;
            text.push_str(&frame.to_string());
            if frame.name == last {
                break;
            }
        }
    };
    record(&mut tape.text, "live").await;
    let change = |text: &mut String, what: &str| {
        let _ = writeln!(text, "> {what}\n");
    };
    change(&mut tape.text, "(the caller marks an event)");
    let read = json!({"status": "read"});
    tape.app.put(&format!("/status/{ID}"), &read).await;
    record(&mut tape.text, "status").await;
    change(&mut tape.text, "(the caller deletes two)");
    let two = json!({"ids": [ID, SYSTEM_ID]});
    tape.app.delete("/bulk", &two).await;
    record(&mut tape.text, "deleted").await;
    change(&mut tape.text, "(another event is published)");
    tape.app.publish(&camel()).await;
    record(&mut tape.text, "").await;
    tape.assert("system_subscribe");
}
