//! `?partial=true`.

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, TestResponse, event, event_with};

async fn post(app: &TestApp, query: &str, body: impl ToString) -> TestResponse {
    let path = format!("/api/system/events?{query}");
    app.send_json(Method::POST, &path, body.to_string()).await
}

fn statuses(response: &Value) -> Vec<u64> {
    let results = response["results"].as_array().expect("results");
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index);
        assert_ne!(result.get("event").is_some(), result.get("error").is_some());
    }
    let statuses = results.iter().map(|result| result["status"].as_u64());
    statuses.map(|status| status.expect("a number")).collect()
}

#[tokio::test]
async fn a_partial_batch_stores_valid_events_and_returns_each_outcome() {
    let app = TestApp::start().await;
    let id = "0c0ffee0-0000-4000-8000-000000000001";
    let taken = event_with("id", id);
    app.publish(&taken).await;
    let mut conflict = event("other content");
    conflict["id"] = json!(id);
    let batch = json!([
        event("first"),
        event_with("actedUpon", "cluster-1"),
        5,
        [],
        event_with("severity", "warn"),
        taken,
        conflict,
        event("last"),
    ]);
    let response = post(&app, "partial=true", batch).await;
    assert_eq!(response.status, 207);
    assert_eq!(response.header("content-type"), "application/json");
    let body = response.json();
    assert_eq!(statuses(&body), [201, 400, 400, 400, 201, 200, 409, 201]);
    assert_eq!(body["stored"], 3);
    assert_eq!(body["repeated"], 1);
    assert_eq!(body["refused"], 4);
    let results = &body["results"];
    let fault = &results[1]["error"];
    assert_eq!(fault["code"], "invalid_event");
    assert_eq!(fault["error"], "The event is invalid");
    assert_eq!(
        fault["longDescription"],
        json!(["actedUpon `cluster-1` is not a UUID"])
    );
    assert_eq!(fault["longDescription"], fault["long_description"]);
    assert_eq!(results[2]["error"]["code"], "invalid_json");
    assert_eq!(results[6]["error"]["code"], "event_conflict");
    assert_eq!(results[4]["warnings"][0]["code"], "converted");
    assert!(results[0].get("warnings").is_none());
    let stored = app.stored().await;
    assert_eq!(stored.len(), 4);
    // The newest first.
    assert_eq!(stored[0], results[7]["event"]);
    assert_eq!(stored[2], results[0]["event"]);
}

#[tokio::test]
async fn a_partial_batch_of_invalid_events_stores_nothing() {
    let app = TestApp::start().await;
    let batch = Value::from(vec![json!({}); 1_000]);
    let response = post(&app, "partial=true", &batch).await;
    assert_eq!(response.status, 207);
    assert_eq!(response.json()["refused"], 1_000);
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn partial_has_no_effect_on_a_single_event() {
    let app = TestApp::start().await;
    let one = post(&app, "partial=true", event("one")).await;
    assert_eq!(one.status, 201);
    assert!(one.headers.contains_key("location"));
    post(&app, "partial=true", "{}")
        .await
        .error(400, "invalid_event");
    post(&app, "partial=true", "[{}")
        .await
        .error(400, "invalid_json");
    post(&app, "partial=true", "[]")
        .await
        .error(400, "invalid_event");
    let many = Value::from(vec![event("x"); 1_001]);
    post(&app, "partial=true", many)
        .await
        .error(413, "too_large");
    let whole = json!([event("good"), {}]);
    post(&app, "partial=false", whole)
        .await
        .error(400, "invalid_event");
    assert_eq!(app.stored().await.len(), 1);
}

#[tokio::test]
async fn imports_a_page_except_for_its_bad_event() {
    let app = TestApp::start().await;
    let mut page: Vec<Value> = (0..100)
        .map(|number| {
            let mut event = event(&number.to_string());
            event["id"] = json!(format!("{number}"));
            event["status"] = json!("read");
            event
        })
        .collect();
    page[50]["actedUpon"] = json!(null);
    for (stored, repeated) in [(99, 0), (0, 99)] {
        let response = post(&app, "import=true&partial=true", json!(page)).await;
        assert_eq!(response.status, 207);
        let body = response.json();
        assert_eq!(body["stored"], stored);
        assert_eq!(body["repeated"], repeated);
        assert_eq!(body["refused"], 1);
        assert_eq!(body["results"][50]["status"], 400);
    }
    let summary = app.get("/api/system/events/summary").await.json();
    assert_eq!(summary["readCount"], 99);
}
