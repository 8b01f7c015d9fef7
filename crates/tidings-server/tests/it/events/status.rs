use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with, id_of};

const OTHER: &str = "0c0ffee0-0000-4000-8000-00000000000a";
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

async fn status_of(app: &TestApp, id: &str) -> String {
    let event = app.get(&format!("/api/system/events/{id}")).await.json();
    event["status"].as_str().expect("a text").to_owned()
}

/// The events that an owner sees, read from the engine: without authentication the API serves one user only.
async fn statuses_of(app: &TestApp, owner: &str) -> Vec<String> {
    let owner = owner.parse().expect("a UUID");
    let page = app
        .engine
        .list(owner, Default::default(), Default::default());
    let events = page.await.expect("the store answers").events;
    events
        .iter()
        .map(|event| event.status.to_string())
        .collect()
}

#[tokio::test]
async fn marks_one_event_and_marks_it_back() {
    let app = TestApp::start().await;
    let stored = app.publish(&event("x")).await;
    let id = id_of(&stored);
    for status in ["read", "read", "unread", "unread"] {
        let body = json!({"status": status});
        let response = app.put(&format!("/status/{id}"), &body).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.body, b"");
        assert_eq!(response.header("content-type"), "");
        assert_eq!(status_of(&app, &id).await, status);
    }
    let changed = app.get(&format!("/api/system/events/{id}")).await.json();
    assert_eq!(changed["createdAt"], stored["createdAt"]);
    assert!(changed["updatedAt"].as_str() > stored["updatedAt"].as_str());
}

#[tokio::test]
async fn foreign_unknown_and_deleted_events_have_the_same_response() {
    let app = TestApp::start().await;
    let foreign = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let deleted = id_of(&app.publish(&event("x")).await);
    app.delete(&format!("/{deleted}"), &Value::Null).await;
    let read = json!({"status": "read"});
    let unknown = app.put(&format!("/status/{UNKNOWN}"), &read).await;
    let unknown = unknown.error(404, "event_not_found");
    for id in [&foreign, &deleted] {
        let response = app.put(&format!("/status/{id}"), &read).await;
        assert_eq!(response.error(404, "event_not_found"), unknown);
    }
    assert_eq!(statuses_of(&app, OTHER).await, ["unread"]);
}

#[tokio::test]
async fn several_events_are_marked_by_their_ids() {
    let app = TestApp::start().await;
    let foreign = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let ids = app.publish_numbered(3).await;
    let body = json!({"ids": [ids[0], ids[2], ids[0], UNKNOWN, foreign], "status": "read"});
    for _ in 0..2 {
        let response = app.put("/status/bulk", &body).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.body, b"");
    }
    let unread = app.list("status=unread").await;
    assert_eq!(unread["totalCount"], 1);
    assert_eq!(unread["events"][0]["id"], ids[1]);
    assert_eq!(statuses_of(&app, OTHER).await, ["unread"]);
    let none = app
        .put("/status/bulk", &json!({"ids": [], "status": "read"}))
        .await;
    assert_eq!((none.status.as_u16(), none.body), (200, vec![]));
}

#[tokio::test]
async fn a_filter_marks_up_to_the_cursor_and_counts() {
    let app = TestApp::start().await;
    app.publish(&event_with("severity", "error")).await;
    app.publish(&event("x")).await;
    let mut system = event_with("severity", "error");
    system["owner"] = json!("system");
    app.publish(&system).await;
    let seen = app.list("severity=[%22error%22]").await;
    app.publish(&event_with("severity", "error")).await;
    let body = json!({"filter": {"severity": ["error"], "status": "unread"},
                      "upTo": seen["cursor"], "status": "read"});
    for count in [2, 0] {
        let response = app.put("/status/bulk", &body).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.json(), json!({"updated": [], "count": count}));
    }
    assert_eq!(app.list("status=read").await["totalCount"], 2);
    assert_eq!(app.list("status=unread").await["totalCount"], 2);
}

#[tokio::test]
async fn applies_every_part_of_a_filter() {
    let app = TestApp::start().await;
    let mut given = event("50% done");
    given["operationId"] = json!(UNKNOWN);
    app.publish(&given).await;
    app.publish_numbered(2).await;
    let cursor = app.list("").await["cursor"].clone();
    for (filter, count) in [
        (json!({"search": "50% D"}), 1),
        (json!({"search": "%"}), 1),
        (json!({"operationId": UNKNOWN}), 1),
        (json!({"operation_id": UNKNOWN}), 1),
        (json!({"ownerKind": "system"}), 0),
        (
            json!({"ownerKind": "user", "category": ["connection", "x"]}),
            3,
        ),
        (json!({"action": ["register"]}), 3),
        (json!({"actedUpon": [given["actedUpon"]]}), 3),
        (json!({"acted_upon": [UNKNOWN]}), 0),
        (json!({"from": "2200-01-01T00:00:00Z"}), 0),
        (json!({"to": "2200-01-01T00:00:00+02:00"}), 3),
    ] {
        for (status, changed) in [("read", count), ("unread", count)] {
            let body = json!({"filter": filter, "upTo": cursor, "status": status});
            let response = app.put("/status/bulk", &body).await.json();
            assert_eq!(response["count"], changed, "{filter} {status}");
        }
    }
}

#[tokio::test]
async fn all_are_marked_up_to_a_cursor_or_to_the_end() {
    let app = TestApp::start().await;
    app.publish_numbered(3).await;
    let cursor = app.list("").await["cursor"].clone();
    app.publish(&event_with("owner", "system")).await;
    let up_to = json!({"all": true, "up_to": cursor, "status": "read"});
    let response = app.put("/status/bulk", &up_to).await;
    assert_eq!(response.json(), json!({"updated": [], "count": 3}));
    let all = json!({"all": true, "status": "read"});
    let response = app.put("/status/bulk", &all).await;
    assert_eq!(response.json(), json!({"updated": [], "count": 1}));
    assert_eq!(app.list("status=unread").await["totalCount"], 0);
}

#[tokio::test]
async fn completes_a_received_change_without_its_client() {
    let app = TestApp::start().await;
    let server = app.serve();
    let id = app.publish_numbered(1).await.remove(0);
    let mut stream = crate::stream::Stream::open(server.address).await;
    stream.until("live").await;
    let body = r#"{"status":"read"}"#;
    let head = crate::wire::head(
        &Method::PUT,
        server.address,
        &format!("/api/system/events/status/{id}"),
        body.len(),
    );
    drop(crate::wire::send_raw(server.address, format!("{head}{body}").as_bytes()).await);
    assert_eq!(stream.expect_next().await.name, "status");
    assert_eq!(status_of(&app, &id).await, "read");
}
