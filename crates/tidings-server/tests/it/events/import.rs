use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{EVENTS, TestApp, TestResponse, event, event_with, resolve};

async fn import(app: &TestApp, body: &Value) -> TestResponse {
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
async fn an_import_keeps_time_and_status_and_a_publish_does_not() {
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
async fn a_list_can_be_imported_elsewhere_repeatedly() {
    let app = TestApp::start().await;
    app.publish_numbered(3).await;
    app.put("/status/bulk", &json!({"all": true, "status": "read"}))
        .await;
    let listed = app.list("sort=created_at").await["events"].clone();
    let other = TestApp::start().await;
    for status in [201, 200] {
        let response = import(&other, &listed).await;
        assert_eq!(response.status, status);
        assert_eq!(response.json(), listed);
    }
    assert_eq!(other.list("sort=created_at").await["events"], listed);
}

#[tokio::test]
async fn reads_other_spellings_of_time_and_status_or_uses_the_default() {
    let app = TestApp::start().await;
    let mut odd = past("archived");
    odd["updatedAt"] = json!("yesterday");
    let mut other = event_with("status", "READ");
    other["createdAt"] = json!(1_785_578_400);
    other["updatedAt"] = json!("Sun, 02 Aug 2026 10:00:00 GMT");
    let response = import(&app, &json!([event("fine"), odd, other])).await;
    assert_eq!(response.status, 201);
    let stored = response.json();
    assert_eq!(stored[1]["status"], "unread");
    assert_eq!(stored[1]["updatedAt"], "2026-08-01T10:00:00Z");
    let codes = |index: usize| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let warnings = stored[index]["warnings"].as_array().unwrap();
        let warnings = warnings.iter();
        warnings
            .map(|warning| (text(&warning["field"]), text(&warning["code"])))
            .collect()
    };
    let both =
        |code: &str| ["status", "updatedAt"].map(|field| (field.to_owned(), code.to_owned()));
    assert_eq!(codes(1), both("defaulted"));
    assert_eq!(stored[2]["status"], "read");
    assert_eq!(stored[2]["createdAt"], "2026-08-01T10:00:00Z");
    assert_eq!(stored[2]["updatedAt"], "2026-08-02T10:00:00Z");
    assert_eq!(codes(2)[1..], both("converted"));
    // Publishing ignores both fields without a warning.
    let mut published = event_with("status", 7);
    published["updatedAt"] = json!([]);
    assert!(app.publish(&published).await.get("warnings").is_none());
}

#[tokio::test]
async fn a_page_of_events_without_severity_category_or_action_is_imported() {
    let app = TestApp::start().await;
    let mut emitted = past("read");
    for field in ["severity", "category", "action"] {
        emitted[field] = json!("");
    }
    let mut other = emitted.clone();
    other["id"] = json!("0193f0a0-0000-7000-8000-000000000002");
    other["metadata"] = json!({"error": {"probable_cause": "p", "suggested_remediation": "r"}});
    for status in [201, 200] {
        let response = import(&app, &json!([emitted, other])).await;
        assert_eq!(response.status, status);
        let stored = response.json();
        assert_eq!(stored[0]["severity"], "informational");
        assert_eq!(stored[0]["category"], "unknown");
        assert_eq!(stored[1]["severity"], "error");
        assert_eq!(
            stored[1]["metadata"]["error"]["SuggestedRemediation"],
            json!(["r"])
        );
    }
    // The list returns the same event.
    let listed = app.list("").await["events"].clone();
    let again = import(&app, &listed).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json(), listed);
}

#[tokio::test]
async fn rejects_an_ambiguous_flag() {
    let app = TestApp::start().await;
    for query in [
        "import=yes",
        "import=",
        "import",
        "import=true&import=true",
        "import=false&author=x&import",
        "partial=1",
        "partial=true&partial=true",
    ] {
        let path = format!("/api/system/events?{query}");
        let body = event("x").to_string();
        let unclear = app.send_json(Method::POST, &path, body).await;
        let error = unclear.error(400, "invalid_query");
        let fault = error["longDescription"][0].as_str().unwrap();
        let flag = query.split(['=', '&']).next().unwrap();
        assert!(fault.starts_with(flag), "{query}: {fault}");
    }
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn publishing_ignores_other_parameters() {
    let app = TestApp::start().await;
    let path = "/api/system/events?author=x&status=&severity=&imports&import=false";
    let response = app
        .send_json(Method::POST, path, past("read").to_string())
        .await;
    assert_eq!(response.status, 201);
    assert_eq!(response.json()["status"], "unread");
}

#[tokio::test]
async fn imports_system_events_of_another_server_as_system_events() {
    let there = TestApp::start().await;
    let published = there.publish(&event_with("owner", "system")).await;
    let path = format!("/status/{}", published["id"].as_str().unwrap());
    there.put(&path, &json!({"status": "read"})).await;
    let listed = there.list("").await["events"].clone();
    let here = TestApp::start().await;
    let system = here.engine.system_id().to_string();
    for status in [201, 200] {
        let response = import(&here, &listed).await;
        assert_eq!(response.status, status);
        let stored = &response.json()[0];
        assert_eq!(stored["owner"], system);
        assert_eq!(stored["systemId"], published["systemId"]);
        assert_eq!(stored["updatedAt"], stored["createdAt"]);
    }
    let seen = here.list("ownerKind=system&status=unread").await;
    assert_eq!(seen["totalCount"], 1);
    // Only an import treats them as the system's.
    let mut mail = listed[0].clone();
    mail["id"] = Value::Null;
    let stored = here.publish(&mail).await;
    assert_eq!(stored["owner"], published["systemId"]);
}

#[tokio::test]
async fn a_deleted_event_is_not_imported_again() {
    let app = TestApp::start().await;
    let stored = import(&app, &past("read")).await;
    let path = resolve(EVENTS, stored.header("location"));
    let deletion = crate::app::request(Method::DELETE, &path, "".into());
    assert_eq!(app.send(deletion).await.status, 204);
    let again = import(&app, &past("read")).await;
    assert_eq!(again.status, 200);
    assert!(again.json()["deletedAt"].is_string());
    assert!(!again.headers.contains_key("location"));
    app.get(&path).await.error(404, "event_not_found");
    assert!(app.stored().await.is_empty());
}
