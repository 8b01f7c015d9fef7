use serde_json::{Value, json};

use crate::app::{TestApp, event, event_with};

#[tokio::test]
async fn stores_and_returns_a_batch_in_its_order() {
    let app = TestApp::start().await;
    let batch: Vec<Value> = (0..3).map(|number| event(&number.to_string())).collect();
    let response = app.post(json!(batch).to_string()).await;
    assert_eq!(response.status, 201);
    assert!(!response.headers.contains_key("location"));
    let stored = response.json();
    let descriptions: Vec<_> = stored
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["description"])
        .collect();
    assert_eq!(descriptions, ["0", "1", "2"]);
    assert_eq!(app.stored().await.len(), 3);
}

#[tokio::test]
async fn answers_200_to_a_repeated_batch_and_201_to_one_with_a_new_event() {
    let app = TestApp::start().await;
    let first = event_with("id", "0c0ffee0-0000-4000-8000-000000000001");
    let second = event_with("id", "0c0ffee0-0000-4000-8000-000000000002");
    assert_eq!(app.post(json!([first]).to_string()).await.status, 201);
    assert_eq!(app.post(json!([first]).to_string()).await.status, 200);
    assert_eq!(
        app.post(json!([first, second]).to_string()).await.status,
        201
    );
    assert_eq!(
        app.post(json!([first, second]).to_string()).await.status,
        200
    );
    assert_eq!(app.stored().await.len(), 2);
}

#[tokio::test]
async fn a_conflict_names_the_event_and_stores_nothing() {
    let app = TestApp::start().await;
    let taken = event_with("id", "0c0ffee0-0000-4000-8000-000000000001");
    let first = app.publish(&taken).await;
    let mut other = taken.clone();
    other["severity"] = json!("debug");
    let batch = json!([event("new"), other]);
    let error = app
        .post(batch.to_string())
        .await
        .error(409, "event_conflict");
    let fault = error["longDescription"][0].as_str().unwrap();
    assert!(fault.starts_with("[1].id 0c0ffee0-"), "{fault}");
    assert_eq!(app.stored().await, [first]);
}

#[tokio::test]
async fn one_invalid_event_stores_nothing_and_lists_every_violation() {
    let app = TestApp::start().await;
    let mut bad = event_with("owner", "me");
    bad["actedUpon"] = json!("here");
    bad["severity"] = json!("info");
    let batch = json!([
        event("good"),
        bad,
        event("good"),
        event_with("actedUpon", "x")
    ]);
    let error = app
        .post(batch.to_string())
        .await
        .error(400, "invalid_event");
    let faults: Vec<&str> = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    for (fault, start) in faults
        .iter()
        .zip(["[1].owner ", "[1].actedUpon ", "[3].actedUpon "])
    {
        assert!(fault.starts_with(start), "{fault}");
    }
    let remedies = strings(&error["suggestedRemediation"]);
    assert!(
        remedies[0].starts_with("give the user's UUID"),
        "{remedies:?}"
    );
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn lists_unreadable_and_invalid_events_together() {
    let app = TestApp::start().await;
    let batch = format!(
        "[{},\n {{\"category\": 7}},\n 5, {}, []]",
        event("good"),
        event_with("actedUpon", "Bad")
    );
    let error = app.post(batch).await.error(400, "invalid_json");
    let faults = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert_eq!(faults[0], "[1].actedUpon is missing");
    assert!(faults[1].starts_with("[2] cannot be read"), "{}", faults[1]);
    assert!(faults[1].contains("(line 3, column "), "{}", faults[1]);
    assert!(faults[2].starts_with("[3].actedUpon "), "{}", faults[2]);
    assert!(faults[3].starts_with("[4] is an array"), "{}", faults[3]);
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn a_batch_lists_the_repairs_of_each_event() {
    let app = TestApp::start().await;
    let long = "x".repeat(4_097);
    let batch = json!([event("good"), event(&long), event_with("severity", "warn")]);
    let response = app.post(batch.to_string()).await;
    assert_eq!(response.status, 201);
    let stored = response.json();
    assert!(stored[0].get("warnings").is_none());
    assert_eq!(stored[1]["warnings"][0]["field"], "description");
    assert_eq!(stored[1]["warnings"][0]["code"], "truncated");
    assert_eq!(stored[2]["warnings"][0]["field"], "severity");
    let listed = app.stored().await;
    assert_eq!(listed.len(), 3);
    // Only the publisher sees the repairs.
    assert!(listed.iter().all(|event| event.get("warnings").is_none()));
}

#[tokio::test]
async fn rejects_batches_over_the_limits() {
    let app = TestApp::start().await;
    let limit = app.engine.limits().batch_events;
    let batch = |events| Value::from(vec![event("x"); events]).to_string();
    assert_eq!(app.post(batch(limit)).await.status, 201);
    let error = app.post(batch(limit + 1)).await.error(413, "too_large");
    let expected = "the batch has 1001 events, more than the 1000 allowed";
    assert_eq!(error["longDescription"], json!([expected]));

    let error = app.post("[]").await.error(400, "invalid_event");
    assert_eq!(error["error"], "The batch has no events");

    let huge = batch(1).replace("x", &"x".repeat(5_000_000));
    app.post(huge).await.error(413, "too_large");
    assert_eq!(app.stored().await.len(), limit);
}

#[tokio::test]
async fn limits_the_listed_violations() {
    let app = TestApp::start().await;
    let batch = Value::from(vec![json!({}); 1000]).to_string();
    let error = app.post(batch).await.error(400, "invalid_event");
    let faults = strings(&error["longDescription"]);
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[100], "and 1900 more");
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|text| text.as_str().expect("a text"))
        .collect()
}
