//! `/api/events…`.

use serde_json::{Value, json};

use super::Tape;
use crate::app::event_with;

const IDS: [&str; 4] = [
    "0c0ffee0-0000-4000-8000-000000000001",
    "0c0ffee0-0000-4000-8000-000000000002",
    "0c0ffee0-0000-4000-8000-000000000003",
    "0c0ffee0-0000-4000-8000-000000000004",
];
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

async fn fill(tape: &Tape) {
    for (minute, id) in IDS.iter().enumerate() {
        let mut event = event_with("id", *id);
        event["systemId"] = json!("0c0ffee0-0000-4000-8000-00000000000b");
        event["createdAt"] = json!(format!("2026-08-01T10:0{minute}:00Z"));
        tape.app.publish(&event).await;
    }
}

#[tokio::test]
async fn publish() {
    let mut tape = Tape::start().await;
    let camel = json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
                       "category": "connection", "action": "register", "severity": "success"});
    let snake = json!({"acted_upon": "7b1d2c3e-0000-4000-8000-000000000001",
                       "category": "connection", "action": "register", "severity": "success"});
    for body in [camel, snake, json!({})] {
        tape.send("POST", "/api/events", Some(body)).await;
    }
    tape.assert("alias_publish");
}

#[tokio::test]
async fn read() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    for path in [
        "?pagesize=1".to_owned(),
        "/list?pagesize=1&sort=created_at&order=desc".to_owned(),
        "/summary".to_owned(),
        "/types".to_owned(),
        format!("/{}", IDS[0]),
        format!("/{UNKNOWN}"),
    ] {
        tape.send("GET", &format!("/api/events{path}"), None).await;
    }
    tape.assert("alias_read");
}

#[tokio::test]
async fn mark() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    let cursor = tape.app.list("").await["cursor"].clone();
    let read = json!({"status": "read"});
    for id in [IDS[0], UNKNOWN] {
        let path = format!("/api/events/{id}/status");
        tape.send("PUT", &path, Some(read.clone())).await;
    }
    for body in [
        json!({"ids": [IDS[0], IDS[1], UNKNOWN], "status": "read"}),
        json!({"filter": {"status": "unread", "ownerKind": "user"}, "upTo": cursor,
               "status": "read"}),
        json!({"filter": {"status": "read", "owner_kind": "user"}, "up_to": cursor,
               "status": "unread"}),
        json!({"ids": [IDS[0]]}),
    ] {
        tape.send("PUT", "/api/events/status", Some(body)).await;
    }
    tape.assert("alias_mark");
}

#[tokio::test]
async fn delete() {
    let mut tape = Tape::start().await;
    fill(&tape).await;
    for id in [IDS[0], UNKNOWN] {
        tape.send("DELETE", &format!("/api/events/{id}"), None)
            .await;
    }
    let ids = |ids: &[&str]| Some(json!({"ids": ids}));
    let all: Option<Value> = Some(json!({"all": true}));
    tape.send("POST", "/api/events/delete", ids(&IDS[..2]))
        .await;
    tape.send("DELETE", "/api/events", ids(&[IDS[2], UNKNOWN]))
        .await;
    tape.send("DELETE", "/api/events", all).await;
    tape.send("POST", "/api/events/delete", Some(json!({})))
        .await;
    tape.assert("alias_delete");
}
