use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, event, event_with};

async fn import(app: &TestApp, body: &Value) -> Answer {
    let path = "/api/system/events?import=true";
    app.send_json(Method::POST, path, body.to_string()).await
}

fn past(status: &str) -> Value {
    let mut event = event("from elsewhere");
    event["id"] = json!("0193f0a0-0000-7000-8000-000000000001");
    event["createdAt"] = json!("2026-08-01T10:00:00Z");
    event["updatedAt"] = json!("2026-08-02T10:00:00Z");
    event["status"] = json!(status);
    event
}

#[tokio::test]
async fn an_import_keeps_the_past_and_a_publish_does_not() {
    let app = TestApp::start().await;
    let stored = import(&app, &past("read")).await;
    assert_eq!(stored.status, 201);
    let stored = stored.json();
    assert_eq!(stored["status"], "read");
    assert_eq!(stored["createdAt"], "2026-08-01T10:00:00Z");
    assert_eq!(stored["updatedAt"], "2026-08-02T10:00:00Z");
    let mut snake = event("older names");
    snake["created_at"] = json!("2026-08-01T10:00:00Z");
    snake["updated_at"] = json!("2026-08-02T10:00:00Z");
    let stored = import(&app, &snake).await.json();
    assert_eq!(stored["updatedAt"], "2026-08-02T10:00:00Z");
    assert_eq!(stored["status"], "unread");
    let mut published = past("read");
    published["id"] = Value::Null;
    let published = app.publish(&published).await;
    assert_eq!(published["status"], "unread");
    assert_eq!(published["updatedAt"], "2026-08-01T10:00:00Z");
    let summary = app.get("/api/system/events/summary").await.json();
    assert_eq!(summary["readCount"], 1);
}

#[tokio::test]
async fn what_was_listed_can_be_imported_elsewhere_again_and_again() {
    let app = TestApp::start().await;
    app.publish_numbered(3).await;
    app.put("/status/bulk", &json!({"all": true, "status": "read"}))
        .await;
    let listed = app.list("sort=created_at").await["events"].clone();
    let other = TestApp::start().await;
    for status in [201, 200] {
        let answer = import(&other, &listed).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json(), listed);
    }
    assert_eq!(other.list("sort=created_at").await["events"], listed);
}

#[tokio::test]
async fn a_malformed_past_is_named() {
    let app = TestApp::start().await;
    let mut bad = event_with("status", "new");
    bad["updatedAt"] = json!("yesterday");
    let error = import(&app, &json!([event("fine"), bad])).await;
    let error = error.error(400, "invalid_event");
    assert_eq!(error["longDescription"].as_array().unwrap().len(), 2);
    let fault = error["longDescription"][0].as_str().unwrap();
    assert!(fault.starts_with("[1].status "), "{fault}");
    let wrong = import(&app, &event_with("status", 7)).await;
    wrong.error(400, "invalid_json");
    let path = "/api/system/events?import=yes";
    let body = event("x").to_string();
    let unclear = app.send_json(Method::POST, path, body).await;
    unclear.error(400, "invalid_query");
    assert!(app.stored().await.is_empty());
}
